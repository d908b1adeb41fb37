"""The notebook's loss: cross-entropy on the sigmoid of the logits, weighted per element.

It is the mean over all batch x 14 elements, also those of weight 0 (`SUM_OVER_BATCH_SIZE` of
`tf.compat.v1.losses.sigmoid_cross_entropy`), not the sum over the weights' sum.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf


def weighted_cross_entropy(targets: Any, weights: Any, logits: Any) -> Any:
    """Return the scalar mean of `weights * cross_entropy(targets, sigmoid(logits))`, all of shape (batch, 14)."""
    return tf.reduce_mean(weights * tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def weighted_cross_entropy_of_arrays(
    targets: npt.NDArray[Any], weights: npt.NDArray[Any], logits: npt.NDArray[Any]
) -> float:
    """Return the same figure in float64 for arrays of a whole data set, each of shape (images, 14)."""
    z = logits.astype(np.float64)
    cross_entropy = np.maximum(z, 0) - z * targets + np.log1p(np.exp(-np.abs(z)))
    return float(np.mean(weights * cross_entropy))
