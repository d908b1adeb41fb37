"""The inputs of the Train page filled in as a run had them, for whoever asks for a run like it."""

from typing import Any

from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import CUSTOM, POLICY_NAMES, Policy
from dashboard.shared.policy_input import PER_LABEL, table_text

BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512)


def filled_in(options: TrainOptions) -> dict[str, Any]:
    """Return the values of the form's inputs, by their keys, that ask for a run like this one.

    The seed and the name are left to the new run, and a choice that the form does not offer to its default.
    """
    policy = options.label_policy()
    values = {
        "train-view": options.view,
        "train-strategy": _strategy(policy),
        "train-u": policy.u_scalar,
        "train-w": policy.w_scalar,
        "train-table-start": table_text(policy) if _strategy(policy) == PER_LABEL else None,
        "train-architecture": options.architecture,
        "train-epochs": options.epochs,
        "train-batch-size": options.batch_size if options.batch_size in BATCH_SIZES else None,
        "train-image-size": options.image_size,
        "train-learning-rate": options.learning_rate,
        "train-stop": options.early_stopping,
        "train-records": options.records,
        "train-init-from": options.init_from or None,
    } | _execution(options)
    return {key: value for key, value in values.items() if value is not None}


def _strategy(policy: Policy) -> str:
    if policy.name in POLICY_NAMES:
        return policy.name
    return CUSTOM if policy.u_scalar is not None and policy.w_scalar is not None else PER_LABEL


def _execution(options: TrainOptions) -> dict[str, Any]:
    """Return the values of these inputs, by their keys, that ask for a run like this one."""
    return {
        "train-precision": options.precision,
        "train-xla": options.xla,
        "train-batch-norm": options.batch_norm,
        "train-decode": options.decode,
        "train-cache": options.cache,
        "train-augment": options.augment,
        "train-checkpoint-minutes": options.checkpoint_minutes,
    }
