"""The address of a page: what it asks for, what the page writes into it, and what of it nobody understood.

An input that Streamlit binds to the address changes it in place. What is written here becomes a step of the browser's
history of its own, so that Back undoes it; the page is then drawn anew with what the address asked for before.
"""

import math
from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_SAID, _READ = "said-of-the-address", "read-from-the-address"


def begin_reading() -> None:
    """Forget what the page that was drawn before read and said; to be called before any input is drawn."""
    st.session_state[_SAID], st.session_state[_READ] = [], set()


def asked_for(*names: str) -> list[str]:
    """Return the values of the first of these parameters that the address has; none of it has none."""
    st.session_state.setdefault(_READ, set()).update(names)
    return next((values for name in names if (values := st.query_params.get_all(name))), [])


def write(name: str, values: Sequence[str], *former: str) -> None:
    """Put values into the address, as a step of its history; none takes the parameter out.

    Args:
        name: the parameter.
        values: one or several of them.
        former: other names of the same parameter, which go.
    """
    for old in set(former) - {name}:
        st.query_params.pop(old, None)
    if st.query_params.get_all(name) == list(values):
        return
    if values:
        st.query_params[name] = list(values)
    else:
        st.query_params.pop(name, None)


def leave_out(name: str) -> None:
    """Take a parameter out of the address before the input that is bound to it is drawn, which then begins without."""
    del st.query_params[name]
    _begin_with_what_stands_there()


def _begin_with_what_stands_there() -> None:
    if context := get_script_run_ctx():
        with context.session_state.query_params() as parameters:
            parameters.set_initial_query_params_from_current()


def put_in(name: str, value: str) -> None:
    """Put a parameter into the address before the input that is bound to it is drawn, which then begins with it."""
    st.query_params[name] = value
    _begin_with_what_stands_there()


def came_by_history() -> bool:
    """Say whether the page is drawn because somebody went back or forward in the browser."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def page_of_run() -> str:
    """Return what stands for the page that is drawn."""
    context = get_script_run_ctx()
    return "" if context is None else context.page_script_hash


def say(sentence: str) -> None:
    """Keep a sentence on the address for the top of the page."""
    st.session_state.setdefault(_SAID, []).append(sentence)


def not_understood(before: dict[str, str]) -> list[str]:
    """Return what is to be said of the address once the page is drawn.

    Args:
        before: its parameters before any input was drawn; an input takes out of it what it cannot use.
    """
    sentences = list(st.session_state.get(_SAID, []))
    for name, asked in before.items():
        shown = st.session_state.get(name)
        if _is_bound(name):
            if isinstance(shown, (int, float)) and not isinstance(shown, bool) and not _is_same(asked, shown):
                sentences.append(f"The address asks for {name}={asked[:60]}, which cannot be; {shown:g} is shown.")
        elif name not in st.session_state.get(_READ, set()):
            sentences.append(f"The address says {name}={asked[:60]}, which nothing on this page as it stands asks for.")
    return sentences


def _is_bound(name: str) -> bool:
    context = get_script_run_ctx()
    if context is None:
        return False
    with context.session_state.query_params() as parameters:
        return parameters.is_bound(name)


def _is_same(asked: str, shown: float) -> bool:
    try:
        return math.isclose(float(asked), shown)
    except ValueError:
        return False
