"""Which models stand side by side on the Compare page, and what they come to."""

import streamlit as st

from cxr_core.evaluation.grid import ALIKE, BEST, MEAN
from cxr_core.models.registry import ModelEntry
from cxr_core.schema import label_words
from cxr_core.tasks.grid import ModelGrid
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.parts import help_texts
from dashboard.parts.formatting import with_interval

#: Views of models; those that tell no view, as some imported ones, stand with "other".
VIEWS = ("frontal", "lateral", "other")
ALL_VIEWS = "all"
MOST_CHOSEN = 8


def view_of_models(entries: list[ModelEntry]) -> str:
    """Show the views that there are models of, and return the one that was chosen."""
    present = [view for view in VIEWS if any(_view(entry) == view for entry in entries)]
    present += [ALL_VIEWS] if len(present) > 1 else []
    chosen = st.segmented_control(
        "View of the models",
        present,
        default=present[0],
        required=True,
        format_func=label_words,
        key="models-view",
        bind="query-params",
        help="Models of different views predict different images; all together, each view is a family of its own.",
    )
    return chosen or present[0]


def chosen_models(entries: list[ModelEntry], view: str) -> list[str]:
    """Show the models of a view and return those that were chosen."""
    names = [entry.name for entry in entries if view in (ALL_VIEWS, _view(entry))]
    return st.multiselect(
        "Models",
        names,
        default=names[:MOST_CHOSEN],
        key=f"models-{view}",
        bind="query-params",
        help=help_texts.MODEL,
    )


def answer(grids: ModelGrid | None) -> str:
    """Return the title: which model has the largest mean, and how many cannot be told from it.

    Where the models fall into several groups, of the largest group.
    """
    grid = max(grids.grids.values(), key=lambda one: len(one.models)) if grids and grids.grids else None
    means = grid.cells.get(MEAN, {}) if grid else {}
    best = next((cell for cell in means.values() if cell.mark == BEST), None)
    if grid is None or best is None:
        return "Nothing to compare yet"
    alike = sum(cell.mark == ALIKE for cell in means.values())
    others = f"; {alike} cannot be told from it" if alike else ""
    return f"{best.model} ranks best: mean {FIGURE_WORDS[grid.figure]} {with_interval(best.value, best.ci)}{others}"


def _view(entry: ModelEntry) -> str:
    return entry.view if entry.view in VIEWS else "other"
