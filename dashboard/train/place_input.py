"""Where a training works: this machine, or a place that `cxr.toml` describes."""

import streamlit as st

from cxr_core.errors import CxrError
from cxr_core.runs.places.check import definition_problems
from cxr_core.runs.places.registry import place_names
from cxr_core.runs.run import HERE
from dashboard.shared.formatting import plain


def place_input() -> str:
    """Show the places where there is more than this machine, and return the one that was chosen."""
    try:
        names = place_names()
    except CxrError:  # the configuration is wrong as a whole, which the page says elsewhere
        return HERE
    wrong = {name: problem for name in names if name != HERE for problem in definition_problems(name)[:1]}
    usable = [name for name in names if name not in wrong]
    chosen: str | None = HERE
    if len(usable) > 1:
        chosen = st.segmented_control(
            "Where it works",
            usable,
            default=HERE,
            required=True,
            format_func=lambda name: "This machine" if name == HERE else name,
            key="train-place",
            bind="query-params",
            wrap=True,
            help="The machine or cluster that trains. The run stays in this workspace: its losses, log and model come "
            "back here, and it goes on when this machine is switched off.",
        )
    for name, problem in wrong.items():
        st.caption(f":material/block: **{plain(name)}** cannot be used: {plain(problem)}")
    return chosen or HERE
