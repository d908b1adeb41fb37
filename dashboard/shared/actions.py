"""Buttons that act on what they were drawn for.

A button carries the ID of its thing in its key and in what it does, and does it before the page is drawn anew: whatever
the page would show by then, nothing else is touched. What cannot be done any more is said in a sentence.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from cxr_core.errors import CxrError
from dashboard.shared.formatting import plain

Act = Callable[[str], object]

_REFUSED, _DONE = "why-an-action-was-refused", "what-an-action-did"


def action_button(
    label: str, thing: str, key: str, act: Callable[[str], object], help_text: str, **further: Any
) -> bool:
    """Show a button that does something to one thing, and say whether it was pressed.

    Args:
        label: its words.
        thing: the ID of what it is drawn for.
        key: what it does; the key of the button is `key-thing`.
        act: does it to the thing with that ID. What it raises as `CxrError` is said at the top of the page.
        help_text: what it does, for whoever hesitates.
        further: as of `st.button`.
    """
    return st.button(label, key=f"{key}-{thing}", on_click=do_and_tell, args=(act, thing), help=help_text, **further)


def tell(sentence: str) -> None:
    """Keep what an action did for the top of the page that is drawn next."""
    st.session_state[_DONE] = sentence


def show_told() -> None:
    """Show, once, what the last action did or why it could not be done."""
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(plain(refused), icon=":material/error:")
    if done := st.session_state.pop(_DONE, ""):
        st.success(plain(done), icon=":material/check_circle:")


def do_and_tell(act: Act, thing: str) -> None:
    """Do something to one thing before the page is drawn; why it could not be done is said at the top of the page."""
    try:
        act(thing)
    except CxrError as error:
        st.session_state[_REFUSED] = str(error)
