"""Which run the Runs page shows, and which others share its charts."""

import streamlit as st

from cxr_core.runs.store import Run
from dashboard.charts.run_curves import MOST_RUNS
from dashboard.runs.words import policy_words, run_words
from dashboard.shared import help_texts


def chosen_run(runs: list[Run], listed: list[Run]) -> Run:
    """Show the list of runs and return the one that was chosen; the newest of the listed until one is.

    The URL carries the ID alone, as `run`; a bound input would write the words of the list there.
    """
    by_id = {run.run: run for run in runs}
    if st.session_state.setdefault("run", st.query_params.get("run")) not in by_id:
        st.session_state["run"] = None
    offered = [run.run for run in listed or runs]
    kept = st.session_state["run"]
    newest = by_id[offered[0]]
    chosen = st.selectbox(
        "Run",
        offered if kept is None or kept in offered else [kept, *offered],
        None,
        format_func=lambda one: run_words(by_id[one]),
        key="run",
        placeholder=f"The newest: {run_words(newest)}",
        help=help_texts.RUN,
    )
    _in_url("run", [chosen] if chosen else [])
    return by_id.get(chosen or "", newest)


def compared_runs(run: Run, runs: list[Run]) -> list[Run]:
    """Show the other training runs and return those that are to be drawn over it; the URL carries their IDs."""
    others = {other.run: other for other in runs if other.kind == "train" and other.run != run.run}
    if run.kind != "train" or not others:
        return []
    kept = st.session_state.setdefault("beside", st.query_params.get_all("beside"))
    st.session_state["beside"] = [one for one in kept if one in others][: MOST_RUNS - 1]
    chosen = st.multiselect(
        "Draw over it",
        list(others),
        format_func=lambda other: f"{others[other].name} · {policy_words(others[other])} · {other}",
        key="beside",
        max_selections=MOST_RUNS - 1,
        placeholder="Choose other training runs",
        help=help_texts.BESIDE,
    )
    _in_url("beside", chosen)
    return [others[other] for other in chosen]


def _in_url(name: str, values: list[str]) -> None:
    if st.query_params.get_all(name) == values:
        return
    if values:
        st.query_params[name] = values
    else:
        st.query_params.pop(name, None)
