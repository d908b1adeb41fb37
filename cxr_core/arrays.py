"""The array types of the engine, and the rule for numbers that cannot be ranked."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
#: Longer vectors BLAS multiplies in several threads, which go on spinning for longer than the product takes.
_ONE_THREAD = 8192


def count_not_finite(scores: NDArray[Any]) -> int:
    """Return how many of `scores` are NaN or infinite."""
    return int(np.count_nonzero(~np.isfinite(scores)))


def as_scores(scores: Any) -> FloatArray:
    """Return predictions as a float64 vector of shape (n,).

    Raises:
        DataError: a value is NaN or infinite, so it has no rank.
    """
    array = np.asarray(scores, dtype=np.float64)
    wrong = count_not_finite(array)
    if wrong:
        raise DataError(f"Predictions must be finite numbers. Received: {wrong} of {array.size} NaN or infinite.")
    return array


def inner(a: FloatArray, b: FloatArray) -> float:
    """Return the sum of a * b, both (n,), by one thread, so that it is the same on a machine with more of them."""
    starts = range(0, max(a.size, 1), _ONE_THREAD)
    return float(sum(a[start : start + _ONE_THREAD] @ b[start : start + _ONE_THREAD] for start in starts))
