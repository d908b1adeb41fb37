"""The learning rate as a step of the optimizer reads it."""

from typing import Any

import tensorflow as tf

from cxr_core.training.options import TrainOptions
from cxr_core.training.schedule import schedule_of


class Rate:
    """The rate of a run; make it in the scope of the strategy.

    Attributes:
        schedule: what it follows.
        value: a number where the rate never changes, else a variable.
    """

    def __init__(self, options: TrainOptions, steps_per_epoch: int) -> None:
        self.schedule = schedule_of(options, steps_per_epoch)
        self.value: Any = options.learning_rate
        if self.schedule.changes:
            aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA
            self.value = tf.Variable(self.value, trainable=False, aggregation=aggregation, name="learning_rate")

    def before_step(self, step: int, cuts: int) -> float:
        """Set the rate for step number `step` (from 0), after so many cuts, and return it."""
        rate = self.schedule.rate(step, cuts)
        if self.schedule.changes:
            self.value.assign(rate)
        return rate
