"""What BigQuery was asked for what a page shows: the SQL, the bytes before and after, the age, and Refresh."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxr_core.schema import label_words
from cxr_core.sources.registry import DEMO
from cxr_core.tasks.asking import AskedQuery, noting
from cxr_core.words import counted
from dashboard.shared import engine
from dashboard.shared.formatting import clock, plain, size

COST_HELP = (
    "BigQuery charges by the bytes of the columns that a query reads, and at least 10 MiB for each table. A dry run, "
    "which is free, gives the estimate; what was billed comes with the answer. An answer is kept, so that opening the "
    "page again costs nothing, and asked for anew once a table has changed."
)
_SQL_HELP = "What BigQuery was asked for this page, and what each question cost."
_REFRESH_HELP = "Asks the tables again, on this page and on the others. For BigQuery this is billed anew."


@dataclass
class _Shown:
    """The place that a part of a page has for what it was asked, and what stands there or in a part of it."""

    place: DeltaGenerator | None = None
    asked: set[tuple[object, ...]] = field(default_factory=set)


_shown: ContextVar[_Shown | None] = ContextVar("shown", default=None)


def cost_place() -> None:
    """Leave a place for what BigQuery is asked for the part of the page that is being drawn."""
    if (shown := _shown.get()) is not None:
        shown.place = st.container()


@contextmanager
def costs_shown(name: str, below: bool = True) -> Iterator[None]:
    """Show what BigQuery was asked within: where `cost_place` was called, and the rest `below`.

    Args:
        name: of the part of the page, which names its button.
        below: whether what has no place is shown; otherwise whatever is around it does.
    """
    around, shown = _shown.get(), _Shown()
    token = _shown.set(shown)
    try:
        with noting() as asked:
            yield
    finally:
        _shown.reset(token)
    new = _billed(asked, shown.asked)
    if shown.place is not None or below:
        with shown.place or st.container():
            _cost_line(new, name)
        shown.asked |= {_key(one) for one in new}
    if around is not None:
        around.asked |= shown.asked


def cost_words(asked: Sequence[AskedQuery]) -> str:
    """Return the bytes before and after, what came at no charge, how images were counted, and when it was asked."""
    estimated = sum(one.bytes_estimated or 0 for one in asked)
    billed = sum(one.bytes_billed or 0 for one in asked)
    words = [f"BigQuery: {size(estimated)} read by estimate, {size(billed)} billed for {counted(len(asked), 'query')}"]
    if free := sum(one.cached for one in asked):
        words.append(f"{free} of them from BigQuery's own cache, at no charge")
    words += [f"images counted by {one.counted}" for one in asked if one.counted]
    words.append(f"asked at {clock(max(one.asked for one in asked))} and kept")
    return " · ".join(words)


def query_text(asked: AskedQuery, height: int | str = "content") -> None:
    """Show the SQL of a question with its parameters, and what it cost."""
    st.markdown(f"**{label_words(asked.question)}** · answered in {asked.seconds:.2f} s{_cost(asked)}")
    # In one colour: those of Streamlit's languages are too faint in the dark.
    st.code(asked.sql, language=None, height=height)  # type: ignore[arg-type]
    if asked.parameters:
        st.caption("With " + ", ".join(plain(f"@{name} = {value}") for name, value in asked.parameters.items()) + ".")


def _cost_line(asked: Sequence[AskedQuery], name: str) -> None:
    if not asked:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(cost_words(asked)), help=COST_HELP)
        with st.popover("SQL", icon=":material/code:", type="tertiary", help=_SQL_HELP, key=f"sql-{name}"):
            for one in asked:
                query_text(one)
        if st.button("Refresh", icon=":material/refresh:", key=f"refresh-{name}", help=_REFRESH_HELP, type="tertiary"):
            engine.refresh(st.session_state.get("source") or DEMO)
            st.rerun()


def _cost(asked: AskedQuery) -> str:
    """Return how images were counted and, for BigQuery, the bytes before and after."""
    words = f" · counted by `{asked.counted}`" if asked.counted else ""
    if asked.bytes_billed is None:
        return words
    if asked.bytes_estimated is not None:
        words += f" · {size(asked.bytes_estimated)} read by estimate"
    return f"{words} · {size(asked.bytes_billed)} billed" + (", from BigQuery's own cache" if asked.cached else "")


def _billed(asked: Sequence[AskedQuery], elsewhere: set[tuple[object, ...]]) -> list[AskedQuery]:
    """Return the questions to BigQuery, each once, that are not shown elsewhere."""
    each = {_key(one): one for one in reversed(asked) if one.bytes_billed is not None}
    return [one for key, one in reversed(each.items()) if key not in elsewhere]


def _key(asked: AskedQuery) -> tuple[object, ...]:
    return (asked.question, asked.sql, *asked.parameters.items())
