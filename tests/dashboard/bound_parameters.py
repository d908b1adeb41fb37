"""The names that a URL can give a value to: found in the pages' code, and seen when the pages are drawn."""

import ast
from pathlib import Path

from streamlit.runtime.state.query_params import QueryParams

DASHBOARD = Path(__file__).parents[2] / "dashboard"


def written_names():
    """Names that stand in the code: keys of inputs bound to the URL, and what is read from `st.query_params`."""
    return {name for file in DASHBOARD.rglob("*.py") for call in _calls(file) for name in _names(call)}


def patterns():
    """Keys that the code makes of parts, as regular expressions, with where they stand."""
    return {
        f"{file.relative_to(DASHBOARD)}:{call.lineno}": "".join(
            part.value if isinstance(part, ast.Constant) else ".+" for part in key.values
        )
        for file in DASHBOARD.rglob("*.py")
        for call in _calls(file)
        if isinstance(key := _keywords(call).get("key"), ast.JoinedStr) and "bind" in _keywords(call)
    }


class SeenNames:
    """Collects the keys of the inputs that Streamlit binds to the URL while this is in place."""

    def __init__(self, monkeypatch):
        self.names = set()
        bind = QueryParams.bind_widget

        def seen(params, param_key, *rest, **named):
            self.names.add(param_key)
            return bind(params, param_key, *rest, **named)

        monkeypatch.setattr(QueryParams, "bind_widget", seen)


def _calls(file):
    return (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def _keywords(call):
    return {keyword.arg: keyword.value for keyword in call.keywords}


def _names(call):
    key = _keywords(call).get("key")
    if "bind" in _keywords(call) and key is not None:
        yield from (
            part.value
            for part in ast.walk(key)
            if isinstance(part, ast.Constant)
            and isinstance(key, ast.Constant | ast.IfExp)
            and isinstance(part.value, str)
        )
    if ast.unparse(call.func).startswith("st.query_params.") and call.args and isinstance(call.args[0], ast.Constant):
        yield call.args[0].value
