"""The part of the ROC curve that matters: its area up to a false positive rate, and the sensitivity at a specificity.

Both follow the empirical curve with straight lines between its vertices, as pROC does (Robin et al. 2011). Intervals
are 95 % patient-cluster bootstrap; the curve of a resample is that of the same sorted scores with other weights.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.errors import UsageError
from cxr_core.evaluation.curves import ranked_roc
from cxr_core.evaluation.defined import class_patients, why_no_ranking
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.ranking import Ranking, ranking
from cxr_core.evaluation.resamples import patient_weights
from cxr_core.evaluation.results import Bounds, bounds_as_json

#: Elements of the curves of one block of resamples: 64 MB.
_BLOCK = 2**23
# A rate that is the limit but for rounding is at it: 1 - 0.8 is a little less than 44 / 220.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class RocPart:
    """At specificities of `specificity` and more: `partial_auc`, from 0 to 1 - specificity, and the sensitivity there.

    `standardised` is the area on McClish's (1989) scale, where guessing has .5 and the best has 1.
    """

    specificity: float
    partial_auc: float | None = None
    partial_auc_ci: Bounds | None = None
    standardised: float | None = None
    sensitivity: float | None = None
    sensitivity_ci: Bounds | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "specificity": self.specificity,
            "partial_auc": self.partial_auc,
            "partial_auc_ci": bounds_as_json(self.partial_auc_ci),
            "partial_auc_standardised": self.standardised,
            "sensitivity": self.sensitivity,
            "sensitivity_ci": bounds_as_json(self.sensitivity_ci),
            "why": self.why,
        }


def roc_part(y: Any, scores: Any, specificity: float, drawn: Resampling) -> RocPart:
    """Return the figures of truth `y` (n,), 0 or 1, and `scores` (n,) as stored.

    Raises:
        DataError: a score is NaN or infinite.
        UsageError: the specificity is not above 0 and below 1.
    """
    if not 0 < specificity < 1:
        raise UsageError(f"A specificity must be above 0 and below 1. Received: {specificity:g}.")
    y, limit = np.asarray(y), 1 - specificity
    why = why_no_ranking(y)
    if why:
        return RocPart(specificity, why=why)
    ranked = ranking(y, scores)
    curve = ranked_roc(ranked)
    area, height = (float(one[0]) for one in _part(curve.fpr[:, None], curve.tpr[:, None], limit))
    least = limit**2 / 2
    standardised = 0.5 * (1 + (area - least) / (limit - least))
    counted = class_patients(y, drawn.clusters)
    few = counted.why_no_interval(max(drawn.minimum, 2))
    if few:
        return RocPart(specificity, area, None, standardised, height, None, few)
    areas, heights = _resampled(ranked, limit, drawn)
    each = [percentile_interval(one, counted.rarer) for one in (areas, heights)]
    return RocPart(specificity, area, each[0].ci, standardised, height, each[1].ci, each[0].why or each[1].why)


def _part(fpr: FloatArray, tpr: FloatArray, limit: float) -> tuple[FloatArray, FloatArray]:
    """Return the area up to `limit` and the height there (r,) of curves (k, r) that begin at (0, 0)."""
    width = np.diff(fpr, axis=0)
    inside = np.clip(limit - fpr[:-1], 0, width)
    share = np.divide(inside, width, out=np.zeros_like(width), where=width > 0)
    ends = tpr[:-1] + share * np.diff(tpr, axis=0)
    area = (inside * (tpr[:-1] + ends) / 2).sum(axis=0)
    # The highest of the curve at the limit: where it rises there, its top.
    near = limit + _ROUNDING
    reached = np.where(fpr <= near, tpr, 0).max(axis=0)
    crossing = (fpr[:-1] < limit) & (fpr[1:] > near)
    return area, np.maximum(reached, np.where(crossing, ends, 0).max(axis=0))


def _resampled(ranked: Ranking, limit: float, drawn: Resampling) -> tuple[FloatArray, FloatArray]:
    """Return both figures of each resample, NaN where it lacks a class."""
    positive, clusters = ranked.positive.astype(np.float64), drawn.clusters[ranked.order]
    areas, heights = np.full(drawn.resamples, np.nan), np.full(drawn.resamples, np.nan)
    size = max(1, _BLOCK // ranked.order.size)
    for start, weights in patient_weights(drawn.patients, drawn.resamples):
        for first in range(0, weights.shape[1], size):
            rows = weights[clusters, first : first + size]
            tp, fp = (_curve(rows * of[:, None], ranked.ends) for of in (positive, 1 - positive))
            usable = (tp[-1] > 0) & (fp[-1] > 0)
            place = start + first + np.flatnonzero(usable)
            curves = (fp[:, usable] / fp[-1, usable], tp[:, usable] / tp[-1, usable])
            areas[place], heights[place] = _part(*curves, limit)
    return areas, heights


def _curve(counted: FloatArray, last: Any) -> FloatArray:
    sums = np.cumsum(counted, axis=0)[last]
    return np.concatenate([np.zeros((1, sums.shape[1])), sums])
