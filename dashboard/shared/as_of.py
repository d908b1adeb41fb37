"""As of when a page shows its tables."""

import streamlit as st

from cxr_core.tasks.state import SourceState
from cxr_core.words import counted
from dashboard.shared import engine
from dashboard.shared.costs import cost_place
from dashboard.shared.formatting import clock

_HELP = (
    "When the newest of the tables behind this page was written. They are looked at whenever the page is drawn: once "
    "one of them is written anew, the next drawing shows it."
)


def as_of_line(source: str, *models: str) -> None:
    """Say when the label tables and the prediction tables of these models were written, and what asking them cost."""
    st.caption(as_of_words(engine.state(source, models)), help=_HELP)
    cost_place()


def as_of_words(state: SourceState) -> str:
    """Return as of when tables are shown, and about how many nobody could be asked just now."""
    when = "as they were found" if state.changed is None else f"as of {clock(state.changed)}"
    if not state.unchecked:
        return f"Tables {when}"
    number = len(state.unchecked)
    unknown = f"whether {counted(number, 'of them has', 'of them have')} changed since could not be asked just now"
    return f"Tables {when}; {unknown}"
