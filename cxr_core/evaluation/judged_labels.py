"""Labels of models as they are judged: each sorted once, in as many threads as there are cores.

Whatever is asked of a label (figures, intervals, means, the tests of a grid) is made of what is found here.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.areas import Area, areas
from cxr_core.evaluation.binary import CertainRows, shared_certain_rows
from cxr_core.evaluation.defined import ALL_EQUAL, ClassPatients, class_patients, why_no_ranking
from cxr_core.evaluation.intervals import FEWEST_FOR_FORMULA
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import AUTO, BOOTSTRAP, FORMULA
from cxr_core.evaluation.weighted import RankedRows, bootstrap, steps_of
from cxr_core.progress import each_told


@dataclass(frozen=True, eq=False)
class JudgedLabel:
    """One label of one model: what was counted, and its `areas` by the names of the figures; empty where `why` says so.

    `why_no_auc_interval` is the reason for which an AUC that is defined says nothing of other patients. `replicates`
    (resamples, figures) are there where resamples were asked for.
    """

    n: int
    n_positive: int
    uncertain: int
    missing: int
    first_missing: int | None
    counted: ClassPatients
    why: str | None
    why_no_auc_interval: str | None = None
    areas: dict[str, Area] = field(default_factory=dict)
    replicates: FloatArray | None = None


JudgedModels = dict[str, dict[str, JudgedLabel]]
#: Hears of a label and what was found of it, by model.
FoundLabel = Callable[[str, dict[str, JudgedLabel]], None]


def judge_labels(
    values: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    patients: Any,
    resamples: int,
    minimum: int,
    method: str = AUTO,
    found_label: FoundLabel = lambda label, judged: None,
) -> JudgedModels:
    """Judge models that predict the same n rows; those of a label are the same for all models that have it.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing.
        models: model -> label -> predictions (n,) as stored.
        patients: (n,) the patient of each row, of any type that sorts.
        resamples: how often the patients of a label are resampled, where the method asks for it.
        minimum: fewest patients of each class for which an interval is given; below, `AUTO` resamples in vain.
        method: `FORMULA`, `BOOTSTRAP`, or `AUTO`: the bootstrap below `FEWEST_FOR_FORMULA` patients of a class.
        found_label: hears of each label as soon as it is judged, but for those that are resampled for any model.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    few = _resampled_with(method, minimum)
    labels = list(dict.fromkeys(label for of_model in models.values() for label in of_model))
    having = {label: [model for model, of_model in models.items() if label in of_model] for label in labels}

    def judged(label: str) -> list[tuple[JudgedLabel, RankedRows | None]]:
        rows = shared_certain_rows(values[label], [models[model][label] for model in having[label]])
        return [_judged(one, clusters[one.mask], n_patients, few) for one in rows]

    def found(label: str, ones: list[tuple[JudgedLabel, RankedRows | None]]) -> None:
        if not any(steps for _, steps in ones):
            found_label(label, {model: one for model, (one, _) in zip(having[label], ones, strict=True)})

    each = dict(zip(labels, each_told("Labels", judged, labels, found), strict=True))
    all_found = {(m, label): one for label in labels for m, one in zip(having[label], each[label], strict=True)}
    all_found = _resampled(all_found, n_patients, resamples)
    return {model: {label: all_found[model, label][0] for label in of_model} for model, of_model in models.items()}


def _resampled_with(method: str, minimum: int) -> range:
    """Return with how many patients of the rarer class a label is resampled."""
    ranges = {FORMULA: range(0), BOOTSTRAP: range(sys.maxsize), AUTO: range(max(minimum, 2), FEWEST_FOR_FORMULA)}
    return ranges[method]


def _judged(rows: CertainRows, clusters: IntArray, patients: int, few: range) -> tuple[JudgedLabel, RankedRows | None]:
    counted, why = class_patients(rows.y, clusters), rows.why or why_no_ranking(rows.y)
    base = (rows.n, rows.positives, rows.uncertain, rows.left_out.n, rows.left_out.first, counted, why)
    if not rows.n:
        return JudgedLabel(*base), None
    ranked = ranking(rows.y, rows.scores)
    steps = steps_of(ranked, clusters, patients) if counted.rarer in few else None
    if why:
        return JudgedLabel(*base), steps
    found = areas(ranked, clusters, counted, patients)
    return JudgedLabel(*base, ALL_EQUAL if ranked.ends.size == 1 else None, found), steps


def _resampled(
    found: Mapping[Any, tuple[JudgedLabel, RankedRows | None]], patients: int, resamples: int
) -> dict[Any, tuple[JudgedLabel, RankedRows | None]]:
    """Add the replicates of the labels that are to be resampled, on the same resamples for all of them."""
    ranked = {key: steps for key, (_, steps) in found.items() if steps is not None}
    replicates = bootstrap(list(ranked.values()), patients, resamples)
    columns = {key: replicates[:, column] for column, key in enumerate(ranked)}
    return {key: (replace(one, replicates=columns.get(key)), None) for key, (one, _) in found.items()}
