"""What BigQuery is going to read for the Labels page, and what it billed."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.sources.source import Source
from cxr_core.tasks.distribution import LabelOverview
from cxr_core.words import counted
from dashboard.shared import engine
from dashboard.shared.formatting import clock, plain, size
from dashboard.shared.source import refresh_button

COST_HELP = (
    "BigQuery charges by the bytes of the columns that a query reads, and at least 10 MiB for each table. A dry run, "
    "which is free, gives the estimate; what was billed comes with the answer. An answer is kept, so that opening the "
    "page again costs nothing."
)


@contextmanager
def estimate_line(source: Source, view: str | None) -> Iterator[None]:
    """Say what BigQuery will read while it is asked; nothing for files of this machine, which cost nothing."""
    place = st.empty()
    if source.kind == "bigquery":
        try:
            estimate = engine.estimated_bytes(source.name, view)
            place.caption(f"Asking BigQuery: about {size(estimate)} will be read for the distribution.", help=COST_HELP)
        except CxrError:
            # The question itself fails for the same reason, and says it.
            place.empty()
    yield
    place.empty()


def cost_line(source: Source, overview: LabelOverview) -> None:
    """Show estimate and bill of the figures on the page, and a button that asks again."""
    if source.kind != "bigquery" or not overview.answers:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(cost_words(overview)), help=COST_HELP)
        refresh_button(source, "refresh-labels")


def cost_words(overview: LabelOverview) -> str:
    """Return the bytes before and after, what came at no charge, how images were counted, and when it was asked."""
    answers = overview.answers
    estimated = sum(answer.bytes_estimated or 0 for answer in answers)
    billed = sum(answer.bytes_billed or 0 for answer in answers)
    words = [
        f"BigQuery: {size(estimated)} read by estimate, {size(billed)} billed for {counted(len(answers), 'query')}"
    ]
    if free := sum(answer.cached for answer in answers):
        words.append(f"{free} of them from BigQuery's own cache, at no charge")
    words += [f"images counted by {answer.counted}" for answer in answers if answer.counted]
    words.append(f"asked at {clock(max(answer.asked for answer in answers))} and kept")
    return " · ".join(words)
