"""The inputs of the Train page filled in as a run had them, for whoever asks for a run like it."""

from typing import Any

from cxr_core.policy_kinds import SELF_TRAINED
from cxr_core.training.options import OPTIONS, TrainOptions
from cxr_core.uncertainty import CUSTOM, POLICY_NAMES, Policy
from dashboard.shared.policy_table import OWN_FIRST_STAGE, PER_LABEL, table_text


def filled_in(options: TrainOptions) -> dict[str, Any]:
    """Return the values of the form's inputs, by their keys, that ask for a run like this one.

    The seed and the name are left to the new run, and a choice that the form does not offer to its default.
    """
    policy = options.policy
    values = {
        "train-strategy": _strategy(policy),
        "train-u": policy.u_scalar,
        "train-w": policy.w_scalar,
        "train-teacher": policy.kinds[0].partition(":")[2] or OWN_FIRST_STAGE if policy.name == SELF_TRAINED else None,
        "train-table-start": table_text(policy) if _strategy(policy) == PER_LABEL else None,
    }
    for option in OPTIONS:
        value = getattr(options, option.name)
        if option.again and value != "" and (not option.choices or value in option.choices):
            values[option.key] = value
    return {key: value for key, value in values.items() if value is not None}


def _strategy(policy: Policy) -> str:
    if policy.name in POLICY_NAMES:
        return policy.name
    return CUSTOM if policy.u_scalar is not None and policy.w_scalar is not None else PER_LABEL
