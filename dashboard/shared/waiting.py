"""Waiting for an answer: a bar with what is done and the time left, and Cancel.

The work tells how far it is in the thread of the session that waits, and whatever is shown there lets Streamlit end
that thread: so work ends once its tab is closed, its question has changed, or Cancel was pressed.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

import streamlit as st

from cxr_core.progress import Progress, telling
from cxr_core.schema import label_words
from cxr_core.tasks.asking import telling_estimates
from dashboard.shared.formatting import size

#: Seconds before a bar is shown; what takes less needs none.
PATIENCE = 1.0
_CANCELLED = "cancelled-questions"


@contextmanager
def waiting(question: Hashable, words: str) -> Iterator[None]:
    """Show a spinner while an answer is asked for, and below it, once it takes long, the bar.

    A question that was cancelled ends the drawing here, with a button that asks it after all.
    """
    if question in _cancelled():
        st.info("This was cancelled.", icon=":material/cancel:")
        st.button("Compute it", key=_key("compute", question), on_click=_cancelled().discard, args=(question,))
        st.stop()
    with st.spinner(words, show_time=True):
        reading, place, bars = st.empty(), st.empty(), list[st.delta_generator.DeltaGenerator]()

        def tell(progress: Progress) -> None:
            if progress.seconds < PATIENCE:
                return
            if not bars:
                with place.container(horizontal=True, vertical_alignment="center"):
                    bars.append(st.empty())
                    st.button("Cancel", key=_key("cancel", question), on_click=_cancelled().add, args=(question,))
            bars[0].progress(progress.share, text=progress.words)

        def tell_reading(asked: str, n_bytes: int) -> None:
            reading.caption(f"BigQuery: about {size(n_bytes)} will be read for {label_words(asked).lower()}.")

        with telling(tell), telling_estimates(tell_reading):
            yield
        reading.empty()
        place.empty()


def _cancelled() -> set[Hashable]:
    """Return the questions that this session cancelled."""
    found: set[Hashable] = st.session_state.setdefault(_CANCELLED, set())
    return found


def _key(what: str, question: Hashable) -> str:
    return f"{what}-{hash(question)}"
