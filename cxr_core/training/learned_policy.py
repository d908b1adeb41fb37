"""Learning u and w while the network trains: the 2019 notebook's open idea, by a look-ahead of one step.

`look_ahead.py` says which u and w would have served the certain labels better, `policy_learner.py` how far they move.

Both batches are halves of the batch that the step is about to train on: the first half is trained on virtually, the
other is held out from that. No step of the epoch has seen either, nothing is taken from training, it is never the same
few images, and a resumed run needs no batch of the past. (A fixed held-out part was tried: with a few hundred images u
comes to fit their peculiarities.) Validation data is never looked at. With half batches a look-ahead costs 1.3 steps;
it is done before every second step, so that training takes some 1.7 times as long.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.schema import Value
from cxr_core.training.look_ahead import functional_logits, look_ahead
from cxr_core.training.pixels import scaled
from cxr_core.training.policy_learner import PolicyLearner
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.uncertainty import Policy

#: A look-ahead at every so many steps.
LOOK_AHEAD_EVERY = 2

_MOST_ROWS = 1000


class LearnedTables(PolicyTables):
    """The tables of a policy that learns; make them, like the network, in the scope of the strategy.

    Args:
        policy: where u and w start.
        strategy: a `tf.distribute` strategy; each replica looks ahead with its own part of the batch.
        network: the network that is trained.
        rate: size of the virtual step.
        steps_per_epoch: steps of one epoch.
        steps: steps of the whole run.
    """

    def __init__(
        self, policy: Policy, strategy: Any, network: Any, rate: float, steps_per_epoch: int, steps: int
    ) -> None:
        super().__init__(policy)
        self._learner = PolicyLearner(policy)
        self._strategy, self._network, self._rate = strategy, network, rate
        self._steps_per_epoch, self._steps = steps_per_epoch, steps
        self._step = 0
        logits = functional_logits(network)
        # One trace serves all passes of a look-ahead, for tracing a deep network takes longer than running it; but
        # the replicas of a strategy may not be traced inside functions of their own.
        self._logits = tf.function(logits) if strategy.num_replicas_in_sync == 1 else logits
        self._ahead = tf.function(self._over_replicas)

    def policy(self) -> Policy:
        """Return the policy as it is now."""
        return self._learner.policy()

    def before_step(self, step: int, images: Any, codes: Any) -> None:
        """Look ahead with the two halves of the batch, where that is due, and move u."""
        self._step = step
        if is_due(step, self._steps_per_epoch, self._steps):
            self._learner.learn(*(np.asarray(found) for found in self._ahead(images, codes)))
            self._assign()

    def after_epoch(self, epoch: int) -> None:
        """Move w; called again without a step in between, as after a cancelled validation, it changes nothing."""
        self._learner.end_epoch()
        self._assign()

    def figures(self) -> dict[str, Any]:
        """Return u and w for the row of one step in a thousandth of the run, else nothing: a row holds 28 numbers."""
        number = self._step + 1
        return self._learner.row() if number % max(1, self._steps // _MOST_ROWS) == 0 else {}

    def epoch_figures(self) -> dict[str, Any]:
        """Return u and w for the row of a validation."""
        return self._learner.row()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything that the next move depends on."""
        return dict(self._learner.state())

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""
        self._learner.restore(arrays)
        self._assign()

    def _assign(self) -> None:
        for table, start, numbers in (
            (self.targets, self._policy.targets(), self._learner.u),
            (self.weights, self._policy.weights(), self._learner.w),
        ):
            start[Value.uncertain] = numbers
            table.assign(start)

    def _over_replicas(self, images: Any, codes: Any) -> tuple[Any, Any, Any]:
        found = self._strategy.run(self._on_replica, args=(images, codes))
        mean = tf.distribute.ReduceOp.MEAN
        of_u, of_w, seen = (self._strategy.reduce(mean, one, axis=None) for one in found)
        return of_u, of_w, seen > 0

    def _on_replica(self, images: Any, codes: Any) -> tuple[Any, Any, Any]:
        half = codes.shape[0] // 2
        pixels, codes = scaled(images)[: 2 * half], codes[: 2 * half]
        batch, held_out = (pixels[:half], codes[:half]), (pixels[half:], codes[half:])
        variables = [variable.value for variable in self._network.trainable_variables]
        u, w = self.targets[Value.uncertain], self.weights[Value.uncertain]
        of_u, of_w, seen = look_ahead(self._logits, variables, batch, held_out, u, w, self._rate)
        return of_u, of_w, tf.cast(seen, tf.float32)


def is_due(step: int, steps_per_epoch: int, steps: int) -> bool:
    """Say whether a look-ahead is due before a step (from 0): every second one after the first epoch or quarter."""
    return step >= min(steps_per_epoch, steps // 4) and step % LOOK_AHEAD_EVERY == 0
