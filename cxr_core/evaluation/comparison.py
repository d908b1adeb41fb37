"""Is the difference of two models real? Paired differences of AUC on identical rows, corrected for many tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import FloatArray
from cxr_core.evaluation.binary import CertainRows, shared_certain_rows
from cxr_core.evaluation.curves import roc_auc
from cxr_core.evaluation.defined import why_no_ranking
from cxr_core.evaluation.delong import delong_test
from cxr_core.evaluation.intervals import ClassPatients, Interval, bootstrap_p, class_patients, percentile_interval
from cxr_core.evaluation.labels import mean_difference, ranked
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.evaluation.weighted import bootstrap

_NO_VARIANCE = (
    "the difference is the same in every resample: both models rank the images alike, or each is perfect or reversed"
)


@dataclass(frozen=True)
class Differences:
    """The paired difference on each label, the mean difference, and how many tests Holm's correction counts."""

    labels: dict[str, LabelComparison]
    mean: MeanFigure
    tests: int


@dataclass(frozen=True)
class _Pair:
    """The certain rows of one label for both models, and why they cannot be compared."""

    a: CertainRows
    b: CertainRows

    @property
    def why(self) -> str | None:
        for which, rows in (("the first", self.a), ("the second", self.b)):
            if rows.why:
                return f"of {which} model {rows.why}"
        return why_no_ranking(self.a.y)


def compare_labels(
    values: Mapping[str, Any],
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    patients: Any,
    resamples: int,
    minimum: int,
) -> Differences:
    """Compare two models on every label that both have, on the same rows and the same resamples of the patients.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing.
        a: label -> predictions (n,) of the first model.
        b: label -> predictions (n,) of the second model on the same n rows.
        patients: (n,) the patient of each row.
        resamples: number of bootstrap resamples.
        minimum: fewest patients with a positive, and with a negative row, for which an interval or a p is given.

    Returns:
        AUC(a) - AUC(b) for each label; the family of Holm's correction is every label of this comparison with a p.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    labels = [label for label in a if label in b]
    pairs = [_Pair(*shared_certain_rows(values[label], [a[label], b[label]])) for label in labels]
    both = [ranked(rows, clusters, n_patients) for pair in pairs for rows in (pair.a, pair.b)]
    auc = bootstrap(both, n_patients, resamples)[:, :, 0]
    replicates = auc[:, 0::2] - auc[:, 1::2]
    counted = [class_patients(pair.a.y, clusters[pair.a.mask]) for pair in pairs]
    compared = [
        _compare(label, pair, replicates[:, column], counted[column], minimum)
        for column, (label, pair) in enumerate(zip(labels, pairs, strict=True))
    ]
    corrected = _with_holm(compared)
    tests = sum(c.p is not None for c in corrected)
    mean = mean_difference([c.difference for c in corrected], replicates, [count.rarer for count in counted])
    if mean.ci is not None and mean.ci[0] == mean.ci[1]:
        mean = replace(mean, ci=None, why=_NO_VARIANCE)
    return Differences({c.label: c for c in corrected}, mean, tests)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values after Holm's step-down correction (Holm 1979), in the order given, each at most 1."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(stepped, 1)
    return [float(value) for value in corrected]


def paired_answer(replicates: FloatArray, patients: int) -> tuple[Interval, float | None]:
    """Return the interval and the p of a difference from its `replicates` (resamples,), NaN where unusable.

    Args:
        replicates: the difference in each resample.
        patients: patients of the rarer class, two or more.

    Returns:
        No interval and no p, but the reason, when too many resamples are unusable, and when the difference is the
        same in all of them: without variance there is nothing to test.
    """
    interval = percentile_interval(replicates, patients)
    usable = replicates[~np.isnan(replicates)]
    if interval.ci is None:
        return interval, None
    if np.ptp(usable) == 0:
        return Interval(None, _NO_VARIANCE, interval.unusable), None
    return interval, bootstrap_p(usable, patients)


def _compare(label: str, pair: _Pair, replicates: FloatArray, counted: ClassPatients, minimum: int) -> LabelComparison:
    n = pair.a.n
    if pair.why:
        return LabelComparison(label, n, None, None, None, None, None, _all_figures(pair.why, "difference"))
    difference = _auc(pair.a) - _auc(pair.b)
    why_few = counted.why_no_interval(minimum)
    if why_few:
        return LabelComparison(label, n, difference, None, None, None, None, _all_figures(why_few))
    interval, p = paired_answer(replicates, counted.rarer)
    test = delong_test(pair.a.y, pair.a.scores, pair.b.scores)
    p_delong = test.p if test else None
    why = dict.fromkeys(("ci", "p", "p_corrected"), interval.why) if interval.why else {}
    if test and test.why:
        why["p_delong"] = test.why
    return LabelComparison(label, n, difference, interval.ci, p, None, p_delong, why)


def _auc(rows: CertainRows) -> float:
    auc = roc_auc(rows.y, rows.scores)
    assert auc is not None, "why_no_roc was asked before"
    return auc


def _all_figures(why: str, *more: str) -> dict[str, str]:
    return dict.fromkeys((*more, "ci", "p", "p_corrected", "p_delong"), why)


def _with_holm(compared: list[LabelComparison]) -> list[LabelComparison]:
    p_values = [c.p for c in compared if c.p is not None]
    corrected = iter(holm(p_values))
    return [c if c.p is None else replace(c, p_corrected=next(corrected)) for c in compared]
