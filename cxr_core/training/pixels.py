"""JPEG bytes -> the pixels that a network was trained on, and pixels -> its input.

The batch goes to the device as it is stored there, one byte a pixel; `scaled` makes it the notebook's input in [0, 1].
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from cxr_core.schema import RECORD_IMAGE_SIZE

#: What libjpeg can shrink by while it decodes.
_RATIOS = (8, 4, 2, 1)


@dataclass(frozen=True)
class PixelFormat:
    """How an image of 320x320 pixels becomes one of `size` x `size`.

    Attributes:
        size: pixels along each side.
        decode: "full" decodes all pixels, and means over areas give floats. "reduced" decodes at the smallest of the
            scales 1/2, 1/4 and 1/8 that suffices, which is faster, then means over areas are rounded to whole grey
            levels. At 320 both are the same: the notebook's pixels.
    """

    size: int
    decode: str = "full"

    @property
    def ratio(self) -> int:
        """The scale at which the JPEG is decoded, as one over this number."""
        if self.decode == "full":
            return 1
        return next(ratio for ratio in _RATIOS if RECORD_IMAGE_SIZE // ratio >= self.size)

    @property
    def dtype(self) -> Any:
        """Type of the pixels, which range from 0 to 255: uint8, or float32 where full decoding was shrunk."""
        return tf.float32 if self.decode == "full" and self.size != RECORD_IMAGE_SIZE else tf.uint8

    @property
    def image_bytes(self) -> int:
        """Bytes that one decoded image takes."""
        return int(self.size**2 * self.dtype.size)

    def decoded(self, jpgs: Any) -> Any:
        """Return (batch, size, size, 1); an image that is not 320x320 is an error that names its shape."""
        return tf.map_fn(
            self._decoded_one, jpgs, fn_output_signature=tf.TensorSpec((self.size, self.size, 1), self.dtype)
        )

    def _decoded_one(self, jpg: Any) -> Any:
        ratio = self.ratio
        image = tf.io.decode_jpeg(jpg, channels=1, ratio=ratio)
        side = RECORD_IMAGE_SIZE // ratio
        image = tf.ensure_shape(image, (side, side, 1))
        if side == self.size:
            return image
        means = tf.image.resize(image, (self.size, self.size), method="area")
        return means if self.dtype == tf.float32 else tf.cast(tf.round(means), tf.uint8)


def scaled(pixels: Any) -> Any:
    """Return pixels of 0 to 255 as the network's float32 input in [0, 1], with the notebook's own arithmetic."""
    return (1.0 / 255.0) * tf.cast(pixels, tf.float32)
