"""Which tables a run has: those of a fixed policy, of one that learns, or of one with ranges or kinds."""

from typing import Any

from cxr_core.errors import UsageError
from cxr_core.training.kind_tables import KindTables
from cxr_core.training.learned_policy import LearnedTables
from cxr_core.training.options import TrainOptions
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.run_data import RunData


def tables_for(options: TrainOptions, strategy: Any, network: Any, data: RunData) -> PolicyTables:
    """Return the tables of a run's policy; to be called in the scope of the strategy.

    Raises:
        UsageError: the policy learns, and a device has less than two images of a batch.
    """
    policy = options.policy
    if not policy.is_learned:
        ranges = policy.u_to or policy.kinds
        tables = KindTables(policy, network, options.seed, data.uncertain) if ranges else PolicyTables(policy)
        tables.factors = data.class_factors()
        return tables
    replicas = strategy.num_replicas_in_sync
    if options.batch_size < 2 * replicas:
        raise UsageError(
            f"A learned policy needs two images or more on each of the {replicas} devices. "
            f"Received: batches of {options.batch_size}. Choose a larger batch size."
        )
    steps = data.steps_per_epoch * options.epochs
    return LearnedTables(policy, strategy, network, options.learning_rate, data.steps_per_epoch, steps)
