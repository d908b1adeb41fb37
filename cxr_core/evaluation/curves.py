"""ROC and precision-recall curves, their areas, and what to draw of them.

The definitions are scikit-learn's, without its edge cases: no infinite threshold, no 0 or NaN for what is undefined.
Predictions are ranked as stored; a larger score means more positive, and a row is called positive at a threshold t
when its score >= t.
"""

import sys
from dataclasses import dataclass
from math import inf, nextafter
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray, as_scores
from cxr_core.evaluation.defined import why_no_ranking
from cxr_core.evaluation.ranking import Ranking, ranking


@dataclass(frozen=True)
class RocCurve:
    """Vertices of a ROC curve with falling thresholds; every array has shape (k + 1,) for k distinct scores.

    `fpr` and `tpr` rise from 0 to 1. `thresholds[0]` belongs to the corner (0, 0) where nothing is called positive:
    it is the smallest float64 above the largest score (scikit-learn puts infinity there), so every threshold is
    finite, can be written as JSON and be a stop of a slider.
    """

    fpr: FloatArray
    tpr: FloatArray
    thresholds: FloatArray


@dataclass(frozen=True)
class PrCurve:
    """Vertices of a precision-recall curve with rising thresholds; every array has shape (k + 1,).

    Recall falls from 1 to 0. The last vertex (recall 0, precision 1) has by convention no rows above its threshold;
    the threshold that stands there is the smallest float64 above the largest score (scikit-learn has none).
    Vertices are joined by steps, never by slanted lines: slanted ones promise too much (Davis & Goadrich 2006).
    """

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


@dataclass(frozen=True)
class Curves:
    """Both curves and their areas, from one sort; what is undefined is None (see `defined.why_no_ranking`)."""

    roc: RocCurve | None
    pr: PrCurve | None
    roc_auc: float | None
    average_precision: float | None


def curves(y: Any, scores: Any) -> Curves:
    """Return both curves and both areas of truth `y` (n,), 0 or 1, and predictions `scores` (n,).

    Raises:
        DataError: a score is NaN or infinite.
    """
    ranked = _ranked(y, scores)
    return Curves(None, None, None, None) if ranked is None else ranked_curves(ranked)


def ranked_curves(ranked: Ranking) -> Curves:
    """Return both curves and both areas of rows of both classes."""
    roc = ranked_roc(ranked)
    # Recall is the true positive rate, and the thresholds are the same, both the other way round.
    pr = PrCurve(_precision(ranked), roc.tpr[::-1], roc.thresholds[::-1])
    return Curves(roc, pr, ranked_auc(ranked), _ap(ranked, pr.precision))


def ranked_roc(ranked: Ranking) -> RocCurve:
    """Return the ROC curve of rows of both classes."""
    thresholds = np.concatenate([[just_above(float(ranked.thresholds[0]))], ranked.thresholds])
    return RocCurve(_shares(ranked.fp, int(ranked.fp[-1])), _shares(ranked.tp, int(ranked.tp[-1])), thresholds)


def ranked_ap(ranked: Ranking) -> float:
    """Return the average precision of rows of both classes."""
    return _ap(ranked, _precision(ranked))


def roc_curve(y: Any, scores: Any) -> RocCurve | None:
    """Return the ROC curve of truth `y` (n,) and predictions `scores` (n,), or None when only one class is there.

    No vertex is dropped: like scikit-learn's `roc_curve(..., drop_intermediate=False)` but for the first threshold.

    Raises:
        DataError: a score is NaN or infinite.
    """
    ranked = _ranked(y, scores)
    return None if ranked is None else ranked_roc(ranked)


def pr_curve(y: Any, scores: Any) -> PrCurve | None:
    """Return the precision-recall curve of truth `y` (n,) and predictions `scores` (n,), None for one class only.

    Raises:
        DataError: a score is NaN or infinite.
    """
    return curves(y, scores).pr


def roc_auc(y: Any, scores: Any) -> float | None:
    """Return the area under the ROC curve, or None when only one class is there.

    It is the share of pairs (positive, negative) in which the positive has the larger score, ties counting one half
    (Hanley & McNeil 1982). Counted in integers, so the only rounding is that of the final division.

    Raises:
        DataError: a score is NaN or infinite.
    """
    ranked = _ranked(y, scores)
    return None if ranked is None else ranked_auc(ranked)


def average_precision(y: Any, scores: Any) -> float | None:
    """Return the average precision, or None when only one class is there.

    AP = sum over falling thresholds of (recall - recall before) * precision, the step integral of scikit-learn.

    Raises:
        DataError: a score is NaN or infinite.
    """
    return curves(y, scores).average_precision


def drawn_vertices(x: FloatArray, y: FloatArray, columns: int = 400) -> IntArray:
    """Return the positions of at most 4 * `columns` vertices that draw the same picture as all of them.

    Of the vertices in each of `columns` equal parts of the x axis [0, 1] the first, the last, the lowest and the
    highest are kept (M4; Jugel et al. 2014). For drawing only: figures are computed from all vertices. Every vertex
    that is left out lies within 1 / `columns` of a kept one along x, and between the heights of two kept ones of its
    own part, so that no picture with pixels of that width shows the difference; `largest_error` measures it.
    """
    if x.size <= 4 * columns:
        return np.arange(x.size)
    # NumPy sorts integers of 16 bits by radix, which takes a tenth of the time.
    column = np.minimum((x * columns).astype(np.int64), columns - 1).astype(np.uint16)
    order = np.argsort(column, kind="stable")
    first = np.flatnonzero(np.append(True, column[order[1:]] != column[order[:-1]]))
    last, heights = np.append(first[1:], x.size) - 1, y[order]
    lowest = np.flatnonzero(heights == np.repeat(np.minimum.reduceat(heights, first), last + 1 - first))
    highest = np.flatnonzero(heights == np.repeat(np.maximum.reduceat(heights, first), last + 1 - first))
    of_each = lowest[np.searchsorted(lowest, first)], highest[np.searchsorted(highest, last, "right") - 1]
    return np.unique(order[np.concatenate([first, last, *of_each])])


def largest_error(x: FloatArray, y: FloatArray, kept: IntArray) -> tuple[float, float]:
    """Return how far a thinned curve is from the whole one, at most.

    Args:
        x: (n,) places along the axis.
        y: (n,) heights.
        kept: positions of the kept vertices, rising.

    Returns:
        The largest distance along x from a vertex to the nearest kept one, and the largest distance in height from a
        vertex to the range of heights of the two kept ones that enclose it.
    """
    after = np.minimum(np.searchsorted(kept, np.arange(x.size)), kept.size - 1)
    right, left = kept[after], kept[np.maximum(after - 1, 0)]
    left = np.where(right == np.arange(x.size), right, left)
    along = np.minimum(np.abs(x - x[left]), np.abs(x[right] - x))
    low, high = np.minimum(y[left], y[right]), np.maximum(y[left], y[right])
    # A kept vertex is its own range, so that the largest distance is never below 0.
    return float(along.max()), float(np.maximum(low - y, y - high).max())


def _ranked(y: Any, scores: Any) -> Ranking | None:
    """Sort rows, whose scores must be finite, or return None when only one class is there."""
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    return None if why_no_ranking(y) else ranking(y, scores)


def _shares(counted: IntArray, total: int) -> FloatArray:
    shares = np.empty(counted.size + 1)
    shares[0] = 0
    np.divide(counted, total, out=shares[1:])
    return shares


def _precision(ranked: Ranking) -> FloatArray:
    precision = np.empty(ranked.tp.size + 1)
    precision[-1] = 1
    np.divide(ranked.tp[::-1], (ranked.tp + ranked.fp)[::-1], out=precision[:-1])
    return precision


def ranked_auc(ranked: Ranking) -> float:
    """Return the AUC of rows of both classes."""
    tp, fp = ranked.tp, ranked.fp
    doubled = int(tp[0]) * int(fp[0]) + int(np.dot(fp[1:] - fp[:-1], tp[1:] + tp[:-1]))
    return doubled / (2 * int(tp[-1]) * int(fp[-1]))


def _ap(ranked: Ranking, precision: FloatArray) -> float:
    gained = np.empty(ranked.tp.size)
    gained[0] = ranked.tp[0]
    np.subtract(ranked.tp[1:], ranked.tp[:-1], out=gained[1:])
    return float(np.dot(gained, precision[-2::-1]) / ranked.tp[-1])


def just_above(score: float) -> float:
    """Return the smallest finite float64 above a score (the largest float64 has none above it: then itself)."""
    return min(nextafter(score, inf), sys.float_info.max)
