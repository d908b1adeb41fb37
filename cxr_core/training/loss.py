"""The notebook's loss: cross-entropy on the sigmoid of the logits, weighted per element.

It is the mean over all batch x 14 elements, also those of weight 0 (`SUM_OVER_BATCH_SIZE` of
`tf.compat.v1.losses.sigmoid_cross_entropy`), not the sum over the weights' sum. Where the data set of an image
lacks a label, there is no element: the mean is over those that exist.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def weighted_cross_entropy(targets: Any, weights: Any, logits: Any, codes: Any = None) -> Any:
    """Return the scalar mean of `weights * cross_entropy(targets, sigmoid(logits))`, all of shape (batch, 14).

    With the label `codes`, elements that are `ABSENT` (below 0; their weight is 0) are not counted in the mean.
    """
    mean = tf.reduce_mean(weights * tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))
    if codes is None:
        return mean
    # Of two equal counts the quotient is 1 to the bit: nothing changes where all elements exist.
    existing = tf.reduce_sum(tf.cast(codes >= 0, tf.float32))
    return mean * (tf.cast(tf.size(codes), tf.float32) / tf.maximum(existing, 1.0))


def weighted_cross_entropy_of_arrays(
    targets: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    logits: npt.NDArray[Any],
    codes: npt.NDArray[Any] | None = None,
) -> float:
    """Return the same figure in float64 for arrays of a whole data set, each of shape (images, 14)."""
    z = logits.astype(np.float64)
    cross_entropy = np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))
    mean = float(np.mean(weights * cross_entropy))
    return mean if codes is None else mean * (codes.size / max(int((codes >= 0).sum()), 1))
