"""Two trainings side by side over their seeds: what differs beyond what another seed, and other patients, would do."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import binary_truth
from cxr_core.evaluation.defined import class_patients, why_no_ranking
from cxr_core.evaluation.influence import auc_of_rows
from cxr_core.evaluation.landscape import auc_of_all
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.evaluation.seeds import (
    ASKED_DIFFERENCE,
    POWER,
    Floor,
    SeedDifference,
    Seeds,
    pooled_floor,
    seed_difference,
)
from cxr_core.schema import REPORT
from cxr_core.settings import settings
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.compare import shared_rows
from cxr_core.tasks.evaluate import joined_predictions, predicted, true_values
from cxr_core.tasks.seed_groups import Groups, trainings_by_seed


@dataclass(frozen=True)
class SeedComparison:
    """Trainings A and B, each the model that was named and those that differ from it in the seed alone.

    `labels` and `mean` are AUC(A) - AUC(B) over seeds and patients; `similar` are other trainings of several seeds,
    whose floor serves where A and B have one seed each.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    source: str
    dataset: str
    view: str | None
    judge: str
    labels: dict[str, SeedDifference]
    mean: SeedDifference
    similar: Groups
    n_images: int

    def as_json(self) -> dict[str, Any]:
        """Return what `seeds --json` prints."""
        return {
            "a": list(self.a),
            "b": list(self.b),
            "dataset": self.dataset,
            "view": self.view,
            "judge": self.judge,
            "n_images": self.n_images,
            "similar": [list(models) for models in self.similar],
            "asked_difference": ASKED_DIFFERENCE,
            "power": POWER,
            "mean": _as_json(self.mean),
            "labels": {label: _as_json(found) for label, found in self.labels.items()},
        }


def compare_seeds(
    source_name: str,
    a: str,
    b: str,
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
    groups: Groups | None = None,
) -> SeedComparison:
    """Compare two trainings by all models that differ from each in the seed alone and predict the same images.

    `groups` are `trainings_by_seed` of the source, where they are known.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set, view or judge.
        UsageError: the models predict no labelled image in common.
        TableError, WarehouseError: a table is damaged; the warehouse could not answer.
    """
    warehouse = ready_source(source_name).warehouse()
    there = {name for name in warehouse.prediction_tables() if dataset in warehouse.listed_table(name).datasets}
    listed = trainings_by_seed(source_name) if groups is None else groups
    known = [tuple(model for model in models if model in there) for models in listed]
    of_a, of_b = _group(a, known), _group(b, known)
    if of_a == of_b:  # the seed is all that differs
        of_a, of_b = (a,), (b,)
    similar = [models for models in known if len(models) > 1 and not {*models} & {*of_a, *of_b}]
    return _compared(source_name, of_a, of_b, similar, (dataset, view, judge))


def _compared(
    source_name: str,
    of_a: tuple[str, ...],
    of_b: tuple[str, ...],
    similar: list[tuple[str, ...]],
    where: tuple[str, str | None, str],
) -> SeedComparison:
    dataset, view, judge = where
    alone = len(of_a) == len(of_b) == 1
    models = [*of_a, *of_b]
    joined = [joined_predictions(source_name, model, dataset, view, judge) for model in models]
    frames = shared_rows(joined, models, dataset)
    labels = [label for label in joined[0].labels if all(label in one.labels for one in joined[1:])]
    floors = _floors(source_name, similar, where, frames[0]["path"], labels) if alone else {}
    patients = np.unique(frames[0]["patient"].to_numpy(), return_inverse=True)[1]
    found = {label: _Label.of(label, frames, patients) for label in labels}
    told = {label: one for label, one in found.items() if one is not None}
    differences = {
        label: seed_difference(*one.sides(len(of_a)), one.freedom, floors.get(label)) for label, one in told.items()
    }
    return SeedComparison(
        of_a,
        of_b,
        source_name,
        *where,
        differences,
        _mean(list(told.values()), len(of_a), floors.get("")),
        tuple(similar) if alone else (),
        len(frames[0]),
    )


@dataclass(frozen=True, eq=False)
class _Label:
    """The AUC of every model on one label (models,), what each patient adds to each (patients, models), and freedom."""

    areas: FloatArray
    influences: FloatArray
    freedom: float

    @staticmethod
    def of(label: str, frames: list[pd.DataFrame], patients: IntArray) -> "_Label | None":
        """Return the label's figures; None where it is not ranked or a prediction is missing."""
        mask, truth = binary_truth(true_values(frames[0], [label])[label])
        scores = np.stack([predicted(frame, [label])[label] for frame in frames])[:, mask]
        y, clusters = truth[mask], patients[mask]
        if why_no_ranking(y) or not np.isfinite(scores).all():
            return None
        rarer = class_patients(y, clusters).rarer
        count = int(patients.max()) + 1
        each = [sum_by_patient(auc_of_rows(ranking(y, one)), clusters, count) for one in scores]
        few = rarer < max(settings().minimum_positives, 2)
        return _Label(auc_of_all(y, scores), np.stack(each, axis=1), 0 if few else rarer - 1)

    def sides(self, of_a: int) -> tuple[Seeds, Seeds]:
        """Return A's figures and B's: the first `of_a` models, and the others."""
        parts = (slice(0, of_a), slice(of_a, None))
        a, b = (Seeds(self.areas[part], self.influences[:, part]) for part in parts)
        return a, b


def _mean(labels: list[_Label], of_a: int, known: Floor | None) -> SeedDifference:
    """Return the difference of the means over the labels; the freedom is Satterthwaite's over the labels' variances."""
    counted = [one for one in labels if one.freedom >= 1]
    if not counted:
        none = Seeds(np.zeros(1), np.zeros((1, 1)))
        return replace(seed_difference(none, none, 0), value=float("nan"))
    areas = np.mean([one.areas for one in counted], axis=0)
    influences = np.mean([one.influences for one in counted], axis=0)
    variances = np.array([np.square(one.influences[:, 0] - one.influences[:, -1]).sum() for one in counted])
    freedoms = np.array([one.freedom for one in counted])
    total = float(np.sum(variances**2 / freedoms))
    freedom = float(variances.sum() ** 2 / total) if total > 0 else float(freedoms.min())
    return seed_difference(*_Label(areas, influences, freedom).sides(of_a), freedom, known)


def _floors(
    source_name: str, similar: list[tuple[str, ...]], where: tuple[str, str | None, str], paths: Any, labels: list[str]
) -> dict[str, Floor]:
    """Return the floor of each label, and under "" of their mean, of trainings that predict the same images."""
    dataset, view, judge = where
    values: dict[str, list[FloatArray]] = {}
    for models in similar:
        joined = [joined_predictions(source_name, model, dataset, view, judge) for model in models]
        frames = [one.frame.sort_values("path", ignore_index=True) for one in joined]
        if not all(frame["path"].equals(paths.reset_index(drop=True)) for frame in frames):
            continue
        patients = np.unique(frames[0]["patient"].to_numpy(), return_inverse=True)[1]
        found = {label: _Label.of(label, frames, patients) for label in labels}
        areas = {label: one.areas for label, one in found.items() if one is not None}
        counted = [one.areas for one in found.values() if one is not None and one.freedom >= 1]
        for label, each in areas.items():
            values.setdefault(label, []).append(each)
        if counted:
            values.setdefault("", []).append(np.mean(counted, axis=0))
    floors = {label: pooled_floor(groups) for label, groups in values.items()}
    return {label: floor for label, floor in floors.items() if floor is not None}


def _group(model: str, groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    return next((models for models in groups if model in models), (model,))


def _as_json(found: SeedDifference) -> dict[str, Any]:
    return {
        "difference": None if np.isnan(found.value) else found.value,
        "seeds": list(found.seeds),
        "ci": bounds_as_json(found.ci),
        "p": found.p,
        "sd_of_seeds": None if found.floor is None else found.floor.sd,
        "sd_freedom": None if found.floor is None else found.floor.freedom,
        "error_seeds": found.error_seeds,
        "error_patients": found.error_patients,
        "seeds_needed": found.seeds_needed,
        "why": found.why,
    }
