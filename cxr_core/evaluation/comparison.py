"""Is the difference of two models real? Paired differences of AUC on identical rows, corrected for many tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import FloatArray
from cxr_core.evaluation.binary import CertainRows, certain_rows
from cxr_core.evaluation.curves import roc_auc, why_no_roc
from cxr_core.evaluation.delong import delong_test
from cxr_core.evaluation.intervals import Interval, percentile_interval, why_no_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.evaluation.weighted import bootstrap, rank_rows

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
        return why_no_roc(self.a.y)


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
        minimum: fewest positives, negatives and patients for which an interval or a p is given.

    Returns:
        AUC(a) - AUC(b) for each label; the family of Holm's correction is every label of this comparison with a p.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    clusters, n_patients = patient_clusters(patients)
    labels = [label for label in a if label in b]
    pairs = [_Pair(certain_rows(values[label], a[label]), certain_rows(values[label], b[label])) for label in labels]
    ranked = [
        rank_rows(rows.y, np.zeros(rows.n) if pair.why else rows.scores, clusters[rows.mask], n_patients)
        for pair in pairs
        for rows in (pair.a, pair.b)
    ]
    auc = bootstrap(ranked, n_patients, resamples)[:, :, 0]
    replicates = auc[:, 0::2] - auc[:, 1::2]
    compared = [
        _compare(label, pair, replicates[:, column], why_no_interval(pair.a.y, clusters[pair.a.mask], minimum))
        for column, (label, pair) in enumerate(zip(labels, pairs, strict=True))
    ]
    corrected = _with_holm(compared)
    tests = sum(c.p is not None for c in corrected)
    return Differences({c.label: c for c in corrected}, _mean_difference(corrected, replicates), tests)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values after Holm's step-down correction (Holm 1979), in the order given, each at most 1."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(stepped, 1)
    return [float(value) for value in corrected]


def bootstrap_p(replicates: FloatArray) -> float:
    """Return the two-sided p of "no difference" from the usable replicates (k,) of a difference.

    p = 2 min(#(d <= 0) + 1, #(d >= 0) + 1) / (k + 1), at most 1: the percentile interval inverted, with the + 1 of
    Davison & Hinkley (1997, section 4.2), so that it is never 0. With k = 1000 the smallest possible p is 0.002.
    """
    below, above = np.count_nonzero(replicates <= 0), np.count_nonzero(replicates >= 0)
    return float(min(1.0, 2 * (min(below, above) + 1) / (replicates.size + 1)))


def _compare(label: str, pair: _Pair, replicates: FloatArray, why_few: str | None) -> LabelComparison:
    n = pair.a.n
    if pair.why:
        return LabelComparison(label, n, None, None, None, None, None, _all_figures(pair.why, "difference"))
    difference = _auc(pair.a) - _auc(pair.b)
    if why_few:
        return LabelComparison(label, n, difference, None, None, None, None, _all_figures(why_few))
    interval, p = _bootstrap_answer(replicates)
    test = delong_test(pair.a.y, pair.a.scores, pair.b.scores)
    p_delong = test.p if test else None
    why = dict.fromkeys(("ci", "p", "p_corrected"), interval.why) if interval.why else {}
    if test and test.why:
        why["p_delong"] = test.why
    return LabelComparison(label, n, difference, interval.ci, p, None, p_delong, why)


def _bootstrap_answer(replicates: FloatArray) -> tuple[Interval, float | None]:
    interval = percentile_interval(replicates)
    usable = replicates[~np.isnan(replicates)]
    if interval.ci is None:
        return interval, None
    if np.ptp(usable) == 0:
        return Interval(None, _NO_VARIANCE, interval.unusable), None
    return interval, bootstrap_p(usable)


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


def _mean_difference(compared: list[LabelComparison], replicates: FloatArray) -> MeanFigure:
    defined = [column for column, c in enumerate(compared) if c.difference is not None]
    if not defined:
        return MeanFigure(None, None, 0, "it is defined on no label")
    value = float(np.mean([compared[column].difference for column in defined]))
    few = [compared[column] for column in defined if compared[column].why.get("ci", _NO_VARIANCE) != _NO_VARIANCE]
    if few:
        return MeanFigure(value, None, len(defined), f"{len(few)} of these labels have no interval")
    interval, _ = _bootstrap_answer(replicates[:, defined].mean(axis=1))
    return MeanFigure(value, interval.ci, len(defined), interval.why)
