"""Learning u and w while the network trains: the 2019 notebook's open idea, by a look-ahead of one step.

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

Both batches are halves of the batch that the step is about to train on: the first half is trained on virtually, the
other is held out from that. No step of the epoch has seen either, nothing is taken from training, it is never the same
few images, and a resumed run needs no batch of the past. (A fixed held-out part was tried: with a few hundred images u
comes to fit their peculiarities.) Validation data is never looked at. With half batches a look-ahead costs 1.3 steps;
it is done before every second step, so that training takes some 1.7 times as long.

u moves after each look-ahead, by Adam's rule, because the gradients of rare labels are a thousand times smaller than
those of common ones; w once an epoch, by at most 0.2, against the sum of its gradients in units of their spread. Both
stay in [0, 1]. Both rest during the first epoch (the first quarter of a shorter run), because what the look-ahead tells
is how the uncertain labels pull a network away from what the certain ones have taught it. Where the certain labels of
similar images are mostly positive, u rises, else it falls; it comes to rest at the mean probability that the network
gives to the uncertain images, as far as it has learned that from the certain ones.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.errors import UsageError
from cxr_core.schema import LABELS, Value
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.options import TrainOptions
from cxr_core.training.pixels import scaled
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.uncertainty import Policy

#: A look-ahead at every so many steps.
LOOK_AHEAD_EVERY = 2

_U_STEP = 0.03
#: The steps of u shrink with the root of the number of look-aheads, from about here on.
_U_STEPS_UNSHRUNK = 50.0
_MEMORY, _SQUARE_MEMORY = 0.9, 0.99
_W_STEP, _MOST_SPREADS = 0.1, 2.0
_DIFFERENCE = 0.01
_MOST_ROWS = 1000
_TINY = 1e-12

Numbers = npt.NDArray[np.float64]
_STATE = ("u", "w", "mean", "square", "count", "w_sum", "w_square")


class PolicyLearner:
    """u and w of each label, and how they move. Holds arrays of shape (14,) only, so that a checkpoint keeps it all."""

    def __init__(self, start: Policy) -> None:
        self._name = start.name
        self._state: dict[str, Numbers] = {name: np.zeros(len(LABELS)) for name in _STATE}
        self._state |= {"u": np.array(start.u, np.float64), "w": np.array(start.w, np.float64)}

    @property
    def u(self) -> npt.NDArray[np.float32]:
        """The targets now, for the network."""
        return self._state["u"].astype(np.float32)

    @property
    def w(self) -> npt.NDArray[np.float32]:
        """The weights now, for the network."""
        return self._state["w"].astype(np.float32)

    def learn(self, gradient_u: npt.NDArray[Any], gradient_w: npt.NDArray[Any], seen: npt.NDArray[Any]) -> None:
        """Move u of the labels that were `seen` uncertain in the batch, and note the gradients of w."""
        state, on = self._state, np.asarray(seen, bool)
        g = np.asarray(gradient_u, np.float64)
        state["count"] = state["count"] + on
        state["mean"] = np.where(on, _MEMORY * state["mean"] + (1 - _MEMORY) * g, state["mean"])
        state["square"] = np.where(on, _SQUARE_MEMORY * state["square"] + (1 - _SQUARE_MEMORY) * g**2, state["square"])
        count = np.maximum(state["count"], 1)
        mean = state["mean"] / (1 - _MEMORY**count)
        square = state["square"] / (1 - _SQUARE_MEMORY**count)
        size = _U_STEP / np.sqrt(1 + count / _U_STEPS_UNSHRUNK)
        moved = state["u"] - size * mean / (np.sqrt(square) + np.finfo(np.float32).tiny)
        state["u"] = np.where(on, np.clip(moved, 0, 1), state["u"])
        g = np.where(on, np.asarray(gradient_w, np.float64), 0)
        state["w_sum"] = state["w_sum"] + g
        state["w_square"] = state["w_square"] + g**2

    def end_epoch(self) -> None:
        """Move w against the sum of its gradients over the epoch, divided by the root of the sum of their squares.

        That ratio is about standard normal where w makes no difference, and is cut at 2.
        """
        state = self._state
        spreads = state["w_sum"] / np.sqrt(np.maximum(state["w_square"], np.finfo(np.float64).tiny))
        state["w"] = np.clip(state["w"] - _W_STEP * np.clip(spreads, -_MOST_SPREADS, _MOST_SPREADS), 0, 1)
        state["w_sum"], state["w_square"] = np.zeros(len(LABELS)), np.zeros(len(LABELS))

    def policy(self) -> Policy:
        """Return the policy as it is now."""
        return Policy(self._name, *(tuple(round(float(x), 6) for x in self._state[name]) for name in ("u", "w")))

    def row(self) -> dict[str, list[float]]:
        """Return u and w as a metrics row has them: 14 numbers each, in schema order."""
        policy = self.policy()
        return {"u": list(policy.u), "w": list(policy.w)}

    def state(self) -> dict[str, Numbers]:
        """Return everything that the next move depends on, for a checkpoint."""
        return {name: array.copy() for name, array in self._state.items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from what `state` returned."""
        self._state = {name: np.array(state[name], np.float64) for name in _STATE}


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


def tables_for(options: TrainOptions, strategy: Any, network: Any, steps_per_epoch: int) -> PolicyTables:
    """Return the tables of a run's policy; to be called in the scope of the strategy.

    Raises:
        UsageError: the policy learns, and a device has less than two images of a batch.
    """
    policy = options.policy
    if not policy.is_learned:
        return PolicyTables(policy)
    replicas = strategy.num_replicas_in_sync
    if options.batch_size < 2 * replicas:
        raise UsageError(
            f"A learned policy needs two images or more on each of the {replicas} devices. "
            f"Received: batches of {options.batch_size}. Choose a larger batch size."
        )
    steps = steps_per_epoch * options.epochs
    return LearnedTables(policy, strategy, network, options.learning_rate, steps_per_epoch, steps)


def is_due(step: int, steps_per_epoch: int, steps: int) -> bool:
    """Say whether a look-ahead is due before a step (from 0): every second one after the first epoch or quarter."""
    return step >= min(steps_per_epoch, steps // 4) and step % LOOK_AHEAD_EVERY == 0


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
