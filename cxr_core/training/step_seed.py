"""The seed of what is drawn in a step: from the run's and the step's number, so that a resumed run draws the same."""

from typing import Any

import tensorflow as tf


def step_seed(seed: int, step: Any) -> Any:
    """Return a seed (2,) that is another one on each replica and in each step; for use inside a step.

    Args:
        seed: of the run.
        step: an int64 variable, the number of the step.
    """
    context = tf.distribute.get_replica_context()
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    return tf.stack([tf.constant(seed, tf.int64), step * context.num_replicas_in_sync + replica])
