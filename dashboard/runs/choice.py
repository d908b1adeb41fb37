"""Which run the Runs page shows, and which others share its charts."""

import streamlit as st

from cxr_core.runs.store import Run
from dashboard.charts.run_curves import MOST_RUNS
from dashboard.runs.words import policy_words, run_words
from dashboard.shared import help_texts
from dashboard.shared.choices import Options, select_several, settled
from dashboard.shared.formatting import plain


def chosen_run(runs: list[Run], listed: list[Run]) -> Run | None:
    """Show the list of runs and return the one that was chosen, at first the newest of the listed ones.

    It stays the one that is shown, and in the address, until another one is chosen; where it does not exist any more,
    that is said, and there is None.
    """
    by_id = {run.run: run for run in runs}
    options = Options(list(by_id), "run", lambda one: run_words(by_id[one]), what="run", pinned=True)
    offered = [run.run for run in listed or runs]
    chosen = settled(options, offered[0])
    st.selectbox(
        "Run",
        offered if chosen in offered else [chosen, *offered],
        format_func=options.shown,
        key=options.key,
        help=help_texts.RUN,
    )
    if chosen not in by_id:
        st.error(plain(f"{options.gone(chosen)} Choose another one."), icon=":material/error:")
    return by_id.get(chosen)


def compared_runs(run: Run, runs: list[Run]) -> list[Run]:
    """Show the other training runs and return those that are to be drawn over it; the address carries their IDs."""
    others = {other.run: other for other in runs if other.kind == "train" and other.run != run.run}
    if run.kind != "train" or not others:
        return []
    chosen = select_several(
        "Draw over it",
        Options(list(others), "beside", lambda one: _beside_words(others[one]), what="other training run"),
        (),
        help_texts.BESIDE,
        max_selections=MOST_RUNS - 1,
        placeholder="Choose other training runs",
    )
    return [others[one] for one in chosen[: MOST_RUNS - 1]]


def _beside_words(run: Run) -> str:
    return f"{run.name} · {policy_words(run)} · {run.run}"
