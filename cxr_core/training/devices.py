"""TensorFlow set up for one run: the strategy, and what makes it deterministic and quick to start."""

from typing import Any

import keras
import tensorflow as tf

from cxr_core.errors import UsageError
from cxr_core.training.accelerators import strategy_for
from cxr_core.training.options import TrainOptions


def prepared_strategy(options: TrainOptions) -> Any:
    """Return the strategy, with TensorFlow set up so that the seed decides everything and the first step comes soon.

    Raises:
        UsageError: this machine lacks the accelerator, or its devices cannot share a batch evenly.
    """
    # Deterministic kernels are slow on a GPU, and missing in XLA: it has none for the gradient of max pooling.
    if options.repeats_to_the_bit:
        tf.config.experimental.enable_op_determinism()
    if options.accelerator == "cpu":
        # Rewriting the graph costs 30 s and gains nothing here.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    strategy = strategy_for(options.accelerator, options.workers)
    if options.batch_size % strategy.num_replicas_in_sync:
        raise UsageError(
            f"The batch size must be a multiple of the {strategy.num_replicas_in_sync} devices. "
            f"Received: {options.batch_size}."
        )
    keras.utils.set_random_seed(options.seed)
    return strategy
