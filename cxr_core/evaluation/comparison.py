"""Is the difference of two models real? Paired differences of AUC on identical rows, corrected for many tests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import CertainRows, shared_certain_rows
from cxr_core.evaluation.curves import ranked_auc
from cxr_core.evaluation.defined import ClassPatients, class_patients, why_no_mean_interval, why_no_ranking
from cxr_core.evaluation.delong import DelongTest, delong_of_rows
from cxr_core.evaluation.influence import auc_of_rows
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import FORMULA, LabelComparison, MeanFigure
from cxr_core.evaluation.simultaneous import (
    NO_VARIANCE,
    Difference,
    clustered,
    clustered_mean,
    holm_corrected,
)
from cxr_core.progress import each_told, hand_over

_INTERVAL_FIGURES = ("ci", "p", "p_corrected", "ci_corrected")


@dataclass(frozen=True)
class Differences:
    """The paired difference on each label, the mean difference, and how many tests Holm's correction counts.

    The mean's interval is one of its own, not corrected for the labels.
    """

    labels: dict[str, LabelComparison]
    mean: MeanFigure
    tests: int


@dataclass(frozen=True, eq=False)
class _Pair:
    """One label of two models on the same n rows: AUC(a) - AUC(b), None where `why` says so, and who moves it.

    `influence` (patients,) is each patient's on the difference, `delong` the test that takes rows as independent.
    """

    n: int
    counted: ClassPatients
    why: str | None
    difference: float | None = None
    influence: FloatArray | None = None
    delong: DelongTest | None = None


def compare_labels(
    values: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any], patients: Any, minimum: int
) -> Differences:
    """Compare two models on every label that both have, on the same rows.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing.
        a: label -> predictions (n,) of the first model.
        b: label -> predictions (n,) of the second model on the same n rows.
        patients: (n,) the patient of each row.
        minimum: fewest patients with a positive, and with a negative row, for which an interval or a p is given.

    Returns:
        AUC(a) - AUC(b) for each label; the family of Holm's correction is every label of this comparison with a p.
        Each label is handed over as soon as it is there (`progress.hand_over`), not yet corrected.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    labels = [label for label in a if label in b]
    pairs: dict[str, _Pair] = {}
    found: dict[str, Difference | None] = {}
    compared: dict[str, LabelComparison] = {}

    def told(label: str, pair: _Pair) -> None:
        pairs[label], found[label] = pair, _tested(pair, minimum)
        compared[label] = _compared(label, pair, found[label], minimum)
        hand_over(compared[label])

    each_told("Labels", lambda label: _pair(values[label], a[label], b[label], clusters, n_patients), labels, told)
    influences = {label: pair.influence for label, pair in pairs.items() if pair.influence is not None}
    tested = {label: difference for label, difference in found.items() if difference is not None}
    return Differences(compared | _corrected(compared, tested), _mean(pairs, influences, minimum), len(tested))


def _pair(values: Any, a: Any, b: Any, clusters: IntArray, patients: int) -> _Pair:
    first, second = shared_certain_rows(values, [a, b])
    of_rows = clusters[first.mask]
    counted = class_patients(first.y, of_rows)
    why = _why_not(first, second)
    if why:
        return _Pair(first.n, counted, why)
    ranked = ranking(first.y, first.scores), ranking(second.y, second.scores)
    moved = auc_of_rows(ranked[0]) - auc_of_rows(ranked[1])
    difference = ranked_auc(ranked[0]) - ranked_auc(ranked[1])
    rarer_rows = min(ranked[0].positives, ranked[0].negatives)
    delong = delong_of_rows(difference, moved, ranked[0].truth) if rarer_rows > 1 else None
    return _Pair(first.n, counted, None, difference, sum_by_patient(moved, of_rows, patients), delong)


def _tested(pair: _Pair, minimum: int) -> Difference | None:
    """Return the difference with its error; None where it is not tested."""
    if pair.influence is None or pair.counted.why_no_interval(max(minimum, 2)):
        return None
    return clustered(pair.difference or 0.0, pair.influence, pair.counted.rarer)


def _why_not(first: CertainRows, second: CertainRows) -> str | None:
    """Why two models cannot be compared at all, or None."""
    for which, rows in (("the first", first), ("the second", second)):
        if rows.why:
            return f"of {which} model {rows.why}"
    return why_no_ranking(first.y)


def _compared(label: str, pair: _Pair, found: Difference | None, minimum: int) -> LabelComparison:
    """Return the comparison of one label, not yet corrected."""
    if pair.why:
        return _untested(label, pair, None, dict.fromkeys(("difference", *_INTERVAL_FIGURES, "p_delong"), pair.why))
    why_few = pair.counted.why_no_interval(max(minimum, 2))
    if why_few:
        return _untested(label, pair, None, dict.fromkeys((*_INTERVAL_FIGURES, "p_delong"), why_few))
    test = pair.delong
    why = {"p_delong": test.why} if test and test.why else {}
    p_delong = test.p if test else None
    if found is None:
        return _untested(label, pair, p_delong, dict.fromkeys(_INTERVAL_FIGURES, NO_VARIANCE) | why)
    return LabelComparison(label, pair.n, found.value, found.interval(), found.p, None, p_delong, why)


def _untested(label: str, pair: _Pair, p_delong: float | None, why: dict[str, str]) -> LabelComparison:
    return LabelComparison(label, pair.n, pair.difference, None, None, None, p_delong, why)


def _corrected(compared: Mapping[str, LabelComparison], tested: Mapping[str, Difference]) -> dict[str, LabelComparison]:
    return {
        label: replace(compared[label], p_corrected=p, ci_corrected=ends)
        for label, (p, ends) in holm_corrected(tested).items()
    }


def _mean(pairs: Mapping[str, _Pair], influences: Mapping[str, FloatArray], minimum: int) -> MeanFigure:
    """Return the mean difference over the labels on which it is defined, with its interval."""
    if not influences:
        return MeanFigure(None, None, 0, "it is defined on no label")
    value = float(np.mean([pairs[label].difference or 0.0 for label in influences]))
    rarer = np.array([pairs[label].counted.rarer for label in influences])
    why = why_no_mean_interval(rarer, minimum)
    if why:
        return MeanFigure(value, None, rarer.size, why)
    moved = np.stack(list(influences.values()))
    found = clustered_mean(value, moved @ moved.T, rarer)
    if found is None:
        return MeanFigure(value, None, rarer.size, NO_VARIANCE)
    return MeanFigure(value, found.interval(), rarer.size, ci_method=FORMULA)
