"""Logistic heads on frozen features: one per policy, all policies of a label at once, in NumPy.

A head is a weight a feature and an intercept. Its loss is the network's: the mean over the images that have the label
of weight x cross-entropy, which is what the policy says of each label code, plus half the penalty times the squared
weights; the intercept is free. Only target and weight differ between the heads of a label, so that each step is
two products of matrices for all of them. Steps are Newton's with a curvature that the heads share: one matrix a label
code, at the mean of the heads, from some of the rows where there are many. A head whose loss a step would raise goes
half as far. How far the features are trusted is decided as training decides when to stop: the penalty falls from step
to step, each starting where the last ended, until the loss on held-out patients no longer falls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.training.head_curvature import ROWS_AT_ONCE, Curvature

Array32 = npt.NDArray[np.float32]

#: Of the standardised weights, from hardly any trust in the features to nearly full.
PENALTIES: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
#: Newton's decrement, about twice how far a loss is from its smallest, at which a head is done.
TOLERANCE = 2e-5
_MOST_STEPS = 60
_SMALLEST_STRIDE = 2**-12
#: Where a step leaves more than this of the decrements, the curvature is too old.
_SLOW = 0.5


@dataclass(frozen=True, eq=False)
class HeadTables:
    """What each of h heads takes a label code for: targets and weights, each (4, h), in [0, 1]."""

    targets: Array32
    weights: Array32

    def of(self, codes: IntArray) -> tuple[Array32, Array32]:
        """Return targets and weights (n, h) of label codes (n,); a code below 0 is no label, and weighs nothing."""
        there = (codes >= 0).astype(np.float32)[:, None]
        place = np.maximum(codes, 0)
        return self.targets[place], self.weights[place] * there


@dataclass(frozen=True, eq=False)
class Heads:
    """Fitted heads: `slopes` (d + 1, h) of the standardised features and of the constant, and their `losses` (h,).

    `pulls` (d + 1, h) are the gradients of the losses.
    """

    slopes: Array32
    losses: FloatArray
    pulls: FloatArray
    penalty: float

    def at(self, penalty: float) -> "Heads":
        """Return the same heads under another penalty: of the data nothing is looked at again."""
        free, more = self.slopes[:-1].astype(np.float64), penalty - self.penalty
        pulls = self.pulls.copy()
        pulls[:-1] += more * free
        return Heads(self.slopes, self.losses + more / 2 * np.square(free).sum(0), pulls, penalty)


@dataclass(frozen=True, eq=False)
class Standardised:
    """Features (n, d + 1) of mean 0 and deviation 1 by the rows that are fitted on, and a last column of ones."""

    rows: Array32
    mean: FloatArray
    scale: FloatArray

    @staticmethod
    def of(features: npt.NDArray[np.floating], fitted: BoolArray) -> "Standardised":
        """Standardise features (n, d), of any float type and on disk too, by the `fitted` rows (n,)."""
        n, d = features.shape
        total, squares = np.zeros(d), np.zeros(d)
        for start in range(0, n, ROWS_AT_ONCE):
            here = slice(start, start + ROWS_AT_ONCE)
            part = np.asarray(features[here], np.float64)[fitted[here]]
            total, squares = total + part.sum(0), squares + np.square(part).sum(0)
        count = max(int(fitted.sum()), 1)
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
        scale = np.where(spread > 1e-6 * np.maximum(np.abs(mean), 1e-30), spread, 1.0)
        rows = np.ones((n, d + 1), np.float32)
        for start in range(0, n, ROWS_AT_ONCE):
            here = slice(start, start + ROWS_AT_ONCE)
            rows[here, :d] = (np.asarray(features[here], np.float64) - mean) / scale
        return Standardised(rows, mean, scale)

    def others(self, features: npt.NDArray[np.floating]) -> Array32:
        """Return other rows (m, d) on the same scale, shape (m, d + 1)."""
        rows = np.ones((len(features), self.mean.size + 1), np.float32)
        rows[:, :-1] = (np.asarray(features, np.float64) - self.mean) / self.scale
        return rows


def fit_heads(rows: Array32, codes: IntArray, tables: HeadTables, penalty: float, start: Heads | None = None) -> Heads:
    """Fit the heads of one label at one penalty, to `TOLERANCE`.

    Args:
        rows: (n, d + 1) standardised features, the last column 1.
        codes: (n,) label codes, 0 to 3, below 0 where there is none.
        tables: of the h heads.
        penalty: half of it times the squared weights is added to each loss; above 0.
        start: where to begin, heads of these rows, codes and tables; zeros by default.
    """
    if start is None:
        slopes = np.zeros((rows.shape[1], tables.targets.shape[1]), np.float32)
        start = Heads(slopes, *_losses_and_pulls(rows, codes, tables, penalty, slopes), penalty)
    curvature = Curvature(rows, codes, tables.weights)
    curvature.look(start.slopes, np.arange(start.losses.size))
    return _fitted(rows, codes, tables, start.at(penalty), curvature)


def _fitted(rows: Array32, codes: IntArray, tables: HeadTables, start: Heads, curvature: Curvature) -> Heads:
    """Return heads fitted from `start` on; the curvature was looked at there last, and is at the end, for all heads."""
    slopes, losses, pulls, penalty = start.slopes.copy(), start.losses.copy(), start.pulls.copy(), start.penalty
    every = np.arange(losses.size)
    strides, before = np.ones(losses.size), np.full(losses.size, np.inf)
    open_heads, is_told_by_all = every, True
    curvature.factor(penalty, every)
    for _ in range(_MOST_STEPS):
        moves = curvature.solved(pulls, open_heads)
        decrements = np.einsum("dh,dh->h", moves, pulls[:, open_heads])
        going = (decrements > TOLERANCE) & (strides[open_heads] > _SMALLEST_STRIDE)
        if not going.any():
            if is_told_by_all:
                break
            # Where heads have moved far, the curvature of where they were says that they are done before they are.
            open_heads, is_told_by_all, strides[:], before[:] = every, True, 1.0, np.inf
            curvature.look(slopes, every)
            curvature.factor(penalty, every)
            continue
        open_heads, moves, decrements, is_told_by_all = open_heads[going], moves[:, going], decrements[going], False
        if decrements.sum() > _SLOW * before[open_heads].sum():
            curvature.look(slopes, open_heads)
            curvature.factor(penalty, open_heads)
            moves = curvature.solved(pulls, open_heads)
            decrements = np.einsum("dh,dh->h", moves, pulls[:, open_heads])
        before[open_heads] = decrements
        tried = slopes[:, open_heads] - (strides[open_heads] * moves).astype(np.float32)
        of_open = HeadTables(tables.targets[:, open_heads], tables.weights[:, open_heads])
        found, pulled = _losses_and_pulls(rows, codes, of_open, penalty, tried)
        better = found <= losses[open_heads]
        kept = open_heads[better]
        slopes[:, kept], losses[kept], pulls[:, kept] = tried[:, better], found[better], pulled[:, better]
        strides[kept] = np.minimum(1.0, 2 * strides[kept])
        strides[open_heads[~better]] /= 2
    if not is_told_by_all:
        curvature.look(slopes, every)
    return Heads(slopes, losses, pulls, penalty)


def fit_path(
    rows: Array32,
    codes: IntArray,
    tables: HeadTables,
    held_out: BoolArray,
    penalties: Sequence[float] = PENALTIES,
    going_on: Callable[[], None] = lambda: None,
) -> Heads:
    """Fit the heads of one label, the penalty falling until the held-out loss does not; all heads have one penalty.

    The held-out loss of a head is under its own policy, without the penalty; what falls is the mean over the heads.

    Args:
        rows: (n, d + 1) standardised features, the last column 1.
        codes: (n,) label codes, 0 to 3, below 0 where there is none.
        tables: of the h heads.
        held_out: (n,) the rows, whole patients, on which the penalty is chosen and nothing is fitted.
        penalties: falling.
        going_on: called before each fit; it may raise to stop.
    """
    fitted = np.where(held_out, -1, codes)
    watched, codes_of_watched = rows[held_out], codes[held_out]
    curvature = Curvature(rows, fitted, tables.weights)
    best: Heads | None = None
    smallest = np.inf
    slopes = np.zeros((rows.shape[1], tables.targets.shape[1]), np.float32)
    heads = Heads(slopes, *_losses_and_pulls(rows, fitted, tables, 0.0, slopes), 0.0)
    curvature.look(slopes, np.arange(heads.losses.size))
    for penalty in penalties:
        going_on()
        heads = _fitted(rows, fitted, tables, heads.at(penalty), curvature)
        found = head_losses(watched, codes_of_watched, tables, heads.slopes).mean()
        if best is not None and found >= smallest:
            break
        best, smallest = heads, found
    assert best is not None
    return best


def head_losses(rows: Array32, codes: IntArray, tables: HeadTables, slopes: Array32) -> FloatArray:
    """Return the loss (h,) of each head, without a penalty."""
    return _losses_and_pulls(rows, codes, tables, 0.0, slopes, pulling=False)[0]


def _losses_and_pulls(
    rows: Array32, codes: IntArray, tables: HeadTables, penalty: float, slopes: Array32, pulling: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return the losses (h,) and their gradients (d + 1, h)."""
    losses, pulls = np.zeros(slopes.shape[1]), np.zeros(slopes.shape)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part, of_part = rows[start : start + ROWS_AT_ONCE], codes[start : start + ROWS_AT_ONCE]
        targets, weights = tables.of(of_part)
        logits = part @ slopes
        small = np.exp(-np.abs(logits))
        losses += np.einsum(
            "nh,nh->h", weights, np.maximum(logits, 0) + np.log1p(small) - targets * logits, dtype=np.float64
        )
        if pulling:
            chances = np.where(logits >= 0, 1, small) / (1 + small)
            pulls += part.T @ (weights * (chances - targets))
    count = max(int((codes >= 0).sum()), 1)
    free = slopes[:-1].astype(np.float64)
    losses = losses / count + penalty / 2 * np.square(free).sum(0)
    pulls /= count
    pulls[:-1] += penalty * free
    return losses, pulls
