"""Predictions of a model trained elsewhere -> a prediction table of a source, keyed by the source's own label rows.

The file's keys are looked up in the label table: by path, by DICOM id (the path's file name), or by study. What finds
no label row is counted and left out, because nothing says whose image it is. A key that stands twice with the same
numbers counts once; with different numbers nobody can tell which is right, so all its rows are left out, and counted.
"""

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import ExistsError, TableError, UnknownNameError, UsageError
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, SCALES, VIEWS, check_name, study_path
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.identifiers import Identifiers, load_identifiers
from cxr_core.sources.importing.spelling import ColumnMapping, corrected, guess_mapping
from cxr_core.sources.importing.text_table import TextTable, read_text_table
from cxr_core.sources.registry import ready_source
from cxr_core.sources.source import Source
from cxr_core.tasks.import_labels import Tell, untold
from cxr_core.warehouse.parquet import write_table

_STUDY_KEYS = ["dataset", "patient", "study"]
#: (dataset, patient, study)
_Study = tuple[int, int, int]
_STUDY_IN_NAME = r"(?:^|/)p(?:atient)?0*(?P<patient>\d{1,18})/s(?:tudy)?0*(?P<study>\d{1,18})(?:/|$)"


@dataclass(frozen=True)
class ImportedPredictions:
    """What became of an import.

    Of the rows `read`, `refused` had a bad cell, `unmatched` no label row, and `duplicated` counts those beyond the
    first of each key; `written` stand in the table. `notes` say what was assumed.
    """

    model: str
    table: Path
    scale: str
    read: int
    written: int
    refused: int
    unmatched: int
    duplicated: int
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what `import predictions --json` prints."""
        return {
            "read": self.read,
            "written": self.written,
            "refused": self.refused,
            "unmatched": self.unmatched,
            "duplicated": self.duplicated,
            "model": self.model,
            "table": str(self.table),
            "scale": self.scale,
            "notes": self.notes,
        }


def import_predictions(
    source_name: str,
    file: Path,
    model: str,
    scale: str | None = None,
    replace: bool = False,
    skip_bad_rows: bool = False,
    columns: dict[str, str] | None = None,
    tell: Tell = untold,
) -> ImportedPredictions:
    """Write a file of predictions as the prediction table of `model`.

    Args:
        source_name: the source whose label rows name the images.
        file: CSV, Parquet or NumPy (.npz), with a path, DICOM id or study column and at least one label.
        model: name of the model, new unless `replace`.
        scale: `logit`, `probability` or `score`; by default a probability when all numbers are from 0 to 1, else logit.
        replace: whether a table of that name is replaced.
        skip_bad_rows: whether rows with a bad cell are left out.
        columns: corrections of the guessed mapping, our name -> the file's column (`""`: none).
        tell: called with the share that is done, from 0 to 1, and what is going on.

    Raises:
        TableError: the file is damaged, lacks a column, has a cell that means nothing, or matches no label row.
        ExistsError: the source has predictions of that name already.
        UsageError: the source has no labels, or a name or the scale is unknown.
    """
    source = ready_source(source_name)
    check_name("model", model)
    if scale is not None and scale not in SCALES:
        raise UnknownNameError("scale", scale, SCALES)
    _check_free(source, model, replace)
    tell(0.1, "Reading the label table")
    labels = _label_keys(source)
    tell(0.3, f"Reading {Path(file).name}")
    table = read_text_table(Path(file))
    tell(0.6, "Checking every cell")
    mapping = corrected(guess_mapping(table.columns, table.name), columns or {}, table.columns)
    bad = BadCells(table)
    values = _values(bad, mapping)
    known_scale = scale or ("probability" if _are_probabilities(values[~bad.rows]) else "logit")
    if known_scale == "probability":
        _check_probabilities(bad, mapping, values)
    keys = _keys(bad, mapping, labels, load_identifiers(source.folder))
    bad.refuse(skip_bad_rows)
    frame, unmatched, duplicated, contradicting = _matched(values[~bad.rows], keys[~bad.rows])
    if frame.empty:
        raise TableError(
            f"No key of {table.name} is in the label table of {source_name} (first: {_first_key(table, mapping)!r}). "
            "Check that the file belongs to this source."
        )
    path = source.predictions_path(model)
    tell(0.9, "Writing the table")
    write_table(path, frame, known_scale, {"view": _one_view(frame), "imported": table.name})
    notes = _notes(scale, known_scale, contradicting)
    counts = (table.rows, len(frame), int(bad.rows.sum()), unmatched, duplicated)
    return ImportedPredictions(model, path, known_scale, *counts, notes)


def _check_free(source: Source, model: str, replace: bool) -> None:
    warehouse = source.warehouse()
    if model not in warehouse.prediction_tables():
        return
    location = warehouse.prediction_table(model).location
    if location != str(source.predictions_path(model)):
        raise ExistsError(f"{model} already has predictions in {location}. Choose another --model name.")
    if not replace:
        raise ExistsError(
            f"The source {source.name} has predictions of {model} already. Use --replace to replace them."
        )


def _label_keys(source: Source) -> pd.DataFrame:
    if not source.tables.labels:
        raise UsageError(f"The source {source.name} has no label table, so nothing tells whose images they are. "
                         "Import its labels first.")  # fmt: skip
    return source.warehouse().labels()[list(KEY_COLUMNS)]


def _values(bad: BadCells, mapping: ColumnMapping) -> pd.DataFrame:
    if not mapping.labels:
        raise TableError(f"{bad.table.name} has no column that names a label, as `Edema` does. Check the file.")
    return pd.DataFrame({name: cells.numbers(bad, mapping.labels[name]) for name in LABELS if name in mapping.labels})


def _are_probabilities(values: pd.DataFrame) -> bool:
    return bool(((values >= 0) & (values <= 1)).to_numpy().all())


def _check_probabilities(bad: BadCells, mapping: ColumnMapping, values: pd.DataFrame) -> None:
    for label in values.columns:
        numbers = values[label].to_numpy()
        bad.add(
            (numbers < 0) | (numbers > 1), mapping.labels[label], "must be a probability from 0 to 1 (--scale says so)"
        )


def _keys(bad: BadCells, mapping: ColumnMapping, labels: pd.DataFrame, identifiers: Identifiers) -> pd.DataFrame:
    """Return the key columns of each row of the file, NULL where it finds no label row, and the file's `key`."""
    images = labels[labels["image"] != 0]
    if "path" in mapping.roles:
        names = cells.key_texts(bad, mapping.roles["path"])
        found = _by_name(names, images.set_index("path", drop=False))
        return found if found["path"].notna().any() else _by_study(names, None, labels, identifiers)
    if "dicom" in mapping.roles:
        names = cells.key_texts(bad, mapping.roles["dicom"])
        stems = images["path"].map(lambda path: PurePosixPath(path).stem)
        by_stem = images.set_index(stems)
        return _by_name(names, by_stem.loc[~by_stem.index.duplicated(keep=False)])
    if "study" in mapping.roles:
        names = cells.key_texts(bad, mapping.roles["study"])
        patients = cells.key_texts(bad, mapping.roles["patient"]) if "patient" in mapping.roles else None
        return _by_study(names, patients, labels, identifiers)
    raise TableError(
        f"{bad.table.name} must have a column `path`, `dicom_id` or `study` that names what was predicted. "
        f"Received: {', '.join(bad.table.columns)[:200]}."
    )


def _by_name(names: list[str], rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(names).reset_index(drop=True).assign(key=names)


def _by_study(
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
    parsed = pc.extract_regex(pa.array(names, pa.string()), _STUDY_IN_NAME)
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
        own = name if "/" in name else study_path(DATASETS[study[0]], study[1], study[2])
        rows.append((own, study[1], study[2], 0, -1, study[0], f"{study[1]}/{study[2]}/{study[0]}"))
    return pd.DataFrame(rows, columns=[*KEY_COLUMNS, "key"])


def _matched(values: pd.DataFrame, keys: pd.DataFrame) -> tuple[pd.DataFrame, int, int, int]:
    """Return the rows to write, and the numbers of rows unmatched, beyond the first of a key, and contradicting."""
    duplicated = int(keys["key"].duplicated().sum())
    rows = pd.concat([keys, values], axis=1)
    different = rows.drop_duplicates(["key", *values.columns])
    contradicts = different["key"].duplicated(keep=False)
    contradicting = int(rows["key"].isin(different.loc[contradicts, "key"]).sum())
    once = different[~contradicts]
    found = once["path"].notna()
    frame = once[found].drop(columns="key").reset_index(drop=True)
    integers = {name: frame[name].astype("int64") for name in ("patient", "study", "image", "dataset")}
    frame = frame.assign(**integers, view=frame["view"].astype("Int64").mask(frame["view"] == -1))
    return frame, int((~found).sum()), duplicated, contradicting


def _one_view(frame: pd.DataFrame) -> str | None:
    views = frame["view"].dropna().unique()
    return VIEWS[int(views[0])] if len(views) == 1 and frame["view"].notna().all() else None


def _first_key(table: TextTable, mapping: ColumnMapping) -> str:
    column = next(mapping.roles[role] for role in ("path", "dicom", "study") if role in mapping.roles)
    return table.cell(column, 0)[:80]


def _notes(given: str | None, scale: str, contradicting: int) -> list[str]:
    notes = []
    if given is None:
        notes.append(f"No scale was given; the numbers look like {scale}s.")
    if contradicting:
        notes.append(f"{contradicting:,} rows give different numbers for the same key and were left out.")
    return notes
