"""The targets and weights of uncertain labels that a run's loss looks up, and what a policy may do as the run goes on.

A fixed policy does nothing. One that learns, and one with ranges or kinds, is a subclass: the loop calls its hooks,
trains its variables, keeps what it needs to go on in the checkpoint, and writes its figures into the metric rows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.schema import LABELS
from cxr_core.training.class_weights import with_factors
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.pipeline import look_up
from cxr_core.uncertainty import Policy


class PolicyTables:
    """The tables of a policy as variables; make them in the scope of the strategy.

    Attributes:
        targets, weights: float32 variables of shape (4, 14): row = label value, column = label.
        factors: (14,) what the positive part of each label counts (`class_weights`); None where all counts as it is.
    """

    factors: npt.NDArray[np.float32] | None = None

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.targets = tf.Variable(policy.targets(), trainable=False, aggregation=aggregation, name="targets")
        self.weights = tf.Variable(policy.weights(), trainable=False, aggregation=aggregation, name="weights")

    def of(self, codes: Any) -> tuple[Any, Any]:
        """Return targets and weights, each (batch, 14), of label codes of that shape; for use inside a step."""
        return look_up(self.targets, codes), look_up(self.weights, codes)

    def balanced(self, targets: Any, weights: Any) -> tuple[Any, Any]:
        """Return the targets and weights with the class weights in them."""
        return (targets, weights) if self.factors is None else with_factors(targets, weights, self.factors)

    @property
    def trainable(self) -> list[Any]:
        """The variables that training moves beside the network's."""
        return []

    def loss(self, network: Any, images: Any, codes: Any, training: bool) -> Any:
        """Return the scalar loss of images in [0, 1] (batch, size, size, 1) with their label codes; inside a step."""
        targets, weights = self.balanced(*self.of(codes))
        logits = network(images, training=training)
        return weighted_cross_entropy(targets, weights, logits, codes[:, : len(LABELS)])

    def policy(self) -> Policy:
        """Return the policy as it is now; it is stored with the model, and the validation loss is taken under it."""
        return self._policy

    def before_step(self, step: int, images: Any, codes: Any) -> None:
        """Called before step number `step` (from 0) with its batch, as distributed over the replicas."""

    def after_epoch(self, epoch: int) -> None:
        """Called when epoch number `epoch` (from 1) has been trained, before its validation."""

    def figures(self) -> dict[str, Any]:
        """Return what to write into the metric row of a step beside its loss."""
        return {}

    def epoch_figures(self) -> dict[str, Any]:
        """Return what to write into the metric row of a validation beside its figures."""
        return {}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `restore` needs to go on to the bit; it becomes part of the checkpoint."""
        return {}

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up what `arrays` returned."""
