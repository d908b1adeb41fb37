"""The learning rate of each step; loads no TensorFlow.

It depends on the step's number and on how often a plateau cut it, so that a resumed run goes on with the same rates.
The cosine is that of Loshchilov & Hutter 2017, "SGDR", without restarts.
"""

import math
from dataclasses import dataclass

from cxr_core.training.options import TrainOptions
from cxr_core.training.recipe_options import CONSTANT, COSINE, PLATEAU


@dataclass(frozen=True)
class Schedule:
    """The learning rates of a run.

    Attributes:
        kind: constant, cosine or plateau.
        peak: the rate after the warm-up.
        steps: of the whole run.
        warm_up: steps in which the rate rises evenly from 0.
        patience, factor: epochs without a better AUC after which a plateau multiplies the rate by the factor.
    """

    kind: str
    peak: float
    steps: int
    warm_up: int = 0
    patience: int = 1
    factor: float = 1.0

    @property
    def changes(self) -> bool:
        """Whether the rate is not the same in all steps."""
        return self.kind != CONSTANT or self.warm_up > 0

    def rate(self, step: int, cuts: int) -> float:
        """Return the rate of step number `step` (from 0), after so many cuts."""
        if step < self.warm_up:
            return self.peak * step / self.warm_up
        if self.kind == COSINE:
            part = min(1.0, (step - self.warm_up) / (self.steps - self.warm_up))
            return self.peak * (1 + math.cos(math.pi * part)) / 2
        return self.peak * self.factor**cuts if cuts else self.peak

    def after_epoch(self, stale: int, cuts: int, better: bool) -> tuple[int, int]:
        """Return the epochs since the AUC rose or the rate was cut, and the cuts, when an epoch has been validated."""
        if self.kind != PLATEAU or better:
            return 0, cuts
        return (0, cuts + 1) if stale + 1 >= self.patience else (stale + 1, cuts)


def schedule_of(options: TrainOptions, steps_per_epoch: int) -> Schedule:
    """Return the schedule of a run with so many steps in each epoch."""
    steps = steps_per_epoch * options.epochs
    warm_up = round(options.warm_up * steps_per_epoch)
    if options.schedule == COSINE:
        warm_up = min(warm_up, steps - 1)
    patience, factor = options.plateau_epochs, options.plateau_factor
    return Schedule(options.schedule, options.learning_rate, steps, warm_up, patience, factor)
