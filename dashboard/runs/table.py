"""The list of runs as a table of text; the parts of a sweep or a repeat stand under it."""

from typing import Literal

import pandas as pd
import streamlit as st

from cxr_core.runs.store import COMPLETED, Run
from cxr_core.words import counted
from dashboard.runs.words import (
    began,
    best_auc,
    device_words,
    is_elsewhere,
    kind_words,
    place_words,
    policy_words,
    progress_bar,
    progress_words,
    status_badge,
    tag_badges,
    took,
)
from dashboard.shared.formatting import NOTHING, duration, plain, three_digits

SHOWN = 25
#: From so many rows on, the table scrolls by itself, below a header that stays.
_SCROLLS_FROM, _SCROLL_HEIGHT = 9, 420
_MOST_NOTE_CHARACTERS = 80


def run_table(runs: list[Run], everything: list[Run], chosen: Run | None, unfolded: bool) -> None:
    """Show runs, newest first, the one that is shown below in bold.

    Args:
        runs: those to list.
        everything: all runs of the workspace, to count the parts of a sweep.
        chosen: the one that is shown below, if any.
        unfolded: whether the parts of every sweep and repeat are listed; else only those of the chosen one.
    """
    shown = chosen.run if chosen else None
    listed = in_families(runs, None if unfolded else {shown, chosen.parent if chosen else None})
    rows = [_row(run, deep, shown, everything) for run, deep in listed[:SHOWN]]
    frame = pd.DataFrame(rows).set_index("Run")
    if not frame["Notes"].any():
        frame = frame.drop(columns="Notes")
    height: int | Literal["content"] = _SCROLL_HEIGHT if len(rows) >= _SCROLLS_FROM else "content"
    st.table(frame, border="horizontal", height=height, alt="Runs, newest first")
    if len(listed) > SHOWN:
        st.caption(f"The newest {SHOWN} of {counted(len(listed), 'run')}; search, or choose one in the list below.")


def in_families(runs: list[Run], unfolded: set[str | None] | None) -> list[tuple[Run, bool]]:
    """Return runs with their parts below them, and whether each is such a part.

    Args:
        runs: newest first; a part whose whole is not among them stands alone.
        unfolded: IDs of the runs whose parts are listed; None lists all.
    """
    ids = {run.run for run in runs}
    order: list[tuple[Run, bool]] = []
    for run in runs:
        if run.parent in ids:
            continue
        order.append((run, False))
        if unfolded is None or run.run in unfolded:
            order += [(part, True) for part in reversed(runs) if part.parent == run.run]
    return order


def _row(run: Run, deep: bool, chosen: str | None, everything: list[Run]) -> dict[str, str]:
    name = f"**{plain(run.name)}**" if run.run == chosen else plain(run.name)
    parts = [part for part in everything if part.parent == run.run]
    auc = best_auc(run)
    return {
        "Run": f"↳ {name}" if deep else name,
        "Kind": plain(kind_words(run)) + (f" ({counted(len(parts), 'run')})" if parts else ""),
        "Status": status_badge(run),
        "Progress": _progress(run, parts),
        "Time": _together(_time(run)),
        "Best validation AUC": NOTHING if auc is None else three_digits(auc),
        "Policy": plain(policy_words(run)),
        "Device": plain(device_words(run)),
        "Source": plain(run.source),
        "Started": _together(began(run)),
        "By": _together(plain(place_words(run))) if not is_elsewhere(run) else plain(place_words(run)),
        "Notes": " ".join(filter(None, [tag_badges(run), plain(_cut(run.notes))])),
    }


def _progress(run: Run, parts: list[Run]) -> str:
    if run.status == "queued":
        return plain(progress_words(run))
    done = sum(part.status == COMPLETED for part in parts)
    of_parts = f" · {done} of {counted(len(parts), 'run')} done" if parts else ""
    return f"{progress_bar(run)}{of_parts}"


def _time(run: Run) -> str:
    """Return how long an ended run took, or how long an active one still needs."""
    if not run.is_active:
        return took(run)
    return NOTHING if run.eta_seconds is None else f"{duration(run.eta_seconds)} left"


def _together(words: str) -> str:
    """Return words that no line break parts."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_NOTE_CHARACTERS else f"{line[:_MOST_NOTE_CHARACTERS]}…"
