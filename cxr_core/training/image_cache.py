"""The decoded training images in memory, where they fit: from the second epoch on nothing is read or decoded."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import tensorflow as tf

from cxr_core.schema import LABELS
from cxr_core.training.pixels import PixelFormat

#: The cache may take this share of the memory that is free when training starts.
LARGEST_SHARE = 0.25


class ImageCache:
    """Pixels and label codes by the number of the record; filled as the first epoch passes by."""

    def __init__(self, images: int, pixels: PixelFormat) -> None:
        self._pixels = np.empty((images, pixels.size, pixels.size, 1), pixels.dtype.as_numpy_dtype)
        self._codes = np.empty((images, len(LABELS)), np.int32)
        self._filled = np.zeros(images, bool)

    @property
    def complete(self) -> bool:
        """Whether every record is here."""
        return bool(self._filled.all())

    def keep(self, numbers: Any, pixels: Any, codes: Any) -> Any:
        """Store a batch as it passes, inside a pipeline, and return it."""
        spec = (pixels.shape, codes.shape)
        pixels, codes = tf.numpy_function(self._keep, (numbers, pixels, codes), (pixels.dtype, codes.dtype))
        return tf.ensure_shape(pixels, spec[0]), tf.ensure_shape(codes, spec[1])

    def look_up(self, numbers: Any) -> Any:
        """Return (pixels, codes) of the records with these numbers, inside a pipeline."""
        kinds = (self._pixels.dtype, self._codes.dtype)
        pixels, codes = tf.numpy_function(self._look_up, (numbers,), kinds, stateful=False)
        count = numbers.shape[0]
        return tf.ensure_shape(pixels, (count, *self._pixels.shape[1:])), tf.ensure_shape(codes, (count, len(LABELS)))

    def _keep(self, numbers: Any, pixels: Any, codes: Any) -> tuple[Any, Any]:
        self._pixels[numbers], self._codes[numbers] = pixels, codes
        self._filled[numbers] = True
        return pixels, codes

    def _look_up(self, numbers: Any) -> tuple[Any, Any]:
        return self._pixels[numbers], self._codes[numbers]


def cache_for(wanted: str, images: int | None, epochs: int, pixels: PixelFormat) -> ImageCache | None:
    """Return an empty cache where one was asked for, or where "auto" finds the memory for it; else None.

    Args:
        wanted: "on", "off" or "auto".
        images: training images; None where their number, and so their order, is not known.
        epochs: of one epoch alone nothing is seen again.
        pixels: what is kept of each image.
    """
    if wanted == "off" or images is None or (wanted == "auto" and epochs < 2):
        return None
    if wanted == "auto" and images * pixels.image_bytes > LARGEST_SHARE * free_memory():
        return None
    return ImageCache(images, pixels)


def free_memory(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes that this process may still take: those of the machine, or of its container where it is less."""
    free = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
        free = min(free, max(0, limit - used))
    return free
