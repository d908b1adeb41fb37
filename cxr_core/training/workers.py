"""What the processes of a run on several machines must do together; with one process it costs nothing.

The first worker of TF_CONFIG, the chief, writes checkpoints and models. A decision that only one may have made, such as
to stop, is taken by all at the same step, or the others would wait for it for ever.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.training.accelerators import gathered
from cxr_core.training.pipeline import WorkerPart


class Workers:
    """The processes that share a strategy.

    Attributes:
        strategy: a `tf.distribute` strategy.
        count: how many processes there are.
        is_chief: whether this is the one that writes.
    """

    def __init__(self, strategy: Any) -> None:
        self.strategy = strategy
        self.count, self.is_chief = 1, True
        if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            self.count, self.is_chief = _place(strategy.cluster_resolver)
        # As many shapes as the network has, each once.
        self._sum = tf.function(self._summed, reduce_retracing=True, autograph=False)
        self._gather = tf.function(self._gathered, autograph=False)

    def distributed(self, make: Any) -> Any:
        """Return the batches of a data set as the strategy gives them out; `make` takes this worker's `WorkerPart`."""

        def made(context: Any) -> Any:
            share = WorkerPart(context.input_pipeline_id, context.num_input_pipelines, context.num_replicas_in_sync)
            batches = make(share)
            # All workers know the number of batches: without this they would ask each other before every one.
            endless = tf.data.INFINITE_CARDINALITY
            return batches.apply(tf.data.experimental.assert_cardinality(endless)) if self.count > 1 else batches

        return self.strategy.distribute_datasets_from_function(made)

    def any(self, here: bool) -> bool:
        """Say whether it is so at any of the workers."""
        return here if self.count == 1 else bool(self._total(np.float64(here)) > 0)

    def from_chief(self, arrays: Iterator[npt.NDArray[Any]] | list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Return the chief's arrays; the others give some of the same shapes and types."""
        if self.count == 1:
            return list(arrays)
        return [self._total(array if self.is_chief else np.zeros_like(array)) for array in arrays]

    def seed(self, own: int) -> int:
        """Return the chief's seed: each worker's command may have drawn another."""
        return int(self.from_chief([np.array(own, np.int64)])[0])

    def rows(self, value: Any) -> npt.NDArray[Any]:
        """Return the rows that all replicas of all workers hold as one array, in the order of the replicas."""
        if self.count > 1:
            return np.asarray(self.strategy.experimental_local_results(self._gather(value))[0])
        return gathered(self.strategy, value)

    def _total(self, value: npt.NDArray[Any] | np.float64) -> npt.NDArray[Any]:
        return np.asarray(self._sum(tf.convert_to_tensor(value)))

    def _summed(self, value: Any) -> Any:
        def first_of_worker() -> Any:
            context = tf.distribute.get_replica_context()
            local = context.replica_id_in_sync_group % (self.strategy.num_replicas_in_sync // self.count)
            return tf.where(tf.equal(local, 0), value, tf.zeros_like(value))

        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, self.strategy.run(first_of_worker), axis=None)

    def _gathered(self, value: Any) -> Any:
        """Return the rows of all replicas on each; a sum in which every replica fills its own place."""
        replicas = self.strategy.num_replicas_in_sync

        def gather(part: Any) -> Any:
            numbers = part if part.dtype.is_floating else tf.cast(part, tf.int64)
            context = tf.distribute.get_replica_context()
            place = tf.one_hot(context.replica_id_in_sync_group, replicas, dtype=numbers.dtype)
            placed = tf.tensordot(place, numbers, axes=0)
            rows = context.all_reduce(tf.distribute.ReduceOp.SUM, placed)
            return tf.reshape(rows, (-1, *part.shape[1:]))

        return self.strategy.run(gather, args=(value,))


def _place(resolver: Any) -> tuple[int, bool]:
    """Return how many workers there are, and whether this is the first; a cluster of nobody is this process alone."""
    cluster = resolver.cluster_spec().as_dict()
    count = sum(len(cluster.get(kind, [])) for kind in ("chief", "worker"))
    first = "chief" if "chief" in cluster else "worker"
    return max(1, count), count == 0 or (resolver.task_type == first and resolver.task_id == 0)
