"""Small random changes of the training images; off unless asked for, as in the notebook.

Never mirrored: the heart is on the left.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True)
class Extent:
    """How far images are changed at most; what is drawn lies evenly on both sides of 0.

    Attributes:
        turn: degrees.
        shift: share of the side.
        zoom, contrast: share.
    """

    turn: float = 7.0
    shift: float = 0.05
    zoom: float = 0.07
    contrast: float = 0.15


def augmented(batches: Any, seed: tuple[int, ...], first: int, most: Extent = Extent()) -> Any:
    """Change each image of (images, codes) batches; what is drawn depends on `seed` and the batch's number alone."""
    base = int(np.random.default_rng(seed).integers(2**31))

    def change(number: Any, batch: tuple[Any, Any]) -> tuple[Any, Any]:
        images, codes = batch
        return _changed(images, tf.stack([tf.constant(base, tf.int64), number + first]), most), codes

    return batches.enumerate().map(change, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _changed(images: Any, seed: Any, most: Extent) -> Any:
    drawn = tf.random.stateless_uniform((5, tf.shape(images)[0]), seed, -1.0, 1.0)
    side = float(images.shape[1])
    turn, zoom = float(np.deg2rad(most.turn)) * drawn[0], 1.0 + most.zoom * drawn[1]
    cosine, sine, middle = tf.cos(turn) * zoom, tf.sin(turn) * zoom, (side - 1.0) / 2.0
    across = middle - (cosine - sine) * middle + most.shift * side * drawn[2]
    down = middle - (sine + cosine) * middle + most.shift * side * drawn[3]
    nothing = tf.zeros_like(turn)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32),
        transforms=tf.stack([cosine, -sine, across, sine, cosine, down, nothing, nothing], axis=1),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    mean = tf.reduce_mean(moved, axis=(1, 2, 3), keepdims=True)
    contrast = (1.0 + most.contrast * drawn[4])[:, tf.newaxis, tf.newaxis, tf.newaxis]
    changed = tf.clip_by_value(mean + (moved - mean) * contrast, 0.0, 255.0)
    changed = changed if images.dtype == tf.float32 else tf.cast(tf.round(changed), images.dtype)
    return tf.ensure_shape(changed, images.shape)
