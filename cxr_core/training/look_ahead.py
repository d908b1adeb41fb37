"""In which direction u and w should move, by a look-ahead of one training step.

The loss of the certain labels does not contain u at all, and that of the uncertain ones is linear in it, so descending
either leads nowhere. What u does is seen one step later: the network is updated with u, virtually, and the loss of the
certain labels on held-out training images is taken after that update. Its gradient with respect to u says which u
would have served the certain labels better (Ren et al. 2018, "Learning to reweight examples for robust deep
learning").

With the weights θ, a training batch of B images whose loss is L(θ, u, w) = mean of [w_l or 1] · cross-entropy, a step
of size η along the gradient, θ' = θ - η ∇L, and the certain labels' loss C on the held-out batch, the chain rule gives,
where v = ∇C(θ') and J_nl = v · ∇z_nl is how fast the logit of image n and label l grows along v,

    dC/du_l =  η w_l / (14 B) · Σ J_nl                    over the images n whose label l is uncertain
    dC/dw_l = -η / (14 B)     · Σ (σ(z_nl) - u_l) J_nl

so that nothing of second order is ever built. J is a central difference of the logits at θ ± ε v, ε = 0.01 / |v|, as in
DARTS (Liu et al. 2019): two forward passes. The whole network is looked through. Batch normalisation uses the
statistics of each batch, as in training, and none of the virtual passes moves its averages. η only scales both
gradients, and θ' lies one step of plain gradient descent away.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from cxr_core.schema import Value
from cxr_core.training.loss import weighted_cross_entropy

_DIFFERENCE = 0.01
_TINY = 1e-12


def targets_and_weights(codes: Any, u: Any, w: Any) -> tuple[Any, Any]:
    """Return the float32 targets and weights of label codes, all (batch, 14), under u and w, each (14,)."""
    uncertain = codes == Value.uncertain
    positive = tf.cast(codes == Value.positive, tf.float32)
    weights = tf.where(uncertain, w[tf.newaxis, :], tf.cast(codes >= 0, tf.float32))
    return tf.where(uncertain, u[tf.newaxis, :], positive), weights


def functional_logits(network: Any) -> Any:
    """Return a function (trainable arrays, images in [0, 1]) -> logits, by the batch's statistics, nothing kept."""

    def logits(variables: Sequence[Any], images: Any) -> Any:
        frozen = [variable.value for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(variables, frozen, images, training=True)
        return tf.cast(outputs, tf.float32)

    return logits


def look_ahead(
    logits: Any,
    variables: Sequence[Any],
    batch: tuple[Any, Any],
    held_out: tuple[Any, Any],
    u: Any,
    w: Any,
    rate: float,
) -> tuple[Any, Any, Any]:
    """Return dC/du, dC/dw, each (14,), and which labels are uncertain in the batch, (14,) of bool; see above.

    Args:
        logits: what `functional_logits` returned.
        variables: θ, the trainable arrays.
        batch: images and label codes (B, 14) to train on virtually.
        held_out: images and label codes on which the certain labels' loss is taken.
        u: targets, (14,).
        w: weights, (14,).
        rate: η, the size of the virtual step.
    """
    gradients = _gradients(logits, variables, batch, u, w)
    ahead = [value - rate * gradient for value, gradient in zip(variables, gradients, strict=True)]
    direction = _gradients(logits, ahead, held_out, u, tf.zeros_like(w))
    epsilon = _DIFFERENCE / (tf.linalg.global_norm(direction) + _TINY)
    images, codes = batch
    above = logits([value + epsilon * d for value, d in zip(variables, direction, strict=True)], images)
    below = logits([value - epsilon * d for value, d in zip(variables, direction, strict=True)], images)
    growth = (above - below) / (2 * epsilon)
    uncertain = tf.cast(codes == Value.uncertain, tf.float32)
    scale = rate / tf.maximum(tf.reduce_sum(tf.cast(codes >= 0, tf.float32)), 1.0)
    of_u = scale * w * tf.reduce_sum(uncertain * growth, 0)
    residual = tf.sigmoid((above + below) / 2) - u[tf.newaxis, :]
    of_w = -scale * tf.reduce_sum(uncertain * residual * growth, 0)
    return of_u, of_w, tf.reduce_any(uncertain > 0, 0)


def _gradients(logits: Any, variables: Sequence[Any], batch: tuple[Any, Any], u: Any, w: Any) -> list[Any]:
    """Return the gradients of the loss of a batch at `variables`; with w = 0, that of its certain labels."""
    with tf.GradientTape() as tape:
        tape.watch(variables)
        loss = weighted_cross_entropy(*targets_and_weights(batch[1], u, w), logits(variables, batch[0]), batch[1])
    found: list[Any] = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return found
