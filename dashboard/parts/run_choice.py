"""Which run the Runs page shows, and which others share its chart."""

import streamlit as st

from cxr_core.runs.store import Run
from dashboard.parts import help_texts


def chosen_run(runs: list[Run]) -> Run:
    """Show the list of runs and return the one that was chosen; the newest until one is."""
    by_id = {run.run: run for run in runs}
    newest = f"the newest: {runs[0].run}"
    chosen = st.selectbox(
        "Run", list(by_id), None, key="run", bind="query-params", placeholder=newest, help=help_texts.RUN
    )
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
