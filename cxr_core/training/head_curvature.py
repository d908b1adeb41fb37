"""The curvature of the losses of many heads, which differ in the weights of label codes alone: one matrix a code."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from cxr_core.arrays import FloatArray, IntArray

Array32 = npt.NDArray[np.float32]

#: Rows that are looked at together, here and by `heads`.
ROWS_AT_ONCE = 8192
#: The curvature comes from so many rows a feature.
_ROWS_OF_CURVATURE = 8
#: Keeps the intercept's curvature above 0 where nothing weighs anything.
_RIDGE = 1e-8


class Curvature:
    """The second derivatives that heads of a label share, at the mean of some of them, one matrix a label code.

    Args:
        rows: (n, d + 1) standardised features.
        codes: (n,) label codes, below 0 where there is none.
        weights: (4, h) of each code in the loss of each of the h heads.
    """

    def __init__(self, rows: Array32, codes: IntArray, weights: Array32) -> None:
        there = np.flatnonzero(codes >= 0)
        most = max(4 * ROWS_AT_ONCE, _ROWS_OF_CURVATURE * rows.shape[1])
        some = there[:: -(-there.size // most)] if there.size > most else there
        self._rows, self._codes = rows[some], codes[some]
        kinds, kind = np.unique(weights, axis=1, return_inverse=True)
        self._kind = kind.ravel()
        self._kinds = kinds.astype(np.float64)
        self._of_codes = np.zeros((4, rows.shape[1], rows.shape[1]))
        self._factors: dict[int, tuple[FloatArray, bool]] = {}

    def look(self, slopes: Array32, heads: IntArray) -> None:
        """Take the curvature at some of the heads."""
        of_heads = slopes[:, heads]
        chances = np.empty(len(self._rows), np.float32)
        for start in range(0, len(self._rows), ROWS_AT_ONCE):
            part = self._rows[start : start + ROWS_AT_ONCE]
            small = np.exp(-np.abs(part @ of_heads))
            chances[start : start + ROWS_AT_ONCE] = (small / np.square(1 + small)).mean(axis=1)
        for code in range(4):
            here = self._codes == code
            scaled = self._rows[here] * np.sqrt(chances[here])[:, None]
            self._of_codes[code] = scaled.T @ scaled
        self._of_codes /= max(len(self._rows), 1)

    def factor(self, penalty: float, heads: IntArray) -> None:
        """Make ready to solve for these heads at a penalty."""
        ridge = np.full(self._rows.shape[1], penalty + _RIDGE)
        ridge[-1] = 2 * _RIDGE
        self._factors = {
            kind: cho_factor(
                np.tensordot(self._kinds[:, kind], self._of_codes, 1) + np.diag(ridge), lower=True, check_finite=False
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
