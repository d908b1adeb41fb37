"""Adam as TensorFlow 1 had it and the notebook used it, by TensorFlow's one kernel for it.

Keras's optimizer puts the same formula together from some fifteen operations a variable: thousands for a DenseNet121,
which take long to build and add to every step. Kingma & Ba 2015, "Adam", with the epsilon outside the correction;
the decay is that of Loshchilov & Hutter 2019, "Decoupled weight decay regularization".
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_BETA1, _BETA2 = 0.9, 0.999
#: TensorFlow 1's; Keras would take 1e-7.
_EPSILON = 1e-8
#: Float16 gradients below 6e-8 vanish, so the loss is scaled up, and less so after a step that overflowed.
_FIRST_SCALE, _STEPS_TO_DOUBLE = 2.0**15, 2000


class Adam:
    """Adam on some variables; make it, as they were made, in the scope of the strategy.

    Args:
        trainable: Keras variables.
        learning_rate: a number, or a variable that is set before each step.
        scales_loss: scale the loss up, for float16.
        weight_decay: the share, times the learning rate, by which each step shrinks variables of two axes or more.
        clip_norm: what the norm of all gradients together is cut to; 0 leaves it as it is.

    Attributes:
        trained: the variables that are changed.
        steps: how many steps were done.
        variables: everything that a checkpoint must hold, in a fixed order.
    """

    def __init__(
        self,
        trainable: Sequence[Any],
        learning_rate: Any,
        scales_loss: bool = False,
        weight_decay: float = 0.0,
        clip_norm: float = 0.0,
    ) -> None:
        self.trained = [variable.value for variable in trainable]
        self._rate, self._decay, self._clip_norm = learning_rate, weight_decay, clip_norm
        self._scales = scales_loss
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="steps")
        self._first = [_zeros_like(variable) for variable in self.trained]
        self._second = [_zeros_like(variable) for variable in self.trained]
        self.variables = [self.steps, *self._first, *self._second]
        if scales_loss:
            self._scale = tf.Variable(_FIRST_SCALE, trainable=False, name="loss_scale")
            self._good = tf.Variable(0, dtype=tf.int64, trainable=False, name="steps_since_overflow")
            self.variables += [self._scale, self._good]

    def scaled(self, loss: Any) -> Any:
        """Return the loss to differentiate: larger with float16, else as it is."""
        return loss * self._scale if self._scales else loss

    def apply(self, gradients: Sequence[Any]) -> None:
        """Do one step in a replica with the gradients of `scaled(loss)`, summed over all replicas already.

        With a scaled loss, a step whose gradients overflowed changes nothing but the scale.
        """
        if not self._scales:
            self._apply(gradients)
            return
        gradients = [gradient / self._scale for gradient in gradients]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])
        tf.cond(finite, lambda: self._apply(gradients), lambda: None)
        good = tf.where(finite, self._good + 1, 0)
        doubles = good >= _STEPS_TO_DOUBLE
        factor = tf.where(finite, tf.where(doubles, 2.0, 1.0), 0.5)
        _set(self._scale, tf.maximum(self._scale * factor, 1.0))
        _set(self._good, tf.where(doubles, tf.zeros_like(good), good))

    def _apply(self, gradients: Sequence[Any]) -> None:
        steps = self.steps + 1
        _set(self.steps, steps)
        if self._clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._clip_norm)
        self._shrink()
        count = tf.cast(steps, tf.float32)
        powers = {"beta1_power": tf.pow(_BETA1, count), "beta2_power": tf.pow(_BETA2, count)}
        fixed = {"lr": tf.convert_to_tensor(self._rate), "beta1": _BETA1, "beta2": _BETA2, "epsilon": _EPSILON}
        for variable, first, second, gradient in zip(self.trained, self._first, self._second, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, grad=gradient, **powers, **fixed
            )

    def _shrink(self) -> None:
        for variable in self.trained if self._decay else ():
            if len(variable.shape) > 1:
                share = tf.convert_to_tensor(self._rate) * self._decay
                tf.raw_ops.AssignSubVariableOp(resource=variable.handle, value=tf.convert_to_tensor(variable) * share)


def _zeros_like(variable: Any) -> Any:
    return tf.Variable(tf.zeros(variable.shape, variable.dtype), trainable=False)


def _set(variable: Any, value: Any) -> None:
    """Assign on this replica alone, as all others do the same."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
