"""What a page that fails still has: a title, the reason in a sentence, and the way to where it can be fixed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from cxr_core.errors import CxrError, StorageError, WarehouseError
from cxr_core.sources.registry import DEMO
from cxr_core.stamps import one_look
from dashboard.shared import address
from dashboard.shared.actions import show_told
from dashboard.shared.errors import errors_as_sentences, try_again_button
from dashboard.shared.formatting import plain
from dashboard.shared.header import TITLED, page_header
from dashboard.shared.navigation import go_button

P = ParamSpec("P")


@contextmanager
def page_frame() -> Iterator[None]:
    """Draw a page; an error that no part of it has shown ends the page with a sentence, under a title.

    Above it stands what a button could not do, and what of the address was not understood.
    """
    st.session_state[TITLED] = False
    address.begin_reading()
    asked = st.query_params.to_dict()
    above = st.container()
    with above:
        show_told()
    try:
        with one_look():
            yield
        for sentence in address.not_understood(asked):
            above.warning(plain(sentence), icon=":material/link_off:")
    except CxrError as error:
        if not st.session_state[TITLED]:
            source = st.session_state.get("source") or DEMO
            with above:
                page_header(_title(error), source, source == DEMO)
        st.error(plain(error), icon=":material/error:")
        with st.container(horizontal=True):
            try_again_button("page")
            go_button("sources", "See what is missing")


def page_fragment(key: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Let a callback redraw a part of a page alone, by `st.rerun(key)`; what fails in it is told as a sentence."""

    def decorated(part: Callable[P, None]) -> Callable[P, None]:
        @wraps(part)
        def framed(*arguments: P.args, **named: P.kwargs) -> None:
            with errors_as_sentences(retry=key), one_look():
                part(*arguments, **named)

        return st.fragment(framed, key=key)

    return decorated


def _title(error: CxrError) -> str:
    """Return what is the matter: somebody else did not answer, or something of one's own is not as it must be."""
    if isinstance(error, WarehouseError):
        return "The tables could not be asked"
    if isinstance(error, StorageError):
        return "Cloud Storage could not be asked"
    return "This page lacks something that it needs"
