"""The u of each training image, for policies that want it: from a model's predictions, or from the data itself.

The data itself tells it in a column beside that of the value: `edema_probability`, in [0, 1], of the label table or
imported beside it.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from cxr_core.arrays import FloatArray
from cxr_core.errors import DataError, UsageError
from cxr_core.locations import is_remote
from cxr_core.policy_kinds import SELF_TRAINED, SOFT
from cxr_core.records.example import Record
from cxr_core.records.layout import records_of
from cxr_core.schema import LABELS, Value
from cxr_core.sources.source import Source
from cxr_core.training.row_targets import as_units, read_row_targets, write_row_targets
from cxr_core.uncertainty import Policy

#: What stands behind a label in the name of the column that has its probability.
PROBABILITY = "_probability"
_KEYS = ("patient", "study", "image")


def keep_image_targets(source: Source, policy: Policy, view: str, files: Sequence[str], folder: Path) -> None:
    """Put the u of each training image into the folder of a run, unless an earlier start of the run has.

    Raises:
        UsageError: no uncertain training image has a u, or the records lie elsewhere than on this machine.
        DataError: a column of probabilities has something else.
    """
    if not policy.by_image or read_row_targets(folder) is not None:
        return
    if any(map(is_remote, files)):
        raise UsageError("A u of each image needs records on this machine. Copy them here, and name them by --records.")
    check_image_targets(source, policy)
    labels = source.warehouse().labels("train", view, _soft_columns(policy))
    wanted = _wanted(source, policy, labels)
    places = _Places(labels)
    # Place -1, the last row, is that of records without a label row.
    table = np.vstack([wanted.to_numpy(np.float64), np.full((1, len(LABELS)), np.nan)])
    rows, told = [], False
    for _, record in chain.from_iterable(map(records_of, files)):
        rows.append(places.of(record))
        told = told or _is_told(record, table[rows[-1]])
    if not told:
        raise UsageError("No uncertain training image has a u of its own. Choose another policy, or predict them.")
    write_row_targets(folder, as_units(table[rows]))


def check_image_targets(source: Source, policy: Policy) -> None:
    """Raise unless models and columns from which the policy takes the u of each image are there, as far as is known.

    Raises:
        UnknownNameError: there is no such model.
        UsageError: it has no predictions of training images, or none that are probabilities; or there is no column.
    """
    for kind in sorted(set(policy.kinds)):
        if kind.startswith(f"{SELF_TRAINED}:"):
            check_teacher(source, kind.partition(":")[2])
    soft = _soft_columns(policy)
    there = source.warehouse().further_columns() if soft else []
    if lacking := [column for column in soft if column not in there]:
        raise UsageError(
            f"The label tables have no column {lacking[0]}, from which to take u. Bring it in by "
            "`import groups FILE --by path`, or choose another policy for the label."
        )


def check_teacher(source: Source, model: str) -> None:
    """Raise as `check_image_targets` unless a model predicts the training images."""
    found = source.warehouse().listed_table(model)
    if "train" not in found.datasets:
        raise UsageError(
            f"{model} has no predictions of training images, from which to train. "
            f"Make some: python -m cxr_core predict --model {model} --dataset train --name {model}-train"
        )
    if found.scale not in ("logit", "probability"):
        raise UsageError(f"The predictions of {model} are scores, which tell no probability. Name another model.")


def _soft_columns(policy: Policy) -> list[str]:
    return [f"{label}{PROBABILITY}" for label, one in zip(LABELS, policy.labels_of(SOFT), strict=True) if one]


def _is_told(record: Record, u: FloatArray) -> bool:
    known = zip(LABELS, ~np.isnan(u), strict=True)
    return any(record.labels.get(label) == Value.uncertain for label, one in known if one)


def _wanted(source: Source, policy: Policy, labels: pd.DataFrame) -> pd.DataFrame:
    """Return u by path, a column a label; nan where the policy or the table has none."""
    wanted = pd.DataFrame(np.nan, index=labels["path"], columns=list(LABELS))
    for label, kind in zip(LABELS, policy.kinds, strict=True):
        name, _, model = kind.partition(":")
        if name == SELF_TRAINED:
            wanted[label] = _predicted(source, model, label).reindex(wanted.index).to_numpy()
        elif name == SOFT:
            wanted[label] = _stated(labels, label)
    return wanted


def _predicted(source: Source, model: str, label: str) -> pd.Series:
    warehouse = source.warehouse()
    predicted = warehouse.predictions(model)
    if label not in predicted:
        raise UsageError(f"{model} does not predict {label}. Choose another policy for it, or another model.")
    scores = predicted.set_index("path")[label].astype(np.float64)
    is_logit = warehouse.listed_table(model).scale == "logit"
    return pd.Series(expit(scores), index=scores.index) if is_logit else scores


def _stated(labels: pd.DataFrame, label: str) -> FloatArray:
    column = f"{label}{PROBABILITY}"
    stated = pd.to_numeric(labels[column], errors="coerce").to_numpy(np.float64)
    if np.any((stated < 0) | (stated > 1)) or np.isnan(stated).sum() > labels[column].isna().sum():
        raise DataError(f"The column {column} must have numbers from 0 to 1, or nothing. Correct the label file.")
    return stated


class _Places:
    """Where the label row of a record stands: by its path, else by patient, study and image."""

    def __init__(self, labels: pd.DataFrame) -> None:
        self._paths = {path: place for place, path in enumerate(labels["path"])}
        keys = labels[list(_KEYS)].itertuples(index=False, name=None)
        self._keys = {key: place for place, key in enumerate(keys)}

    def of(self, record: Record) -> int:
        """Return the place, -1 for none."""
        if record.path is not None:
            return self._paths.get(record.path, -1)
        return self._keys.get(tuple(record.keys.get(key) for key in _KEYS), -1)
