"""Which models stand side by side on the Compare page, and what they come to."""

from collections.abc import Mapping

import streamlit as st

from cxr_core.models.registry import ModelEntry
from cxr_core.schema import label_words
from cxr_core.tasks.evaluate import Evaluation
from dashboard.parts import help_texts
from dashboard.parts.formatting import with_interval

#: Views of models; those that tell no view, as some imported ones, stand with "other".
VIEWS = ("frontal", "lateral", "other")
MOST_CHOSEN = 8


def view_of_models(entries: list[ModelEntry]) -> str:
    """Show the views that there are models of, and return the one that was chosen."""
    present = [view for view in VIEWS if any(_view(entry) == view for entry in entries)]
    chosen = st.segmented_control(
        "View of the models",
        present,
        default=present[0],
        required=True,
        format_func=label_words,
        key="models-view",
        bind="query-params",
        help="Models of different views predict different images, so they cannot be set side by side.",
    )
    return chosen or present[0]


def chosen_models(entries: list[ModelEntry], view: str) -> list[str]:
    """Show the models of a view and return those that were chosen."""
    names = [entry.name for entry in entries if _view(entry) == view]
    return st.multiselect(
        "Models",
        names,
        default=names[:MOST_CHOSEN],
        key=f"models-{view}",
        bind="query-params",
        help=help_texts.MODEL,
    )


def answer(results: Mapping[str, Evaluation]) -> str:
    """Return the title: which model has the largest mean AUC."""
    known = {model: r.mean_roc_auc.value for model, r in results.items() if r.mean_roc_auc.value is not None}
    if not known:
        return "Nothing to compare yet"
    best = max(known, key=lambda model: known[model])
    return f"{best} ranks best: mean AUC {with_interval(known[best], results[best].mean_roc_auc.ci)}"


def _view(entry: ModelEntry) -> str:
    return entry.view if entry.view in VIEWS else "other"
