"""Choosing a model, a label, a data set and a view, the same way on every page."""

import streamlit as st

from cxr_core.models.registry import ModelEntry
from cxr_core.schema import LABELS, TRAINING_VIEWS, label_words
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared import help_texts

DEFAULT_LABEL = "edema"


def judged_models(entries: list[ModelEntry]) -> list[ModelEntry]:
    """Return the models that can be judged: those with predictions."""
    return [entry for entry in entries if entry.predictions]


def model_input(entries: list[ModelEntry], label: str, key: str) -> ModelEntry:
    """Show a list of models and return the one that was chosen."""
    by_name = {entry.name: entry for entry in entries}
    chosen = st.selectbox(label, list(by_name), key=key, bind="query-params", help=help_texts.MODEL)
    return by_name[chosen]


def label_input(key: str) -> str:
    """Show the 14 labels and return the one that was chosen."""
    return st.selectbox(
        "Label",
        LABELS,
        index=LABELS.index(DEFAULT_LABEL),
        format_func=label_words,
        key=key,
        bind="query-params",
        help=help_texts.LABEL,
    )


def dataset_input(datasets: tuple[str, ...], key: str) -> str:
    """Show the data sets that have predictions and return the one that was chosen; valid unless it is missing."""
    default = "valid" if "valid" in datasets else datasets[0]
    chosen = st.segmented_control(
        "Data set",
        datasets,
        default=default,
        required=True,
        format_func=label_words,
        key=key,
        bind="query-params",
        help=help_texts.DATASET,
    )
    return chosen or default


def figure_input() -> str:
    """Show the figures by which models are compared and return the one that was chosen."""
    chosen = st.segmented_control(
        "Figure",
        FIGURE_WORDS,
        default="roc_auc",
        required=True,
        format_func=FIGURE_WORDS.__getitem__,
        key="figure",
        bind="query-params",
        help=f"{help_texts.AUC} {help_texts.AP}",
    )
    return chosen or "roc_auc"


def view_input(key: str) -> str | None:
    """Show the views of which a model's images can be picked; None means all that it predicted."""
    options = ("all", *TRAINING_VIEWS)
    chosen = st.segmented_control(
        "View",
        options,
        default="all",
        required=True,
        format_func=label_words,
        key=key,
        bind="query-params",
        help=help_texts.VIEW_OF_PREDICTIONS,
    )
    return None if chosen in (None, "all") else chosen
