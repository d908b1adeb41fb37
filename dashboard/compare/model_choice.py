"""Which models stand side by side on the Compare page, and what they come to."""

import streamlit as st

from cxr_core.models.registry import ModelEntry
from cxr_core.schema import label_words
from dashboard.shared import help_texts

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


def _view(entry: ModelEntry) -> str:
    return entry.view if entry.view in VIEWS else "other"
