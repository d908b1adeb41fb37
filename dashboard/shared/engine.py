"""What is made of the engine's answers, kept until the tables behind them change or somebody asks for a refresh.

The warehouse keeps the answers themselves, so that two pages with the same question cost one query.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from cxr_core.evaluation.effects import Effects
from cxr_core.models.registry import ModelEntry
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.storage import is_remote
from cxr_core.tasks import compare as comparing
from cxr_core.tasks import distribution as labels
from cxr_core.tasks import effects as treatments
from cxr_core.tasks import ensemble as ensembles
from cxr_core.tasks import evaluate as evaluating
from cxr_core.tasks import grid as grids
from cxr_core.tasks import subgroups as splitting
from cxr_core.tasks.models import models as list_models
from cxr_core.tasks.sources import connect_anew
from cxr_core.tasks.sources import refresh as forget_answers

R = TypeVar("R")

#: Tables of BigQuery tell no time of change; their answers are asked again after this time, or a refresh.
KEPT_FOR = "24h"
MOST_ANSWERS = 200
#: Whole curves and joined tables; of a large source one takes some megabytes.
MOST_SHARED = 150
#: The stamps of the sources within `one_look`.
_STAMPS: ContextVar[dict[str, tuple[Any, ...]] | None] = ContextVar("stamps", default=None)


def label_overview(source: str, view: str | None) -> labels.LabelOverview:
    """Return what is in the label tables."""
    return _ask(labels.label_overview, source, view)


def cooccurrence(source: str, view: str | None, value: str, dataset: str | None) -> pd.DataFrame:
    """Return the 14 x 14 square of images on which two labels have `value`."""
    return _ask(labels.cooccurrence, source, view, value, dataset)


def unit_distribution(source: str, view: str | None, unit: str) -> pd.DataFrame:
    """Return the distribution over studies or patients."""
    return _ask(labels.unit_distribution, source, view, unit)


def estimated_bytes(source: str, view: str | None) -> int | None:
    """Return the bytes that BigQuery would read for the distribution."""
    return _ask(labels.estimated_bytes, source, view)


def refresh(source: str) -> None:
    """Forget what was answered about a source that others may change without a trace: ask everything again."""
    forget_answers(source)
    connect_anew()


def models(source: str) -> list[ModelEntry]:
    """Return the models of a source, sorted by name."""
    return _ask(list_models, source)


def ensemble_names(source: str) -> set[str]:
    """Return which of the models are ensembles."""
    return {entry.name for entry in models(source) if entry.is_ensemble}


def told_of_model(source: str, model: str) -> dict[str, Any]:
    """Return what a model's prediction table tells of it: its run, or the recipe of an ensemble."""
    return _ask(_told_of_model, source, model)


def evaluation(source: str, model: str, dataset: str, view: str | None) -> evaluating.Evaluation:
    """Return a model's figures on all its labels."""
    return _share(evaluating.evaluate, source, model, dataset, view)


def label_curves(source: str, model: str, label: str, dataset: str, view: str | None) -> evaluating.LabelCurves:
    """Return the curves of one label of a model; the tables are joined once for all its labels."""
    return _share(_label_curves, source, model, label, dataset, view)


def ways_to_split(source: str) -> list[str]:
    """Return what the images of a source can be split by."""
    return _ask(splitting.ways_to_split, source)


def subgroups(
    source: str, model: str, label: str, by: str, dataset: str, view: str | None, threshold: float | None
) -> splitting.Subgroups:
    """Return the figures of one label of a model in each group of images."""
    return _share(splitting.subgroups, source, model, label, by, dataset, view, threshold)


def model_grid(source: str, models: tuple[str, ...], dataset: str, view: str | None, figure: str) -> grids.ModelGrid:
    """Return a figure of each model on each label, with the best and those that cannot be told from it."""
    return _share(grids.model_grid, source, models, dataset, view, figure)


def effects(source: str, models: tuple[str, ...], baseline: str, label: str, dataset: str, view: str | None) -> Effects:
    """Return what u and w did to the predictions of one label."""
    return _share(treatments.treatment_effects, source, models, baseline, label, dataset, view)


def comparison(source: str, a: str, b: str, dataset: str, view: str | None) -> comparing.Comparison:
    """Return the paired differences of two models."""
    return _ask(comparing.compare, source, a, b, dataset, view)


def ensemble_preview(
    source: str, members: tuple[str, ...], method: str, dataset: str, view: str | None, by: str
) -> ensembles.EnsemblePreview:
    """Return an unsaved ensemble beside its members."""
    return _share(ensembles.preview_ensemble, source, members, method, dataset, view, by)


def _told_of_model(source: str, model: str) -> dict[str, Any]:
    return get_source(source).warehouse().prediction_table(model).metadata


def _label_curves(source: str, model: str, label: str, dataset: str, view: str | None) -> evaluating.LabelCurves:
    joined = _share(evaluating.joined_predictions, source, model, dataset, view)
    return evaluating.curves_of(joined, model, label)


def _share(task: Callable[..., R], source: str, *arguments: Any) -> R:
    """Ask like `_ask` for an answer that nobody changes: it is handed out as it is, where `_ask` copies it."""
    return _kept_whole(task.__qualname__, source, arguments, _stamp(source), task)


@st.cache_resource(max_entries=MOST_SHARED, show_spinner="Computing the figures …", show_time=True)
def _kept_whole(
    name: str, source: str, arguments: tuple[Any, ...], stamp: tuple[Any, ...], _task: Callable[..., R]
) -> R:
    return _task(source, *arguments)


def _ask(task: Callable[..., R], source: str, *arguments: Any) -> R:
    return _kept(task.__qualname__, source, arguments, _stamp(source), task)


@st.cache_data(max_entries=MOST_ANSWERS, ttl=KEPT_FOR, show_spinner="Asking the tables …", show_time=True)
def _kept(name: str, source: str, arguments: tuple[Any, ...], stamp: tuple[Any, ...], _task: Callable[..., R]) -> R:
    return _task(source, *arguments)


@contextmanager
def one_look() -> Iterator[None]:
    """Look at the tables of each source once for all that is asked within: what is drawn together is of one state."""
    if _STAMPS.get() is not None:
        yield
        return
    token = _STAMPS.set({})
    try:
        yield
    finally:
        _STAMPS.reset(token)


def _stamp(name: str) -> tuple[Any, ...]:
    """Return what changes when an answer may: tables are replaced, which changes their folder's time, or settings."""
    stamps = _STAMPS.get()
    if stamps is None:
        return _look(name)
    if name not in stamps:
        stamps[name] = _look(name)
    return stamps[name]


def _look(name: str) -> tuple[Any, ...]:
    source = get_source(name)
    places = (*source.tables.labels, *source.predictions)
    local = [Path(place) for place in places if place.endswith(".parquet") and not is_remote(place)]
    times = tuple(_changed(place) for path in local for place in (path, path.parent))
    refreshes = source.warehouse().refreshes
    chosen = settings()
    asked = (refreshes, chosen.bigquery_endpoint, chosen.gcs_endpoint)
    return (source.kind, source.tables.labels, times, asked, chosen.resamples, chosen.minimum_positives)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
