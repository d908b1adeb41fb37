"""Which run the Runs page shows, and which others share its chart."""

import streamlit as st

from cxr_core.runs.store import Run
from dashboard.parts import help_texts
from dashboard.parts.run_words import run_words


def chosen_run(runs: list[Run]) -> Run:
    """Show the list of runs and return the one that was chosen; the newest until one is.

    The URL carries the ID alone, as `run`; a bound input would write the words of the list there.
    """
    by_id = {run.run: run for run in runs}
    if st.session_state.setdefault("run", st.query_params.get("run")) not in by_id:
        st.session_state["run"] = None
    chosen = st.selectbox(
        "Run",
        list(by_id),
        None,
        format_func=lambda one: run_words(by_id[one]),
        key="run",
        placeholder=f"The newest: {run_words(runs[0])}",
        help=help_texts.RUN,
    )
    if chosen:
        st.query_params["run"] = chosen
    else:
        st.query_params.pop("run", None)
    return by_id.get(chosen or "", runs[0])


def compared_runs(run: Run, runs: list[Run]) -> list[Run]:
    """Show the other training runs and return those whose losses are to be drawn too."""
    others = {other.run: other for other in runs if other.kind == "train" and other.run != run.run}
    if run.kind != "train" or not others:
        return []
    chosen = st.multiselect(
        "Show beside it",
        list(others),
        format_func=lambda other: f"{others[other].name} ({other})",
        key="beside",
        help="Losses compare only within one (u, w) strategy: another strategy is another scale.",
    )
    return [others[other] for other in chosen]
