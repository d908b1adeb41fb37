"""The one door to the engine: what the pages ask, and what is kept of it for all sessions together.

Each answer stands under the stamp of everything that it came from (`source_state`), which is looked at when a page is
drawn: once a table changes, the next page shows it. Answers are shared: nobody changes what he is given.
"""

from typing import Any

import pandas as pd

from cxr_core.evaluation.effects import Effects
from cxr_core.models.listing import ModelEntry
from cxr_core.schema import REPORT
from cxr_core.sources.registry import get_source
from cxr_core.tasks import across_sources as across
from cxr_core.tasks import compare as comparing
from cxr_core.tasks import distribution as labels
from cxr_core.tasks import effects as treatments
from cxr_core.tasks import ensemble as ensembles
from cxr_core.tasks import evaluate as evaluating
from cxr_core.tasks import grid as grids
from cxr_core.tasks import meaning as meanings
from cxr_core.tasks import meaning_by_model as by_model
from cxr_core.tasks import policies
from cxr_core.tasks import subgroups as splitting
from cxr_core.tasks.judging import judges as judges_of
from cxr_core.tasks.models import models as list_models
from cxr_core.tasks.picked_films import PickedFilms, count_picked
from cxr_core.tasks.policy_search import search_state
from cxr_core.tasks.reader_differences import OfReaders
from cxr_core.tasks.reader_differences import reader_differences as differences_of
from cxr_core.tasks.sources import connect_anew
from cxr_core.tasks.sources import refresh as forget_answers
from cxr_core.tasks.state import SourceState, source_state
from cxr_core.tasks.two_judges import TwoJudges
from cxr_core.tasks.two_judges import two_judges as judge_beside
from dashboard.shared.asked import asked, computed, is_kept
from dashboard.shared.waiting import Show


def label_overview(source: str, view: str | None) -> labels.LabelOverview:
    """Return what is in the label tables."""
    return asked(labels.label_overview, source, view)


def reading_sets(source: str) -> list[str]:
    """Return the names of the sets of readings."""
    return asked(meanings.reading_sets, source)


def meaning(source: str, set_name: str, dataset: str | None, view: str | None) -> meanings.Meaning:
    """Return what the readers of a set say of the images of each label value."""
    return computed(meanings.meaning, source, set_name, dataset, view, of=())


def meaning_by_model(
    source: str, model: str, set_name: str | None, dataset: str | None, view: str | None
) -> by_model.MeaningByModel:
    """Return what a model adds to the meaning of the labels."""
    return computed(by_model.meaning_by_model, source, model, set_name, dataset, view, of=(model,))


def cooccurrence(source: str, view: str | None, value: str, dataset: str | None) -> pd.DataFrame:
    """Return the 14 x 14 square of images on which two labels have `value`."""
    return asked(labels.cooccurrence, source, view, value, dataset)


def shared_patients(source: str) -> int | None:
    """Return how many patients stand in more than one data set; None where that is not checked."""
    return asked(labels.shared_patients, source)


def unit_distribution(source: str, view: str | None, unit: str) -> pd.DataFrame:
    """Return the distribution over studies or patients."""
    return asked(labels.unit_distribution, source, view, unit)


def refresh(source: str) -> None:
    """Forget what was answered about a source that others may change without a trace: ask everything again."""
    forget_answers(source)
    connect_anew()


def models(source: str) -> list[ModelEntry]:
    """Return the models of a source, sorted by name."""
    return asked(list_models, source, of=None)


def ensemble_names(source: str) -> set[str]:
    """Return which of the models are ensembles."""
    return {entry.name for entry in models(source) if entry.is_ensemble}


def told_of_model(source: str, model: str) -> dict[str, Any]:
    """Return what a model's prediction table tells of it: its run, or the recipe of an ensemble."""
    return asked(_told_of_model, source, model, of=(model,))


def judges(source: str) -> list[str]:
    """Return who can judge the models of a source."""
    return asked(_judges, source)


def picked_films(source: str, set_name: str) -> PickedFilms:
    """Return how many readings of a set are no part of a sample."""
    return asked(count_picked, source, set_name)


def evaluation(
    source: str, model: str, dataset: str, view: str | None, judge: str = REPORT, show: Show | None = None
) -> evaluating.Evaluation:
    """Return a model's figures on all its labels; `show` draws those of the labels that are there before."""
    return computed(evaluating.evaluate, source, model, dataset, view, judge, of=(model,), show=show)


def evaluation_of_label(
    source: str, model: str, label: str, dataset: str, view: str | None, judge: str = REPORT
) -> evaluating.Evaluation:
    """Return a model's figures on all its labels where they are there, else on one, which is there much sooner."""
    if is_kept(evaluating.evaluate, source, model, dataset, view, judge, of=(model,)):
        return evaluation(source, model, dataset, view, judge)
    return computed(evaluating.evaluate_label, source, model, label, dataset, view, judge, of=(model,))


def ways_to_split(source: str) -> list[str]:
    """Return what the images of a source can be split by."""
    return asked(splitting.ways_to_split, source)


def subgroups(
    source: str,
    model: str,
    label: str,
    by: str,
    dataset: str,
    view: str | None,
    threshold: float | None,
    judge: str = REPORT,
) -> splitting.Subgroups:
    """Return the figures of one label of a model in each group of images."""
    return computed(splitting.subgroups, source, model, label, by, dataset, view, threshold, judge, of=(model,))


def model_grid(
    source: str,
    models: tuple[str, ...],
    dataset: str,
    view: str | None,
    figure: str,
    judge: str = REPORT,
    show: Show | None = None,
) -> grids.ModelGrid:
    """Return a figure of each model on each label, with the best and those that cannot be told from it.

    `show` draws the cells of the labels that are there before all are.
    """
    return computed(grids.model_grid, source, models, dataset, view, figure, judge, of=models, show=show)


def across_sources(
    source: str, models: tuple[str, ...], judges: tuple[str, ...], dataset: str, figure: str, also_in: tuple[str, ...]
) -> across.AcrossSources:
    """Return a figure of each model by each judge, on this source and on others."""
    if also_in:  # their tables have stamps of their own, which nobody asks here: it is not kept
        return across.across_sources(source, models, judges, dataset, None, figure, also_in)
    return computed(across.across_sources, source, models, judges, dataset, None, figure, of=models)


def effects(source: str, models: tuple[str, ...], baseline: str, label: str, dataset: str, view: str | None) -> Effects:
    """Return what u and w did to the predictions of one label."""
    return computed(
        treatments.treatment_effects, source, models, baseline, label, dataset, view, of=(*models, baseline)
    )


def comparison(
    source: str, a: str, b: str, dataset: str, view: str | None, judge: str = REPORT, show: Show | None = None
) -> comparing.Comparison:
    """Return the paired differences of two models; `show` draws those of the labels that are there before all are."""
    return computed(comparing.compare, source, a, b, dataset, view, judge, of=(a, b), show=show)


def policy_landscape(source: str, model: str, judge: str) -> policies.PolicyLandscape | None:
    """Return what heads on the features of a model say of u and w; None before they were tried."""
    state = search_state(source, model)
    return computed(_policy_landscape, source, model, judge, state, of=())


def two_judges(
    source: str, models: tuple[str, ...], judges: tuple[str, str], dataset: str, figure: str, label: str | None
) -> TwoJudges:
    """Return a figure of each model by either of two judges, and how alike they rank the models."""
    return computed(judge_beside, source, models, judges, dataset, None, figure, label, of=models)


def reader_differences(source: str, model: str, label: str, dataset: str, view: str | None, judge: str) -> OfReaders:
    """Return how much more a model finds of a label than each reader, at the reader's specificity."""
    return computed(differences_of, source, model, dataset, view, judge, label, of=(model,)).get(label, {})


def ensemble_preview(
    source: str, members: tuple[str, ...], method: str, dataset: str, view: str | None, by: str
) -> ensembles.EnsemblePreview:
    """Return an unsaved ensemble beside its members."""
    return computed(ensembles.preview_ensemble, source, members, method, dataset, view, by, of=members)


def state(source: str, models: tuple[str, ...] = ()) -> SourceState:
    """Return how the label tables and the prediction tables of some models stand."""
    return source_state(source, models)


def _told_of_model(source: str, model: str) -> dict[str, Any]:
    return get_source(source).warehouse().prediction_info(model)[1].metadata


def _policy_landscape(source: str, model: str, judge: str, _state: str) -> policies.PolicyLandscape | None:
    return policies.policy_landscape(source, model, judge)


def _judges(source: str) -> list[str]:
    return judges_of(get_source(source))
