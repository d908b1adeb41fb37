"""The array types of the engine, and the rule for numbers that cannot be ranked."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


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
