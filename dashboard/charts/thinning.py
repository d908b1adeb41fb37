"""Fewer points for the same picture: a line of hundreds of thousands of points has but a thousand pixels."""

import numpy as np

from cxr_core.arrays import FloatArray, IntArray

_OF_A_BUCKET = 4


def kept_places(y: FloatArray, most: int) -> IntArray:
    """Return the places of at most `most` values of `y`, rising, that draw the same line as all of them.

    Of each of equally long stretches the first, the lowest, the highest and the last value stay (M4; Jugel et al.
    2014), so that no peak is lost, nor the first and the last of all.

    Args:
        y: shape (n,), finite.
        most: at least 4.
    """
    n = len(y)
    if n <= most:
        return np.arange(n)
    length = -(-n // (most // _OF_A_BUCKET))
    starts = np.arange(0, n, length)
    padded = np.full(len(starts) * length, np.nan)
    padded[:n] = y
    stretches = padded.reshape(len(starts), length)
    lowest, highest = starts + np.nanargmin(stretches, axis=1), starts + np.nanargmax(stretches, axis=1)
    lasts = np.minimum(starts + length, n) - 1
    return np.unique(np.concatenate([starts, lowest, highest, lasts]))
