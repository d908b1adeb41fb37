"""What a page that fails still has: a title, the reason in a sentence, and the way to where it can be fixed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_core.caller import acting_for, caller
from cxr_core.errors import CostlyError, CxrError, StorageError, UndecidedError, WarehouseError
from cxr_core.sources.registry import DEMO
from cxr_core.stamps import one_look
from dashboard.shared import address
from dashboard.shared.actions import show_told
from dashboard.shared.costs import costs_shown
from dashboard.shared.errors import is_question, show_error, try_again_button
from dashboard.shared.formatting import plain
from dashboard.shared.header import TITLED, page_header
from dashboard.shared.navigation import go_button

P = ParamSpec("P")


@contextmanager
def page_frame() -> Iterator[None]:
    """Draw a page; an error that no part of it has shown ends the page with a sentence, under a title.

    Above it stands what a button could not do, and what of the address was not understood; below, what BigQuery was
    asked where no part of the page shows it.
    """
    st.session_state[TITLED] = False
    address.begin_reading()
    asked = st.query_params.to_dict()
    above = st.container()
    with above:
        show_told()
    with acting_for(caller()), costs_shown("page"), one_look(), _told_in_words(above, "page"):
        yield
        for sentence in address.not_understood(asked):
            above.warning(plain(sentence), icon=":material/link_off:")


@contextmanager
def _told_in_words(above: DeltaGenerator, name: str) -> Iterator[None]:
    """Show an error as a sentence, with a title `above` where the page has none, and a button that tries again."""
    try:
        yield
    except CxrError as error:
        if not st.session_state[TITLED]:
            source = st.session_state.get("source") or DEMO
            with above:
                page_header(_title(error), source, source == DEMO)
        show_error(error)
        if not is_question(error):
            with st.container(horizontal=True):
                try_again_button(name)
                go_button("sources", "See what is missing")


def page_fragment(key: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Let a callback redraw a part of a page alone, by `st.rerun(key)`; what fails in it is told as a sentence."""

    def decorated(part: Callable[P, None]) -> Callable[P, None]:
        @wraps(part)
        def framed(*arguments: P.args, **named: P.kwargs) -> None:
            with acting_for(caller()), costs_shown(key, below=False), one_look(), _told_in_words(st.container(), key):
                part(*arguments, **named)

        return st.fragment(framed, key=key)

    return decorated


def _title(error: CxrError) -> str:
    """Return what is the matter: a question, somebody else who did not answer, or something of one's own."""
    if isinstance(error, CostlyError):
        return "This question to BigQuery needs a yes"
    if isinstance(error, UndecidedError):
        return "The tables can be read in two ways"
    if isinstance(error, WarehouseError):
        return "The tables could not be asked"
    if isinstance(error, StorageError):
        return "Cloud Storage could not be asked"
    return "This page lacks something that it needs"
