"""Choosing a model, a label, a data set and a view, the same way on every page, by the same names in every address."""

from collections.abc import Sequence

import streamlit as st

from cxr_core.models.listing import ModelEntry
from cxr_core.schema import LABELS, TRAINING_VIEWS, label_words
from dashboard.charts.heatmap import FIGURE_WORDS
from dashboard.shared import engine, help_texts
from dashboard.shared.choices import Options, pick_one, select_one
from dashboard.shared.preferred import view_to_begin_with

DEFAULT_LABEL = "edema"
ALL_VIEWS = "all"


def listed_models(source: str) -> list[ModelEntry]:
    """Return the models of a source.

    What is shown while they are waited for has a place, so that nothing below it moves when they are there at once.
    """
    with st.empty():
        return engine.models(source)


def judged_models(entries: list[ModelEntry]) -> list[ModelEntry]:
    """Return the models that can be judged: those with predictions."""
    return [entry for entry in entries if entry.predictions]


def model_input(entries: list[ModelEntry], label: str, key: str) -> ModelEntry:
    """Show a list of models and return the one that was chosen; raises `UsageError` when it is not there any more."""
    by_name = {entry.name: entry for entry in entries}
    options = Options(list(by_name), key, what="model", where=" with predictions here")
    return by_name[select_one(label, options, next(iter(by_name)), help_texts.MODEL)]


def label_input(key: str) -> str:
    """Show the 14 labels and return the one that was chosen."""
    options = Options(LABELS, key, label_words, "label", former=(key,))
    return select_one("Label", options, DEFAULT_LABEL, help_texts.LABEL)


def dataset_input(datasets: tuple[str, ...], key: str) -> str:
    """Show the data sets that have predictions and return the one that was chosen; valid unless it is missing."""
    options = Options(datasets, key, label_words, "dataset", former=(key,))
    default = "valid" if "valid" in datasets else datasets[0]
    return pick_one("Data set", options, default, help_texts.DATASET)


def figure_input() -> str:
    """Show the figures by which models are compared and return the one that was chosen."""
    options = Options(list(FIGURE_WORDS), "figure", FIGURE_WORDS.__getitem__)
    return pick_one("Figure", options, "roc_auc", f"{help_texts.AUC} {help_texts.AP}")


def view_input(key: str, views: Sequence[str] = TRAINING_VIEWS, of_predictions: bool = True) -> str | None:
    """Show the views of which images can be picked; None means all, of `of_predictions` those that a model has."""
    usual, pinned = (ALL_VIEWS, False) if of_predictions else view_to_begin_with(views, ALL_VIEWS)
    options = Options((ALL_VIEWS, *views), key, label_words, "view", former=(key,), pinned=pinned)
    chosen = pick_one("View", options, usual, help_texts.VIEW_OF_PREDICTIONS)
    return None if chosen == ALL_VIEWS else chosen
