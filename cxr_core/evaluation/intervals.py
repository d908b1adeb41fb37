"""95 % intervals by the patient-cluster bootstrap.

Images of one patient are alike, so whole patients are drawn with replacement, not images (Field & Welsh 2007). A draw
is kept as one integer weight per patient: a label is sorted once, and each resample is a weighted cumulative sum over
the sorted rows, equal to computing the figure anew on the repeated rows. The seed is fixed, so the same question gets
the same answer, and since the draws depend on nothing but the number of patients, all labels and all models that are
judged on the same patients are judged on the same resamples: differences and means can be taken resample by resample.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.curves import falling_order
from cxr_core.evaluation.results import Bounds

#: Seed of every bootstrap: the year of the label tables.
SEED = 2019
#: Share of resamples inside an interval.
CONFIDENCE = 0.95
#: An interval is refused when more than this share of the resamples lack a class: what is left is not a fair sample.
LARGEST_UNUSABLE_SHARE = 0.05

# Elements of one (rows x resamples) block: 0.5 MB an array stays in a core's cache; measured twice as fast as 8 MB.
_BLOCK_ELEMENTS = 2**16


@dataclass(frozen=True)
class RankedRows:
    """One label of one model, ready to be weighted: n rows from the largest score down.

    `clusters` (n,) is each row's patient as an index, `y` (n, 1) its truth, `ends` the last row of each tie group.
    """

    clusters: IntArray
    y: IntArray
    ends: IntArray


@dataclass(frozen=True)
class Interval:
    """A percentile interval, or None with the reason; `unusable` counts the resamples without both classes."""

    ci: Bounds | None
    why: str | None
    unusable: int


def patient_clusters(patients: Any) -> tuple[IntArray, int]:
    """Return each row's patient as an index into the sorted patients, shape (n,), and the number of patients."""
    unique, clusters = np.unique(np.asarray(patients), return_inverse=True)
    return clusters.astype(np.int64), unique.size


def rank_rows(y: IntArray, scores: FloatArray, clusters: IntArray) -> RankedRows:
    """Sort the certain rows of a label by falling score; all three arrays have shape (n,), scores are finite."""
    order, ends = falling_order(scores)
    return RankedRows(clusters[order], y[order][:, None], ends)


def weighted_figures(rows: RankedRows, weights: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return AUC and AP, each of shape (k,), for k integer weightings of the patients.

    Args:
        rows: the ranked rows.
        weights: (patients, k) how often each patient is drawn.

    Returns:
        The figures on the repeated rows; NaN where a resample has one class only.
    """
    drawn = weights[rows.clusters]
    tp = np.cumsum(drawn * rows.y, axis=0)[rows.ends]
    called = np.cumsum(drawn, axis=0)[rows.ends]
    new_tp = np.diff(tp, axis=0, prepend=0)
    new_fp = np.diff(called, axis=0, prepend=0) - new_tp
    positives, negatives = tp[-1], called[-1] - tp[-1]
    usable = (positives > 0) & (negatives > 0)
    doubled = np.sum(new_fp * (2 * tp - new_tp), axis=0)
    steps = np.sum(new_tp * (tp / np.maximum(called, 1)), axis=0)
    return _ratio(doubled, 2 * positives * negatives, usable), _ratio(steps, positives, usable)


def patient_weights(patients: int, resamples: int, block: int, seed: int = SEED) -> Iterator[IntArray]:
    """Yield the draws as arrays (patients, up to `block`); the draws do not depend on the size of the blocks."""
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, block):
        k = min(block, resamples - start)
        drawn = generator.integers(patients, size=(k, patients)) + patients * np.arange(k)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=k * patients).reshape(k, patients)
        yield np.ascontiguousarray(counts.T)


def bootstrap(ranked: Sequence[RankedRows], patients: int, resamples: int) -> FloatArray:
    """Return AUC and AP of every ranked set on the same resamples of the patients.

    Memory stays bounded: blocks of resamples are worked off one after the other.

    Returns:
        (resamples, len(ranked), 2), the last axis AUC and AP; NaN where a resample has one class only.
    """
    replicates = np.full((resamples, len(ranked), 2), np.nan)
    longest = max((rows.clusters.size for rows in ranked), default=0)
    if longest == 0:
        return replicates
    start = 0
    for weights in patient_weights(patients, resamples, max(8, _BLOCK_ELEMENTS // longest)):
        stop = start + weights.shape[1]
        for column, rows in enumerate(ranked):
            if rows.clusters.size:
                replicates[start:stop, column] = np.column_stack(weighted_figures(rows, weights))
        start = stop
    return replicates


def why_no_interval(y: IntArray, clusters: IntArray, minimum: int) -> str | None:
    """Return why the rows are too few for an interval (fewer than `minimum` of a class, or patients), or None."""
    found = {"positives": int(y.sum()), "negatives": int(y.size - y.sum()), "patients": np.unique(clusters).size}
    few = [f"{count} {what}" for what, count in found.items() if count < minimum]
    return f"only {' and '.join(few)}; an interval needs at least {minimum} of each" if few else None


def percentile_interval(replicates: FloatArray) -> Interval:
    """Return the 95 % percentile interval of a figure's `replicates` (resamples,), NaN for unusable resamples.

    Bounds are the 2.5 % and 97.5 % quantiles with linear interpolation (Efron & Tibshirani 1993, section 13.3).
    """
    usable = replicates[~np.isnan(replicates)]
    unusable = replicates.size - usable.size
    if unusable > LARGEST_UNUSABLE_SHARE * replicates.size:
        why = f"{unusable} of {replicates.size} resamples have one class only: one class is of few patients"
        return Interval(None, why, unusable)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval((float(low), float(high)), None, unusable)


def _ratio(numerator: Any, denominator: IntArray, usable: BoolArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.full(usable.shape, np.nan), where=usable)
