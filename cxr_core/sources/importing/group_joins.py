"""Which label rows each row of a table of groups is about: by path, by study or by patient."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from cxr_core.arrays import IntArray
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.sources.importing.matching import Matches, match_paths
from cxr_core.sources.importing.prediction_keys import study_rows
from cxr_core.sources.importing.row_keys import identifiers
from cxr_core.sources.importing.spelling import ColumnMapping

#: What a file can be joined by -> the columns that name it there, the first that there is.
KEYS: dict[str, tuple[str, ...]] = {"path": ("path", "dicom"), "study": ("study",), "patient": ("patient",)}
_STUDY = ["dataset", "patient", "study"]
Joined = tuple[IntArray, IntArray, list[str], str]
"""The number of what each row of the file names (m,), -1 where it is not there; that of each label row (n,); the names
in the file, and a sentence on how they were found."""


def _by_path(
    bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, _known: Identifiers, notes: list[str]
) -> Joined:
    role = next(role for role in KEYS["path"] if role in mapping.roles)
    names = identifiers(bad, mapping.roles[role], notes)
    matches = match_paths(names, pa.array(labels["path"]))
    return matches.rows, np.arange(len(labels)), names.to_pylist(), matches.sentence(names)


def _by_study(
    bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, known: Identifiers, notes: list[str]
) -> Joined:
    names = identifiers(bad, mapping.roles["study"], notes).to_pylist()
    patients = identifiers(bad, mapping.roles["patient"], notes).to_pylist() if "patient" in mapping.roles else None
    keys = study_rows(names, patients, labels, known)
    studies = pd.MultiIndex.from_frame(labels[_STUDY].drop_duplicates())
    found = keys["path"].notna().to_numpy()
    rows = np.full(len(names), -1, np.int64)
    rows[found] = studies.get_indexer(pd.MultiIndex.from_frame(keys.loc[found, _STUDY].astype("int64")))
    of_labels = studies.get_indexer(pd.MultiIndex.from_frame(labels[_STUDY]))
    return rows, of_labels.astype(np.int64), names, Matches(rows, {"study": int(found.sum())}).sentence(names)


def _by_patient(
    bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, known: Identifiers, notes: list[str]
) -> Joined:
    names = identifiers(bad, mapping.roles["patient"], notes).to_pylist()
    place = {patient: number for number, patient in enumerate(labels["patient"].unique().tolist())}
    each = {name: _patient(name, known) for name in set(names)}
    rows = np.array([place.get(each[name], -1) for name in names], np.int64)
    of_labels = labels["patient"].map(place).to_numpy(np.int64)
    found = int((rows >= 0).sum())
    return rows, of_labels, names, Matches(rows, {"patient": found}).sentence(names)


def _patient(name: str, known: Identifiers) -> int | None:
    """Return the integer of a patient, whom paths call p10000032 where tables say 10000032."""
    number = known.number("patient", name)
    return known.number("patient", name[1:]) if number is None and name[:1] in "pP" else number


#: By what a table can be joined -> how.
JOINS: dict[str, Callable[[BadCells, ColumnMapping, pd.DataFrame, Identifiers, list[str]], Joined]] = {
    "path": _by_path,
    "study": _by_study,
    "patient": _by_patient,
}
