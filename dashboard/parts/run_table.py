"""The list of runs as a table of text."""

import pandas as pd
import streamlit as st

from cxr_core.runs.store import Run
from dashboard.parts.run_words import began, best_auc, kind_words, progress_words, share_done, status_badge, took

SHOWN = 12


def run_table(runs: list[Run], chosen: str | None) -> None:
    """Show the newest runs; the one that is shown below is in bold."""
    rows = [_row(run, run.run == chosen) for run in runs[:SHOWN]]
    st.table(pd.DataFrame(rows).set_index("Name"), border="horizontal", alt="Runs, newest first")
    if len(runs) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(runs)} runs; the others are in the list below.")


def _row(run: Run, bold: bool) -> dict[str, str]:
    return {
        "Name": f"**{run.name}**" if bold else run.name,
        "Work": kind_words(run),
        "Status": status_badge(run),
        "Progress": progress_words(run) if run.is_active else f"{100 * share_done(run):.0f} %",
        "Validation AUC": best_auc(run),
        "Took": took(run),
        "Started": began(run),
        "Source": run.source,
    }
