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
from scipy.linalg import cho_factor, cho_solve

from cxr_core.arrays import BoolArray, FloatArray, IntArray

Array32 = npt.NDArray[np.float32]

#: Of the standardised weights, from hardly any trust in the features to nearly full.
PENALTIES: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
#: Newton's decrement, about twice how far a loss is from its smallest, at which a head is done.
TOLERANCE = 2e-5
_ROWS_AT_ONCE = 8192
_MOST_STEPS = 60
#: The curvature comes from so many rows a feature.
_ROWS_OF_CURVATURE = 8
_SMALLEST_STRIDE = 2**-12
#: Where a step leaves more than this of the decrements, the curvature is too old.
_SLOW = 0.5
#: Keeps the intercept's curvature above 0 where nothing weighs anything.
_RIDGE = 1e-8


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
    """Fitted heads: `slopes` (d + 1, h) of the standardised features and of the constant, and their `losses` (h,)."""

    slopes: Array32
    losses: FloatArray
    penalty: float


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
        for start in range(0, n, _ROWS_AT_ONCE):
            here = slice(start, start + _ROWS_AT_ONCE)
            part = np.asarray(features[here], np.float64)[fitted[here]]
            total, squares = total + part.sum(0), squares + np.square(part).sum(0)
        count = max(int(fitted.sum()), 1)
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
        scale = np.where(spread > 1e-6 * np.maximum(np.abs(mean), 1e-30), spread, 1.0)
        rows = np.ones((n, d + 1), np.float32)
        for start in range(0, n, _ROWS_AT_ONCE):
            here = slice(start, start + _ROWS_AT_ONCE)
            rows[here, :d] = (np.asarray(features[here], np.float64) - mean) / scale
        return Standardised(rows, mean, scale)

    def others(self, features: npt.NDArray[np.floating]) -> Array32:
        """Return other rows (m, d) on the same scale, shape (m, d + 1)."""
        rows = np.ones((len(features), self.mean.size + 1), np.float32)
        rows[:, :-1] = (np.asarray(features, np.float64) - self.mean) / self.scale
        return rows


def fit_heads(
    rows: Array32, codes: IntArray, tables: HeadTables, penalty: float, start: Array32 | None = None
) -> Heads:
    """Fit the heads of one label at one penalty, to `TOLERANCE`.

    Args:
        rows: (n, d + 1) standardised features, the last column 1.
        codes: (n,) label codes, 0 to 3, below 0 where there is none.
        tables: of the h heads.
        penalty: half of it times the squared weights is added to each loss; above 0.
        start: (d + 1, h) where to begin; zeros by default.
    """
    slopes = np.zeros((rows.shape[1], tables.targets.shape[1]), np.float32) if start is None else start.copy()
    curvature = _Curvature(rows, codes, tables, penalty)
    losses, pulls = _losses_and_pulls(rows, codes, tables, penalty, slopes)
    every = np.arange(losses.size)
    strides, before = np.ones(losses.size), np.full(losses.size, np.inf)
    open_heads, is_told_by_all = every, True
    curvature.at(slopes, every)
    for _ in range(_MOST_STEPS):
        moves = curvature.solved(pulls, open_heads)
        decrements = np.einsum("dh,dh->h", moves, pulls[:, open_heads])
        going = (decrements > TOLERANCE) & (strides[open_heads] > _SMALLEST_STRIDE)
        if not going.any():
            if is_told_by_all:
                break
            # Where heads have moved far, the curvature of where they were says that they are done before they are.
            open_heads, is_told_by_all, strides[:], before[:] = every, True, 1.0, np.inf
            curvature.at(slopes, every)
            continue
        open_heads, moves, decrements, is_told_by_all = open_heads[going], moves[:, going], decrements[going], False
        if decrements.sum() > _SLOW * before[open_heads].sum():
            curvature.at(slopes, open_heads)
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
    return Heads(slopes, losses, penalty)


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
    watched = np.flatnonzero(held_out)
    best: Heads | None = None
    smallest = np.inf
    start: Array32 | None = None
    for penalty in penalties:
        going_on()
        heads = fit_heads(rows, fitted, tables, penalty, start)
        start = heads.slopes
        found = head_losses(rows[watched], codes[watched], tables, heads.slopes).mean()
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
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part, of_part = rows[start : start + _ROWS_AT_ONCE], codes[start : start + _ROWS_AT_ONCE]
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


class _Curvature:
    """The second derivatives that the heads of a label share, at the mean of the heads, one matrix a label code."""

    def __init__(self, rows: Array32, codes: IntArray, tables: HeadTables, penalty: float) -> None:
        there = np.flatnonzero(codes >= 0)
        most = max(4 * _ROWS_AT_ONCE, _ROWS_OF_CURVATURE * rows.shape[1])
        some = there[:: -(-there.size // most)] if there.size > most else there
        self._rows, self._codes, self._tables, self._penalty = rows[some], codes[some], tables, penalty
        kinds, kind = np.unique(tables.weights, axis=1, return_inverse=True)
        self._kind = kind.ravel()
        self._kinds = kinds.astype(np.float64)
        self._factors: dict[int, tuple[FloatArray, bool]] = {}

    def at(self, slopes: Array32, heads: IntArray) -> None:
        """Take the curvature at some of the heads, for their steps."""
        slopes = slopes[:, heads]
        chances = np.empty(len(self._rows), np.float32)
        for start in range(0, len(self._rows), _ROWS_AT_ONCE):
            part = self._rows[start : start + _ROWS_AT_ONCE]
            small = np.exp(-np.abs(part @ slopes))
            chances[start : start + _ROWS_AT_ONCE] = (small / np.square(1 + small)).mean(axis=1)
        d = self._rows.shape[1]
        ridge = np.full(d, self._penalty)
        ridge[-1] = _RIDGE
        of_codes = np.zeros((4, d, d))
        for code in range(4):
            here = self._codes == code
            if here.any():
                scaled = self._rows[here] * np.sqrt(chances[here])[:, None]
                of_codes[code] = scaled.T @ scaled
        of_codes /= max(len(self._rows), 1)
        self._factors = {
            kind: cho_factor(
                np.tensordot(self._kinds[:, kind], of_codes, 1) + np.diag(ridge + _RIDGE),
                lower=True,
                check_finite=False,
            )
            for kind in np.unique(self._kind[heads])
        }

    def solved(self, pulls: FloatArray, heads: IntArray) -> FloatArray:
        """Return the Newton steps (d + 1, k) of some of the heads."""
        moves = np.empty((pulls.shape[0], heads.size))
        kinds = self._kind[heads]
        for kind in np.unique(kinds):
            here = kinds == kind
            moves[:, here] = cho_solve(self._factors[kind], pulls[:, heads[here]], check_finite=False)
        return moves
