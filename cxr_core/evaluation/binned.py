"""Figures of rows that are known by sums alone: counts in bins of rising scores, and sums over patients.

The rows of a bin may stand in any order, so that a figure is known but for a bound: it is the middle of what it can be,
and the bound is half of that. For bins of p positives and n negatives, of P and N in all, the AUC is known to
sum(p n) / (2 P N). Of an average precision, each bin adds the most where its positives are one tie above all its
negatives, and the least where the positives stand below, one by one. Standard errors follow from what each patient adds
to the figures of the bins as ties (`warehouse.binned_questions`). By the triangle inequality that of the AUC is off by
no more than the root of the summed squares of what each of these can be off. No such bound is known here for that of an
average precision: `benchmarks/pushed_down.py` measures by how much its interval is off.
"""

from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np
from scipy.special import digamma

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.curves import PrCurve, RocCurve
from cxr_core.evaluation.defined import ClassPatients
from cxr_core.evaluation.influence import freedom
from cxr_core.evaluation.intervals import Interval, area_interval


@dataclass(frozen=True)
class BinnedArea:
    """An area in [0, 1] that is off by `off` or less, its standard error (by `error_off`) and degrees of freedom."""

    value: float
    off: float
    error: float
    error_off: float
    freedom: float

    def interval(self) -> tuple[Interval, float | None]:
        """Return the 95 % interval, and by how much its ends can be wrong, the degrees of freedom being right."""
        found = area_interval(self.value, self.error, self.freedom)
        if found.ci is None:
            return found, None
        ends = (found.ci, *(self._moved(*signs) for signs in product((-1, 1), repeat=2)))
        return found, max(abs(end - own) for ci in ends for end, own in zip(ci, found.ci, strict=True))

    def _moved(self, value: int, error: int) -> tuple[float, float]:
        moved = min(max(self.value + value * self.off, 0.0), 1.0)
        found = area_interval(moved, max(self.error + error * self.error_off, 0.0), self.freedom)
        return found.ci or (moved, moved)


@dataclass(frozen=True, eq=False)
class Binned:
    """The rows of one label: `positives` and `negatives` (bins,) in bins of rising scores, both classes being there.

    `lows` (bins,) is the lowest score of each bin.
    """

    positives: IntArray
    negatives: IntArray
    lows: FloatArray

    def auc(self) -> tuple[float, float]:
        """Return the AUC and by how much it can be wrong."""
        p, n = self._falling()
        total = float(p.sum()) * float(n.sum())
        tp = np.cumsum(p)
        return float(n @ (tp - p / 2)) / total, float(p @ n) / 2 / total

    def average_precision(self) -> tuple[float, float]:
        """Return the average precision and by how much it can be wrong."""
        p, n = self._falling()
        tp, fp = np.cumsum(p), np.cumsum(n)
        most = p * tp / np.maximum(tp + fp - n, 1)
        # The sum over the j-th positives of (above + j) / (above + j + fp).
        least = p - fp * (digamma(tp + fp + 1) - digamma(tp - p + fp + 1))
        low, high = float(np.clip(least, 0, most).sum()) / tp[-1], float(most.sum()) / tp[-1]
        return (low + high) / 2, (high - low) / 2

    def roc(self) -> RocCurve:
        """Return the ROC curve at the lowest scores of the bins, where it is exact."""
        p, n = self._falling()
        thresholds = np.append(np.nextafter(self.lows[-1], np.inf), self.lows[::-1])
        return RocCurve(np.append(0, np.cumsum(n)) / n.sum(), np.append(0, np.cumsum(p)) / p.sum(), thresholds)

    def pr(self) -> PrCurve:
        """Return the precision-recall curve at the lowest scores of the bins, where it is exact."""
        p, n = self._falling()
        tp, fp = np.cumsum(p), np.cumsum(n)
        precision, recall = tp / np.maximum(tp + fp, 1), tp / tp[-1]
        roc = self.roc()
        return PrCurve(np.append(precision[::-1], 1), np.append(recall[::-1], 0), roc.thresholds[::-1])

    def _falling(self) -> tuple[FloatArray, FloatArray]:
        return self.positives[::-1].astype(np.float64), self.negatives[::-1].astype(np.float64)


def binned_areas(
    binned: Binned, counted: ClassPatients, patients: int, sums: dict[str, float]
) -> dict[str, BinnedArea]:
    """Return AUC and average precision by the names of the figures.

    Args:
        binned: the rows.
        counted: the patients of each class, two or more.
        patients: all patients, also those without a certain row.
        sums: over the patients: `uu`, `vv` and `uv` of what their positives (u) and negatives (v) add to the AUC, the
            `fourth` powers of u + v, the squares `ap` and fourth powers `ap_fourth` of what they add to the average
            precision; `squared_positives`, `squared_negatives` and `both_classes` of their numbers of rows.
    """
    counts = np.array([counted.positive, counted.negative, counted.all])
    factors, rarer = counts / (counts - 1), counted.rarer
    variance = float(np.array([sums["uu"], sums["vv"], 2 * sums["uv"]]) @ factors)
    squares = sums["uu"] + sums["vv"] + 2 * sums["uv"]
    auc = BinnedArea(
        *binned.auc(),
        sqrt(max(variance, 0)),
        sqrt(float(factors.max()) * _auc_influences_off(binned, sums)),
        freedom(squares, sums["fourth"], patients, rarer - 1),
    )
    widened = rarer / (rarer - 1)
    ap = BinnedArea(
        *binned.average_precision(),
        sqrt(sums["ap"] * widened),
        0.0,
        freedom(sums["ap"], sums["ap_fourth"], patients, rarer - 1),
    )
    return {"roc_auc": auc, "average_precision": ap}


def _auc_influences_off(binned: Binned, sums: dict[str, float]) -> float:
    """Return at most the sum of squares of what the influences of patients on the AUC can be off.

    The placement of a row is off by half its bin's share of the other class, and the mean by what the AUC is.
    """
    p, n = binned.positives, binned.negatives
    positives, negatives, (_, off) = float(p.sum()), float(n.sum()), binned.auc()
    of_positive = (float(n[p > 0].max()) / (2 * negatives) + off) / positives
    of_negative = (float(p[n > 0].max()) / (2 * positives) + off) / negatives
    squared = of_positive**2 * sums["squared_positives"] + of_negative**2 * sums["squared_negatives"]
    return squared + 2 * of_positive * of_negative * sums["both_classes"]
