"""DeLong's variance of an AUC and his paired test, in O(n log n) by one sort (Sun & Xu 2014).

Images are taken as independent, which several images of one patient are not: the intervals by patient (`areas`) are
the primary ones.
"""

from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray, as_scores, inner
from cxr_core.evaluation.curves import ranked_auc
from cxr_core.evaluation.influence import auc_of_rows
from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.ranking import ranking
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


def delong_variance(y: Any, scores: Any) -> float | None:
    """Return the variance of the AUC of `scores` (n,) on truth `y` (n,), or None below two rows of either class.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if _too_few(y):
        return None
    return variance_of_rows(auc_of_rows(ranking(y, scores)), y == 1)


def delong_interval(y: Any, scores: Any) -> Bounds | None:
    """Return the 95 % normal interval of the AUC, cut to [0, 1] as pROC does, or None below two rows of either class.

    Images are taken as independent.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if _too_few(y):
        return None
    ranked = ranking(y, scores)
    auc, half = ranked_auc(ranked), _Z * sqrt(variance_of_rows(auc_of_rows(ranked), y == 1))
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
    first, second = ranking(y, a), ranking(y, b)
    moved = auc_of_rows(first) - auc_of_rows(second)
    return delong_of_rows(ranked_auc(first) - ranked_auc(second), moved, y == 1)


def delong_of_rows(difference: float, of_rows: FloatArray, positive: BoolArray) -> DelongTest:
    """Test a difference of two AUCs from the influence (n,) of each row on it; two rows of either class or more."""
    # The variance comes from the rows' differences: exactly 0 for models that rank alike.
    error = sqrt(variance_of_rows(of_rows, positive))
    if error == 0:
        return DelongTest(
            difference, 0.0, None, None, "the difference has no variance: both models rank the images alike"
        )
    z = difference / error
    return DelongTest(difference, error, z, erfc(abs(z) / sqrt(2)))


def variance_of_rows(of_rows: FloatArray, positive: BoolArray) -> float:
    """Return DeLong's variance from the influence (n,) of each row on an AUC, or on a difference of two."""
    each = of_rows[positive], of_rows[~positive]
    return float(sum(inner(rows, rows) * rows.size / (rows.size - 1) for rows in each))


def _too_few(y: IntArray) -> bool:
    return min(y.sum(), y.size - y.sum()) < 2
