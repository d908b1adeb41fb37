"""The tables of a policy whose labels have ranges or kinds: drawn, brought along by the image, or of three classes.

Whatever the kind, the loss gets a target and a weight for each image and label. A range is drawn from anew for each
image and epoch, from the seed and the number of the step alone, so that a resumed run draws the same.

*Three classes* (absent, uncertain, present) have the logits 0, a and z. With r = a - log(1 + e^z) the cross-entropy of
their softmax falls into two binary ones: of z for the certain images, as without the third class, and of r, which
tells uncertain from certain. z stays the output of the network, the logit of present against absent. Where no training
image of a label is uncertain there is no third class, and the label is trained as any other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.policy_kinds import SELF_TRAINED, SOFT, THREE_CLASS
from cxr_core.schema import LABELS, Value
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.row_targets import NONE, UNITS
from cxr_core.training.step_seed import step_seed
from cxr_core.uncertainty import Policy

_KERNEL, _BIAS = "uncertain_kernel", "uncertain_bias"


class KindTables(PolicyTables):
    """The tables of a policy with ranges or kinds; make them, like the network, in the scope of the strategy.

    Args:
        policy: what uncertain labels and blanks mean.
        network: the network that is trained; its last layer is linear.
        seed: of the run.
        uncertain: the labels of which some training image is uncertain.
    """

    def __init__(self, policy: Policy, network: Any, seed: int, uncertain: Sequence[str]) -> None:
        super().__init__(policy)
        self._low = np.array(policy.u, np.float32)
        self._span = np.array(policy.upper, np.float32) - self._low
        self._by_image = np.array(policy.labels_of(SOFT)) | np.array(policy.labels_of(SELF_TRAINED))
        three = np.array(policy.labels_of(THREE_CLASS)) & np.isin(LABELS, uncertain)
        self._three = three.astype(np.float32)
        self._seed = seed
        aggregation = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=aggregation, name="draw")
        self._head = self._both = None
        if three.any():
            self._head = keras.layers.Dense(len(LABELS), kernel_initializer="zeros", dtype="float32", name="uncertain")
            logits = network.outputs[0]
            self._both = keras.Model(network.inputs[0], [logits, self._head(network.layers[-1].input)])

    @property
    def trainable(self) -> list[Any]:
        """The variables that training moves beside the network's."""
        return [] if self._head is None else list(self._head.trainable_variables)

    def before_step(self, step: int, images: Any, codes: Any) -> None:
        """Note the step, which decides on what is drawn in it."""
        if self._span.any():
            self._step.assign(step)

    def of(self, codes: Any) -> tuple[Any, Any]:
        """Return targets and weights, each (batch, 14), of label codes, beside which each image's own u may stand."""
        codes, units = codes[:, : len(LABELS)], codes[:, len(LABELS) :]
        targets, weights = super().of(codes)
        uncertain = codes == Value.uncertain
        if self._span.any():
            targets = tf.where(uncertain & (self._span > 0), self._drawn(tf.shape(codes)), targets)
        if self._by_image.any() and units.shape[1]:
            told = uncertain & self._by_image & (units != NONE)
            targets = tf.where(told, tf.cast(units, tf.float32) / UNITS, targets)
            weights = tf.where(told, tf.ones_like(weights), weights)
        return targets, weights

    def loss(self, network: Any, images: Any, codes: Any, training: bool) -> Any:
        """Return the loss of a replica's part of the batch, images in [0, 1]."""
        if self._both is None:
            return super().loss(network, images, codes, training)
        targets, weights = self.of(codes)
        codes = codes[:, : len(LABELS)]
        logits, further = self._both(images, training=training)
        uncertain = codes == Value.uncertain
        weights_of_third = tf.where(uncertain, tf.cast(codes >= 0, tf.float32), weights) * self._three
        third = further - tf.math.softplus(logits)
        targets, weights = self.balanced(targets, weights)
        return weighted_cross_entropy(targets, weights, logits, codes) + weighted_cross_entropy(
            tf.cast(uncertain, tf.float32), weights_of_third, third, codes
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the weights of the third class."""
        return dict(zip((_KERNEL, _BIAS), map(np.asarray, self.trainable), strict=False))

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what `arrays` returned."""
        for name, variable in zip((_KERNEL, _BIAS), self.trainable, strict=False):
            variable.assign(arrays[name])

    def _drawn(self, shape: Any) -> Any:
        return self._low + self._span * tf.random.stateless_uniform(shape, step_seed(self._seed, self._step))
