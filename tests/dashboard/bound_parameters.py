"""The names that a URL can give a value to: found in the pages' code, and seen when the pages are drawn."""

import ast
import re
from functools import cache
from pathlib import Path

from streamlit.runtime.state.query_params import QueryParams

from dashboard.shared import address

#: What makes a kept choice; its parameters stand among its arguments.
CHOICES = ("Options", "tabs", "label_input", "dataset_input", "view_input", "model_input", "_dataset_input")
NAME = re.compile(r"[a-z]+(-[a-z]+)*")
DASHBOARD = Path(__file__).parents[2] / "dashboard"


@cache
def written_names():
    """Names that stand in the code: keys of inputs bound to the URL, kept choices, reads of `st.query_params`."""
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
    """Collects the parameters that inputs are bound to, and those that choices ask for, while this is in place."""

    def __init__(self, monkeypatch):
        self.names = set()
        bind = QueryParams.bind_widget

        def seen(params, param_key, *rest, **named):
            self.names.add(param_key)
            return bind(params, param_key, *rest, **named)

        ask = address.asked_for
        monkeypatch.setattr(QueryParams, "bind_widget", seen)
        monkeypatch.setattr(address, "asked_for", lambda *names: self.names.update(names) or ask(*names))


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
    if ast.unparse(call.func) in CHOICES:
        given = [
            *call.args[1:],
            *(value for name, value in _keywords(call).items() if name in ("key", "name", "former")),
        ]
        given = given if ast.unparse(call.func) == "Options" else [*call.args[:1], *given]
        parts = [part for value in given for part in getattr(value, "elts", [value])]
        yield from (
            part.value
            for part in parts
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and NAME.fullmatch(part.value)
        )
    if ast.unparse(call.func).startswith("st.query_params.") and call.args and isinstance(call.args[0], ast.Constant):
        yield call.args[0].value
