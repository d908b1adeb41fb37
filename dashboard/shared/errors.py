"""The one place where an error becomes a sentence on the page; nobody is shown a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.tasks.sources import connect_anew
from dashboard.shared.formatting import plain


@contextmanager
def errors_as_sentences(retry: str = "") -> Iterator[None]:
    """Show an error that the engine raised on purpose, and go on after the block.

    Args:
        retry: names a button below the sentence that tries the block again; "" shows none.
    """
    try:
        yield
    except CxrError as error:
        st.error(plain(error), icon=":material/error:")
        if retry:
            try_again_button(retry)


def try_again_button(name: str) -> None:
    """Show a button that draws the page again: what was answered before is kept, and only the rest is asked."""
    st.button(
        "Try again",
        icon=":material/refresh:",
        key=f"try-again-{name}",
        help="Asks again for what is missing. What was answered already is kept and costs nothing.",
        on_click=connect_anew,
    )
