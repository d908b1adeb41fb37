"""What a run was asked to do, beside what others were; and what it wrote."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from cxr_core.journal import deeds
from cxr_core.runs import service
from cxr_core.runs.store import Run
from cxr_core.words import counted
from dashboard.runs.curves import legend_name
from dashboard.runs.words import asked_at, device_words, place_words, policy_words, said_at, took
from dashboard.shared import help_texts
from dashboard.shared.formatting import NOTHING, plain

LOG_BYTES = 32_000
#: How entries of a configuration are called, and what those are that have entries of their own.
_NAMES = {"children": "trainings", "u": "u", "w": "w", "cells": "pairs of u and w", "anew": "built anew"}
_THINGS = {"children": "training", "cells": "pair", "choices": "choice"}
_MOST_LISTED = 8


def config_section(run: Run, others: list[Run]) -> None:
    """Show the configuration of a run as it was submitted, beside that of others with the differences marked."""
    if others:
        _side_by_side([run, *others])
        return
    st.table(_about(run) | flat_words(run.config), border="horizontal", width="content", alt="Configuration of the run")
    _done_to(run)
    if run.result:
        st.markdown("**Result**")
        st.table(flat_words(run.result), border="horizontal", width="content", alt="Result of the run")


def _done_to(run: Run) -> None:
    """Show who did what to a run, from the journal of the workspace."""
    rows = [
        {
            "When": said_at(datetime.fromisoformat(deed.when).astimezone()),
            "Who": plain(deed.who),
            "What": plain(deed.what),
        }
        for deed in deeds(text=run.run)
    ]
    if rows:
        st.markdown("**Who did what**")
        st.table(
            pd.DataFrame(rows).set_index("When"), border="horizontal", width="content", alt="Who did what to the run"
        )


def _about(run: Run) -> dict[str, str]:
    about = {"Run": run.run, "Source": plain(run.source), "Asked for": asked_at(run), "Took": took(run)}
    about |= {"User and machine": plain(place_words(run)), "Accelerator": device_words(run)}
    return about | ({"Policy": plain(policy_words(run))} if run.kind == "train" else {})


def _side_by_side(runs: list[Run]) -> None:
    frame = differences({plain(legend_name(run)): _about(run) | flat_words(run.config) for run in runs})
    n_different = int(frame["differs"].sum())
    only = st.toggle("Only what differs", key="only-differences", bind="query-params", help=help_texts.ONLY_DIFFERENCES)
    st.caption(f"{n_different} of {len(frame)} entries differ; they are in bold and marked with ≠.")
    shown = frame[frame["differs"]] if only else frame
    marked = shown.drop(columns="differs").apply(
        lambda row: [f"**{value}**" if shown.loc[row.name, "differs"] else value for value in row],
        axis=1,
        result_type="broadcast",
    )
    marked.index = [f"**≠ {name}**" if differs else name for name, differs in shown["differs"].items()]
    st.table(marked, border="horizontal", alt="Configurations of the runs side by side")


def differences(configs: dict[str, dict[str, str]]) -> pd.DataFrame:
    """Return one row an entry, one column a run, and whether its values differ, as `differs`.

    Args:
        configs: the entries of each run, in the order of the columns; an entry that one lacks is a dash there.
    """
    names = list(dict.fromkeys(name for config in configs.values() for name in config))
    columns = {run: [config.get(name, NOTHING) for name in names] for run, config in configs.items()}
    frame = pd.DataFrame(columns, index=pd.Index(names), dtype=object)
    return frame.assign(differs=frame.nunique(axis=1) > 1)


def flat_words(values: dict[str, Any]) -> dict[str, str]:
    """Return what was set, one level deep and in words; what was left empty is left out."""
    rows: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            rows |= flat_words(value)
        elif value not in (None, "", []):
            rows[plain(_NAMES.get(name, name.replace("_", " ")))] = plain(_short(name, value))
    return rows


def _short(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _of_list(name, value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _of_list(name: str, values: list[Any]) -> str:
    if any(isinstance(one, dict) for one in values):
        return f"{counted(len(values), _THINGS.get(name, 'entry'))}, listed above"
    words = [_short(name, one) for one in values]
    return ", ".join(words) if len(words) <= _MOST_LISTED else f"{words[0]} and {len(words) - 1} more"


def log_section(run: Run) -> None:
    """Show the end of the log."""
    tail = service.log_tail(run.run, LOG_BYTES)
    st.caption(f"The last {LOG_BYTES // 1000} kB; the whole log is in {plain(service.folder_of(run.run))}.")
    st.code(tail or "The log is empty so far.", language=None, height=360)
    if run.is_active and st.button(
        "Read again", icon=":material/refresh:", key=f"read-log-{run.run}", help="Reads the newest lines."
    ):
        st.rerun()
