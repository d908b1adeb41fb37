"""Dropout before the head, drawn from the seed and the number of the step alone, so that a resumed run draws the same.

Keras's own layer keeps a state that several replicas cannot change together. Srivastava et al. 2014, "Dropout".
"""

from typing import Any

import keras
import tensorflow as tf

from cxr_core.training.step_seed import step_seed


class StepDropout(keras.layers.Layer):
    """Sets a share of the features (batch, n) to 0 when training, and scales the others up.

    Attributes:
        rate: the share, from 0 to below 1.
    """

    def __init__(self, rate: float, **more: Any) -> None:
        super().__init__(**more)
        self.rate = rate
        self._seed = lambda: tf.zeros(2, tf.int64)

    def draw_by(self, seed: int, steps: Any) -> None:
        """Draw by the run's seed and a variable that counts its steps."""
        self._seed = lambda: step_seed(seed, steps)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the features, some of them 0 when training."""
        if not training:
            return inputs
        kept = tf.random.stateless_uniform(tf.shape(inputs), self._seed()) >= self.rate
        return tf.where(kept, inputs / tf.cast(1.0 - self.rate, inputs.dtype), tf.zeros_like(inputs))


def draw_dropout(network: Any, seed: int, steps: Any) -> None:
    """Let the dropout of a network, where it has one, draw by the run's seed and a variable that counts its steps."""
    for layer in network.layers:
        if isinstance(layer, StepDropout):
            layer.draw_by(seed, steps)
