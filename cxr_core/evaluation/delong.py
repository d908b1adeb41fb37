"""DeLong's variance of an AUC and his paired test, in O(n log n) by midranks (Sun & Xu 2014).

The quick interval-free answer: images are taken as independent, which several images of one patient are not, so the
patient-cluster bootstrap stays the primary one.
"""

from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray, as_scores
from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.results import Bounds

_Z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)


@dataclass(frozen=True)
class DelongTest:
    """The paired test of AUC(a) = AUC(b): `z` and two-sided `p` are None where `why` says that they are undefined."""

    difference: float
    standard_error: float
    z: float | None
    p: float | None
    why: str | None = None


def midranks(values: FloatArray) -> FloatArray:
    """Return the ranks 1 … n of `values` (n,), tied values sharing the mean of their ranks."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[group]


def delong_variance(y: Any, scores: Any) -> float | None:
    """Return the variance of the AUC of `scores` (n,) on truth `y` (n,), or None below two rows of either class.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if _too_few(y):
        return None
    return _variance(*placements(y, scores))


def delong_interval(y: Any, scores: Any) -> Bounds | None:
    """Return the 95 % normal interval of the AUC, cut to [0, 1] as pROC does, or None below two rows of either class.

    Images are taken as independent.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if _too_few(y):
        return None
    of_positives, of_negatives = placements(y, scores)
    auc, half = float(np.mean(of_positives)), _Z * sqrt(_variance(of_positives, of_negatives))
    return max(0.0, auc - half), min(1.0, auc + half)


def delong_test(y: Any, a: Any, b: Any) -> DelongTest | None:
    """Test whether two models' predictions on the same rows have the same AUC (DeLong et al. 1988).

    Args:
        y: (n,) truth, 0 or 1.
        a: (n,) predictions of the first model.
        b: (n,) predictions of the second model on the same rows.

    Returns:
        The test of AUC(a) - AUC(b), or None below two rows of either class.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, a, b = np.asarray(y, dtype=np.int64), as_scores(a), as_scores(b)
    if _too_few(y):
        return None
    (positives_a, negatives_a), (positives_b, negatives_b) = placements(y, a), placements(y, b)
    # The variance of the difference from the placements' differences: exactly 0 for models that rank alike.
    error = sqrt(_variance(positives_a - positives_b, negatives_a - negatives_b))
    difference = float(np.mean(positives_a) - np.mean(positives_b))
    if error == 0:
        return DelongTest(
            difference, 0.0, None, None, "the difference has no variance: both models rank the images alike"
        )
    z = difference / error
    return DelongTest(difference, error, z, erfc(abs(z) / sqrt(2)))


def _too_few(y: IntArray) -> bool:
    return min(y.sum(), y.size - y.sum()) < 2


def placements(y: IntArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, for each positive, the share of negatives below it, and for each negative, that of positives above it.

    Args:
        y: (n,) truth, 0 or 1, both of them there.
        scores: (n,) finite predictions.
    """
    positive = y == 1
    ranks = midranks(scores)
    m, n = np.count_nonzero(positive), np.count_nonzero(~positive)
    of_positives = (ranks[positive] - midranks(scores[positive])) / n
    of_negatives = 1 - (ranks[~positive] - midranks(scores[~positive])) / m
    return of_positives, of_negatives


def _variance(of_positives: FloatArray, of_negatives: FloatArray) -> float:
    return float(np.var(of_positives, ddof=1) / of_positives.size + np.var(of_negatives, ddof=1) / of_negatives.size)
