"""The policy that somebody names: by itself, from what a source has (its models, its readings), or from a file."""

from pathlib import Path

import numpy as np

from cxr_core.errors import UsageError
from cxr_core.policy_files import policy_from_file, policy_of_name
from cxr_core.policy_kinds import SELF_TRAINED
from cxr_core.schema import LABELS, check_name
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.image_targets import check_teacher
from cxr_core.tasks.meaning import meaning
from cxr_core.tasks.meaning_by_model import meaning_by_model
from cxr_core.uncertainty import (
    ESTIMATED,
    FROM_READINGS,
    POLICY_NAMES,
    SOURCE_POLICIES,
    Policy,
    kind_policy,
)

#: What may stand for a policy where a text names it.
CHOICES = (*POLICY_NAMES, f"{SELF_TRAINED}:MODEL", f"{ESTIMATED}[:MODEL]", f"{FROM_READINGS}[:SET]")


def policy_choice(source_name: str, text: str) -> Policy:
    """Return the policy that a text names: one of `CHOICES`, or a TOML or JSON file with an entry for each label.

    Raises:
        UnknownNameError: there is no such policy, model, set of readings or source.
        UsageError: the file is no policy file, or the source lacks what the policy follows from.
    """
    name, _, of = text.partition(":")
    if name in SOURCE_POLICIES and Path(text).name == text:
        return _of_source(source_name, name, of)
    if Path(text).suffix or Path(text).name != text:
        return policy_from_file(Path(text), lambda one: policy_choice(source_name, one))
    return policy_of_name(text)


def from_readings(source_name: str, set_name: str | None = None) -> Policy:
    """Return the policy whose u is, at full weight, what the readers of a set call present among the uncertain."""
    u = meaning(source_name, set_name).policy(1.0, FROM_READINGS).u
    return Policy(FROM_READINGS, u, (1.0,) * len(LABELS))


def estimated(source_name: str, model: str = "") -> Policy:
    """Return the policy whose u is the share present among the uncertain as estimated without any reading.

    It assumes that absent ones are hedged at one rate, whatever they look like (`evaluation.without_readings`). A label
    of which nothing can be estimated takes the mean of the others.

    Args:
        source_name: the source.
        model: whose predictions are the features; by default that which predicts the most images.

    Raises:
        UsageError: no model has predictions, or nothing can be estimated of any label.
    """
    warehouse = ready_source(source_name).warehouse()
    tables = [] if model else warehouse.prediction_tables()
    if not (model or tables):
        raise UsageError(f"The source {source_name} has no predictions, so no share can be estimated. Predict first.")
    model = model or max(tables, key=lambda name: warehouse.listed_table(name).images)
    ranges = meaning_by_model(source_name, model).ranges
    known = {label: one.by_truth.share for label, one in ranges.items() if one.by_truth is not None}
    if not known:
        raise UsageError(f"No label has uncertain images enough among those that {model} predicts.")
    usual = float(np.mean(list(known.values())))
    return Policy(ESTIMATED, tuple(round(known.get(label, usual), 4) for label in LABELS), (1.0,) * len(LABELS))


def self_trained(source_name: str, model: str) -> Policy:
    """Return the policy that gives each uncertain image the probability that a model predicts.

    Raises:
        UnknownNameError, UsageError: the model has no predictions of training images, or none that are probabilities.
    """
    check_teacher(ready_source(source_name), check_name("model", model))
    return kind_policy(f"{SELF_TRAINED}:{model}")


def _of_source(source_name: str, name: str, of: str) -> Policy:
    if name == SELF_TRAINED:
        return self_trained(source_name, of) if of else kind_policy(SELF_TRAINED)
    return estimated(source_name, of) if name == ESTIMATED else from_readings(source_name, of or None)
