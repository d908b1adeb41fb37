"""Pixels of many shades -> the 256 of a JPEG: darkest as 0, brightest as 255, whatever a few pixels say."""

import numpy as np
import numpy.typing as npt

from cxr_core.arrays import BoolArray
from cxr_core.errors import DataError

Pixels = npt.NDArray[np.float32]

#: Where all pixels span more than this many times what all but one in a thousand at either end do, a few dominate.
_FEW_DOMINATE = 2.0
_TAIL = 0.1


def stretched(pixels: Pixels, real: BoolArray | None = None) -> npt.NDArray[np.uint8]:
    """Return pixels as 0 to 255; those that are not `real` (padding) are 0 and do not count for the range.

    Where a few pixels (a dead spot of the detector, a burnt-in text) would take most of the range, it is that of all
    but one in a thousand at either end, and what lies beyond is cut.

    Raises:
        DataError: a pixel is no number, or none is real.
    """
    counted = pixels if real is None else pixels[real]
    if not counted.size:
        raise DataError("all its pixels are padding")
    low, high = float(counted.min()), float(counted.max())
    if not np.isfinite(high - low):
        raise DataError("it has pixels that are no numbers")
    inner_low, inner_high = (float(value) for value in np.percentile(counted, [_TAIL, 100 - _TAIL]))
    if inner_high > inner_low and high - low > _FEW_DOMINATE * (inner_high - inner_low):
        low, high = inner_low, inner_high
    scale = 255.0 / (high - low) if high > low else 0.0
    shades = np.round((np.clip(pixels, low, high) - low) * scale)
    return (shades if real is None else np.where(real, shades, 0)).astype(np.uint8)
