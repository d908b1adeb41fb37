"""A running average of a network's weights (EMA), which is validated and kept in their place.

Polyak & Juditsky 1992; the share grows from 2/11 in the first step as (1 + t) / (10 + t), so that the random weights of
the beginning are soon forgotten, as `tf.train.ExponentialMovingAverage` does with `num_updates`. The averages of batch
norm are averaged, too: they belong to the weights.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf


class WeightAverage:
    """The average of all floating variables of a network; make it in the scope of the strategy.

    Args:
        network: whose weights, as they are now, the average starts from.
        share: what the average keeps of itself in each step, from 0 to below 1; 0 takes no average.

    Attributes:
        variables: everything that a checkpoint must hold, in a fixed order.
    """

    def __init__(self, network: Any, share: float) -> None:
        self._share = share
        self._own = [one for one in network.variables if tf.as_dtype(one.dtype).is_floating] if share else []
        self.variables = [tf.Variable(np.asarray(one), trainable=False) for one in self._own]

    def update(self, steps: Any) -> None:
        """Take in the weights after so many steps; in a replica."""
        if not self.variables:
            return
        count = tf.cast(steps, tf.float32)
        moves = 1.0 - tf.minimum(self._share, (1.0 + count) / (10.0 + count))
        for variable, own in zip(self.variables, self._own, strict=True):
            here = tf.convert_to_tensor(variable)
            moved = here + moves * (tf.convert_to_tensor(own.value) - here)
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=moved)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network its average meanwhile, and its own weights back after it, to the bit."""
        own = [np.asarray(variable) for variable in self._own]
        self._give(self.variables)
        try:
            yield
        finally:
            self._give(own)

    def _give(self, values: list[Any]) -> None:
        for variable, value in zip(self._own, values, strict=True):
            variable.assign(np.asarray(value))
