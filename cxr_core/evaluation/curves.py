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

from cxr_core.evaluation.arrays import FloatArray, IntArray, as_scores


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
class _Counts:
    """True and false positives (int64, shape (k,)) at each of the k distinct scores, from the largest down."""

    thresholds: FloatArray
    tp: IntArray
    fp: IntArray


def falling_order(scores: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the order (n,) that sorts `scores` from the largest down, and where each tie group ends in it."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    return order, np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))


def why_no_roc(y: IntArray) -> str | None:
    """Return why the ROC curve of truth `y` (0 or 1) is undefined, or None when it is defined."""
    if y.size == 0:
        return "there are no certain rows"
    if y.all():
        return "there are no negatives"
    return why_no_pr(y)


def why_no_pr(y: IntArray) -> str | None:
    """Return why precision and recall of truth `y` are undefined, or None when they are defined.

    With positives only they are defined: precision is 1 everywhere, whatever the model says.
    """
    if y.size == 0:
        return "there are no certain rows"
    return None if y.any() else "there are no positives"


def roc_curve(y: Any, scores: Any) -> RocCurve | None:
    """Return the ROC curve of truth `y` (n,) and predictions `scores` (n,), or None when only one class is there.

    No vertex is dropped: like scikit-learn's `roc_curve(..., drop_intermediate=False)` but for the first threshold.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if why_no_roc(y):
        return None
    counts = _count(y, scores)
    thresholds = np.concatenate([[_above(scores)], counts.thresholds])
    fpr = np.concatenate([[0], counts.fp]) / counts.fp[-1]
    return RocCurve(fpr, np.concatenate([[0], counts.tp]) / counts.tp[-1], thresholds)


def pr_curve(y: Any, scores: Any) -> PrCurve | None:
    """Return the precision-recall curve of truth `y` (n,) and predictions `scores` (n,), or None without positives.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if why_no_pr(y):
        return None
    counts = _count(y, scores)
    precision = np.append((counts.tp / (counts.tp + counts.fp))[::-1], 1.0)
    recall = np.append((counts.tp / counts.tp[-1])[::-1], 0.0)
    return PrCurve(precision, recall, np.append(counts.thresholds[::-1], _above(scores)))


def roc_auc(y: Any, scores: Any) -> float | None:
    """Return the area under the ROC curve, or None when only one class is there.

    It is the share of pairs (positive, negative) in which the positive has the larger score, ties counting one half
    (Hanley & McNeil 1982). Counted in integers, so the only rounding is that of the final division.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if why_no_roc(y):
        return None
    counts = _count(y, scores)
    tp_before = np.concatenate([[0], counts.tp[:-1]])
    doubled = np.sum(np.diff(counts.fp, prepend=0) * (tp_before + counts.tp))
    return float(doubled / (2 * counts.tp[-1] * counts.fp[-1]))


def average_precision(y: Any, scores: Any) -> float | None:
    """Return the average precision, or None without positives.

    AP = sum over falling thresholds of (recall - recall before) * precision, the step integral of scikit-learn.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if why_no_pr(y):
        return None
    counts = _count(y, scores)
    precision = counts.tp / (counts.tp + counts.fp)
    return float(np.sum(np.diff(counts.tp, prepend=0) * precision) / counts.tp[-1])


def drawn_vertices(x: FloatArray, y: FloatArray, columns: int = 400) -> IntArray:
    """Return the positions of at most 4 * `columns` vertices that draw the same picture as all of them.

    Of the vertices in each of `columns` equal parts of the x axis [0, 1] the first, the last, the lowest and the
    highest are kept (M4; Jugel et al. 2014). For drawing only: figures are computed from all vertices.
    """
    if x.size <= 4 * columns:
        return np.arange(x.size)
    column = np.minimum((x * columns).astype(np.int64), columns - 1)
    by_height = np.lexsort((y, column))
    in_order = np.argsort(column, kind="stable")
    return np.unique(np.concatenate([_ends(in_order, column), _ends(by_height, column)]))


def _ends(order: IntArray, column: IntArray) -> IntArray:
    """Return the first and the last entry of `order` in each run of equal `column`."""
    change = column[order][1:] != column[order][:-1]
    first, last = np.concatenate([[True], change]), np.append(change, True)
    return order[first | last]


def _count(y: IntArray, scores: FloatArray) -> _Counts:
    """Count true and false positives at each distinct score.

    All scores and those of the rarer class are sorted as plain numbers, and each of the latter is looked up among the
    former: half the time of sorting row numbers and fetching the truth in their order.
    """
    rarer = 1 if 2 * np.count_nonzero(y) <= y.size else 0
    rising = np.sort(scores)
    starts = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
    # The look-up finds the first of equal scores, so that a tie group's rows are all counted where it starts.
    places = np.searchsorted(rising, np.sort(scores[y == rarer]))
    through = np.cumsum(np.bincount(places, minlength=y.size))
    of_rarer = places.size - np.concatenate([[0], through[starts[1:] - 1]])[::-1]
    called = (y.size - starts)[::-1]
    other = called - of_rarer
    tp, fp = (of_rarer, other) if rarer else (other, of_rarer)
    return _Counts(rising[starts[::-1]], tp, fp)


def _above(scores: FloatArray) -> float:
    """Return the smallest finite float64 above all scores (the largest float64 has none above it: then itself)."""
    return min(nextafter(float(scores.max()), inf), sys.float_info.max)
