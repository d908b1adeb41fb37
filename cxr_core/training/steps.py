"""The compiled work on one batch: a training step, the gradients that it takes, and a prediction.

Built once a run. A batch comes as `tf.distribute` gives it out: images as stored (0 to 255) and label codes.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from cxr_core.training.adam import Adam
from cxr_core.training.pixels import scaled
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.weight_average import WeightAverage

_SUM = tf.distribute.ReduceOp.SUM


class Steps:
    """What is done with a batch under a strategy.

    Args:
        strategy: a `tf.distribute` strategy.
        network: Keras network, built in the strategy's scope.
        optimizer: on the network's trainable variables, built there too.
        policy: targets and weights of the loss.
        average: of the network's weights, taken along after each step.
        xla: compile forward and backward pass with XLA.
    """

    def __init__(
        self,
        strategy: Any,
        network: Any,
        optimizer: Adam,
        policy: PolicyTables,
        xla: bool = False,
        average: WeightAverage | None = None,
    ) -> None:
        self.average = average
        self.strategy, self.network, self.optimizer, self.policy = strategy, network, optimizer, policy
        self._differentiate: Callable[..., Any] = self._loss_and_gradients
        if xla:
            self._differentiate = tf.function(self._loss_and_gradients, jit_compile=True, autograph=False)
        # Nothing here branches on a tensor, and looking for such branches takes as long as all the rest.
        self.train = tf.function(self._train, autograph=False)
        self.predict = tf.function(self._predict, autograph=False)

    def loss(self, images: Any, codes: Any, training: bool) -> Any:
        """Return the scalar loss of a replica's part of the batch; for use inside `strategy.run`."""
        return self.policy.loss(self.network, scaled(images), codes, training)

    def reduced_gradients(self, images: Any, codes: Any, training: bool = True) -> tuple[Any, list[Any]]:
        """Return (this replica's share of the loss, gradients of the whole batch's); inside `strategy.run`."""
        loss, gradients = self._differentiate(images, codes, training)
        if self.strategy.num_replicas_in_sync > 1:
            gradients = tf.distribute.get_replica_context().all_reduce(_SUM, gradients)
        return loss, gradients

    def _loss_and_gradients(self, images: Any, codes: Any, training: bool) -> tuple[Any, list[Any]]:
        trained = self.optimizer.trained
        with tf.GradientTape() as tape:
            # The gradients of all replicas are summed, so that each brings its share of the mean.
            loss = self.loss(images, codes, training) / self.strategy.num_replicas_in_sync
            differentiated = self.optimizer.scaled(loss)
        return loss, tape.gradient(differentiated, trained)

    def _train(self, images: Any, codes: Any) -> Any:
        """Do one step, and return the loss before it."""
        losses = self.strategy.run(self._train_on_replica, args=(images, codes))
        return self.strategy.reduce(_SUM, losses, axis=None)

    def _train_on_replica(self, images: Any, codes: Any) -> Any:
        loss, gradients = self.reduced_gradients(images, codes)
        self.optimizer.apply(gradients)
        self._agree_on_averages()
        if self.average is not None:
            self.average.update(self.optimizer.steps)
        return loss

    def _agree_on_averages(self) -> None:
        """Give all replicas the mean of their running averages, which plain batch norm takes from their own images."""
        variables = [variable.value for variable in self.network.non_trainable_variables]
        averages = [variable for variable in variables if variable.dtype.is_floating]
        if self.strategy.num_replicas_in_sync == 1 or not averages:
            return
        # The identity is on this replica's device, where the value of a variable tells none.
        here = [tf.identity(variable) for variable in averages]
        means = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, here)
        for variable, mean in zip(averages, means, strict=True):
            tf.raw_ops.AssignVariableOp(resource=variable.handle, value=mean)

    def _predict(self, images: Any) -> Any:
        """Return the logits of each replica."""
        return self.strategy.run(lambda batch: self.network(scaled(batch), training=False), args=(images,))
