"""Which label row each row of a prediction file is: by its path, DICOM id or study."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import TableError
from cxr_core.schema import DATASETS, KEY_COLUMNS, study_path
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.identifiers import Identifiers
from cxr_core.sources.importing.matching import Matches, match_paths
from cxr_core.sources.importing.row_keys import identifiers
from cxr_core.sources.importing.spelling import ColumnMapping

_STUDY_KEYS = ["dataset", "patient", "study"]
#: (dataset, patient, study)
_Study = tuple[int, int, int]
_STUDY_IN_NAME = r"(?i)(?:^|/)p(?:atient)?0*(?P<patient>\d{1,18})/s(?:tudy)?0*(?P<study>\d{1,18})(?:/|$)"


def prediction_keys(
    bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, known: Callable[[], Identifiers], notes: list[str]
) -> tuple[pd.DataFrame, Matches, pa.Array]:
    """Return the key columns of each row of the file, NULL where it finds no label row, and the file's `key`.

    With them come what found the rows, and the rows' names. `known` returns the source's integers.
    """
    for role in ("path", "dicom"):
        if role in mapping.roles:
            names = identifiers(bad, mapping.roles[role], notes)
            matches = match_paths(names, pa.array(labels["path"]))
            if role == "dicom":
                found = int((matches.rows >= 0).sum())
                matches = Matches(matches.rows, dict.fromkeys(matches.ways, 0) | {"dicom": found})
            return _of_rows(names, matches, labels), matches, names
    if "study" in mapping.roles:
        names = identifiers(bad, mapping.roles["study"], notes)
        patients = None
        if "patient" in mapping.roles:
            patients = identifiers(bad, mapping.roles["patient"], notes).to_pylist()
        keys = study_rows(names.to_pylist(), patients, labels, known())
        rows = np.where(keys["path"].notna(), 0, -1)
        return keys, Matches(rows, {"path": 0, "tail": 0, "dicom": 0, "study": int((rows == 0).sum())}), names
    raise TableError(
        f"{bad.table.name} must have a column `path`, `dicom_id` or `study` that names the rows: say which "
        f"with --column path=NAME. Received: {', '.join(bad.table.columns)[:200]}."
    )


def _of_rows(names: pa.Array, matches: Matches, labels: pd.DataFrame) -> pd.DataFrame:
    if (matches.rows >= 0).all():
        keys = labels.take(matches.rows).reset_index(drop=True)
        return keys.assign(key=keys["path"])
    found = labels.reset_index(drop=True).reindex(np.where(matches.rows < 0, len(labels), matches.rows))
    keys = found.reset_index(drop=True)
    return keys.assign(key=keys["path"].where(keys["path"].notna(), pd.Series(pd.array(names, dtype="str"))))


def study_rows(
    names: list[str], patients: list[str] | None, labels: pd.DataFrame, identifiers: Identifiers
) -> pd.DataFrame:
    """Return the study row that each name (with its patient, where the file has one) stands for."""
    studies = labels.drop_duplicates(_STUDY_KEYS).reset_index(drop=True)
    named = labels[labels["image"] == 0].set_index("path")
    keys_of_named = named[_STUDY_KEYS].itertuples(index=False, name=None)
    by_path: dict[str, _Study] = dict(zip(named.index, keys_of_named, strict=True))
    by_pair = _unique(studies, ["patient", "study"])
    by_study = _unique(studies, ["study"])
    found: list[_Study | None] = []
    for name, pair in zip(names, _pairs(names, patients, identifiers), strict=True):
        alone = by_study.get((identifiers.number("study", name),)) if patients is None else None
        found.append(by_path.get(name) or by_pair.get(pair) or alone)
    return _study_keys(names, found)


def _pairs(
    names: list[str], patients: list[str] | None, identifiers: Identifiers
) -> list[tuple[int | None, int | None]]:
    """Return the integers of (patient, study) that each row tells, in columns or in the study's name."""
    parsed = pc.extract_regex(pa.array([name.replace("\\", "/") for name in names], pa.string()), _STUDY_IN_NAME)
    in_name = zip(
        pc.struct_field(parsed, "patient").to_pylist(), pc.struct_field(parsed, "study").to_pylist(), strict=True
    )
    pairs: list[tuple[int | None, int | None]] = []
    for place, (name, (patient, study)) in enumerate(zip(names, in_name, strict=True)):
        told = identifiers.number("study", name) if study is None else int(study)
        if patients is not None:
            pairs.append((identifiers.number("patient", patients[place]), told))
        else:
            pairs.append((None if patient is None else int(patient), told))
    return pairs


def _unique(studies: pd.DataFrame, keys: list[str]) -> dict[tuple[int | None, ...], _Study]:
    """Return the study of each combination of keys that has only one."""
    alone = studies[~studies.duplicated(keys, keep=False)]
    rows = alone[[*_STUDY_KEYS]].itertuples(index=False, name=None)
    return dict(zip(alone[keys].itertuples(index=False, name=None), rows, strict=True))


def _study_keys(names: list[str], found: list[_Study | None]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for name, study in zip(names, found, strict=True):
        if study is None:
            rows.append((None, None, None, None, None, None, name))
            continue
        plain = name.replace("\\", "/").rstrip("/")
        own = plain if "/" in plain else study_path(DATASETS[study[0]], study[1], study[2])
        rows.append((own, study[1], study[2], 0, -1, study[0], f"{study[1]}/{study[2]}/{study[0]}"))
    return pd.DataFrame(rows, columns=[*KEY_COLUMNS, "key"])
