"""Waiting for an answer: a bar with what is done and the time left, the figures that are there already, and Cancel.

The work tells how far it is in the thread of the session that waits, which looks there whether anybody still does: so
work ends once its tab is closed, its question has changed, or Cancel was pressed.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from cxr_core.progress import Progress, receiving, telling
from cxr_core.schema import label_words
from cxr_core.tasks.asking import telling_estimates
from dashboard.shared.formatting import size

#: Seconds before a bar is shown; what takes less needs none.
PATIENCE = 1.0
#: Shows the parts of an answer that are final before all are there.
Show = Callable[[list[Any]], None]
_CANCELLED = "cancelled-questions"


@contextmanager
def waiting(question: Hashable, words: str, show: Show | None = None) -> Iterator[None]:
    """Show a spinner while an answer is asked for, and below it, once it takes long, the bar and what `show` draws.

    It all stands in one place of the page, so that what follows moves by one place alone, whatever is shown here.
    A question that was cancelled ends the drawing here, with a button that asks it after all.
    """
    if question in _cancelled():
        st.info("This was cancelled.", icon=":material/cancel:")
        st.button("Compute it", key=_key("compute", question), on_click=_cancelled().discard, args=(question,))
        st.stop()
    slot = st.empty()
    with slot.container(), st.spinner(words, show_time=True):
        shown = _Shown(question, show)
        with telling(shown.tell), telling_estimates(shown.tell_reading), receiving(shown.receive):
            yield
    slot.empty()


class _Shown:
    """What stands on the page while an answer is asked for."""

    def __init__(self, question: Hashable, show: Show | None) -> None:
        self._question, self._show, self._since = question, show, time.monotonic()
        self._reading, self._place, self._parts_place = st.empty(), st.empty(), st.empty()
        self._bar: DeltaGenerator | None = None
        self._parts: list[Any] = []

    def tell(self, progress: Progress) -> None:
        if time.monotonic() - self._since < PATIENCE:
            return
        if self._bar is None:
            row = self._place.container(horizontal=True, vertical_alignment="center")
            self._bar = row.empty()
            _outside_of_fragments(lambda: self._cancel_button(row))
        self._bar.progress(progress.share, text=progress.words)

    def receive(self, part: Any) -> None:
        self._parts.append(part)
        if self._show is not None and time.monotonic() - self._since >= PATIENCE:
            with self._parts_place.container():
                self._show(self._parts)

    def tell_reading(self, asked: str, n_bytes: int) -> None:
        self._reading.caption(f"BigQuery: about {size(n_bytes)} will be read for {label_words(asked).lower()}.")

    def _cancel_button(self, row: DeltaGenerator) -> None:
        row.button("Cancel", key=_key("cancel", self._question), on_click=_cancelled().add, args=(self._question,))


def _outside_of_fragments(draw: Callable[[], None]) -> None:
    """Draw what belongs to no fragment: a click on what does waits until the page has been drawn to its end."""
    session = get_script_run_ctx()

    def attached() -> None:
        add_script_run_ctx(ctx=session)
        draw()

    thread = threading.Thread(target=attached)
    thread.start()
    thread.join()


def _cancelled() -> set[Hashable]:
    """Return the questions that this session cancelled."""
    found: set[Hashable] = st.session_state.setdefault(_CANCELLED, set())
    return found


def _key(what: str, question: Hashable) -> str:
    return f"{what}-{hash(question)}"
