"""Dropout, drawn from the seed and the number of the step alone, so that a resumed run draws the same.

Keras's own layer keeps a state that several replicas cannot change together. Srivastava et al. 2014, "Dropout"; of
whole images within a branch: Huang et al. 2016, "Deep networks with stochastic depth".
"""

from typing import Any

import keras
import tensorflow as tf

from cxr_core.training.step_seed import step_seed

#: Seeds of runs are smaller, so that no two layers of any two runs draw alike.
_SEEDS = 2**32


class StepDropout(keras.layers.Layer):
    """Sets a share of the features (batch, n) to 0 when training, and scales the others up.

    Attributes:
        rate: the share, from 0 to below 1.
        by_image: whether all features (batch, h, w, n) of an image are kept or dropped together.
    """

    def __init__(self, rate: float, by_image: bool = False, **more: Any) -> None:
        super().__init__(**more)
        self.rate, self.by_image = rate, by_image
        self._seed = lambda: tf.zeros(2, tf.int64)

    def draw_by(self, seed: int, steps: Any, number: int = 0) -> None:
        """Draw by the run's seed, a variable that counts its steps, and which dropout of the network this is."""
        self._seed = lambda: step_seed(seed + number * _SEEDS, steps)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the features, some of them 0 when training."""
        if not training:
            return inputs
        shape = tf.shape(inputs)
        if self.by_image:
            shape = tf.concat([shape[:1], tf.ones_like(shape[1:])], axis=0)
        kept = tf.random.stateless_uniform(shape, self._seed()) >= self.rate
        return tf.where(kept, inputs / tf.cast(1.0 - self.rate, inputs.dtype), tf.zeros_like(inputs))


def draw_dropout(network: Any, seed: int, steps: Any) -> None:
    """Let each dropout of a network draw by the run's seed and a variable that counts its steps."""
    drawn = [layer for layer in network.layers if isinstance(layer, StepDropout)]
    for number, layer in enumerate(reversed(drawn)):
        layer.draw_by(seed, steps, number)
