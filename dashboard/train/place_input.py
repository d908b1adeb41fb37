"""Where a training works: this machine, or a place that `cxr.toml` describes."""

import streamlit as st

from cxr_core.runs.run import HERE
from dashboard.shared.formatting import plain
from dashboard.shared.offered_places import called, offered_places


def place_input() -> str:
    """Show the places where there is more than this machine, and return the one that was chosen."""
    usable, wrong = offered_places()
    chosen: str | None = HERE
    if len(usable) > 1:
        chosen = st.segmented_control(
            "Where it works",
            usable,
            default=HERE,
            required=True,
            format_func=called,
            key="train-place",
            bind="query-params",
            wrap=True,
            help="The machine or cluster that trains. The run stays in this workspace: its losses, log and model come "
            "back here, and it goes on when this machine is switched off.",
        )
    for name, problem in wrong.items():
        st.caption(f":material/block: **{plain(name)}** cannot be used: {plain(problem)}")
    return chosen or HERE
