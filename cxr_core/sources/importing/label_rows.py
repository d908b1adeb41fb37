"""Files of label tables -> rows of our label table, whatever layout they have.

Three layouts are known by their columns. `notebook`: our own columns, with label codes 0 to 3. `chexpert`: one file
with a path (or, for whole studies, a `Study` column) and labels that are blank, 0, -1 or 1; any other file with such
columns is read in the same way. `mimic-cxr-jpg`: labels by study in one file, the images and their views in a second,
the split in a third, joined here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import TableError, UnknownNameError, UsageError
from cxr_core.schema import DATASETS, LABELS, dataset_code, view_code
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.spelling import ColumnMapping, guess_mapping
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import counted

LAYOUTS: tuple[str, ...] = ("auto", "notebook", "chexpert", "mimic-cxr-jpg")

_STUDY_IN_PATH = r"(?:^|/)(?P<patient>p(?:atient)?\d{1,18})/(?P<study>s(?:tudy)?\d{1,18})(?:/|$)"
_DATASET_IN_PATH = r"(?i)(?:^|[/_.-])(?P<word>train|valid|validate|validation|val|test)(?:[/_.-]|$)"
_VIEW_IN_PATH = r"(?i)_(?P<word>frontal|lateral)(?:[_.]|$)"


@dataclass(frozen=True)
class ImportChoices:
    """What the user says beyond the files: `dataset` overrides them, `view` serves where they have none."""

    layout: str = "auto"
    dataset: str | None = None
    view: str | None = None
    skip_bad_rows: bool = False

    def checked(self) -> "ImportChoices":
        """Return these choices when every name in them exists, else raise `UnknownNameError`."""
        if self.layout not in LAYOUTS:
            raise UnknownNameError("layout", self.layout, LAYOUTS)
        if self.dataset is not None:
            dataset_code(self.dataset)
        if self.view is not None:
            view_code(self.view)
        return self


@dataclass(frozen=True, eq=False)
class LabelRows:
    """Rows for a label table, patients and studies still by the names that the files give them.

    `frame` has `path`, `patient`, `study` (str), `image` (0 a study row, -1 not numbered yet), `view` (-1: none),
    `dataset`, the 14 labels (Int64; NULL where no file has the label) and `sex`, `age`, `position` where told.
    `read` counts the rows that were looked at, `refused` those with a bad cell, `unlabelled` the images whose study
    has no labels; `notes` are sentences about what was assumed.
    """

    frame: pd.DataFrame
    layout: str
    read: int
    refused: int
    unlabelled: int = 0
    notes: list[str] = field(default_factory=list)


def layout_of(tables: Sequence[TextTable]) -> str:
    """Return the layout that the columns of the files show."""
    if len(tables) > 1 and any("dicom" in guess_mapping(table.columns, table.name).roles for table in tables):
        return "mimic-cxr-jpg"
    if all({"path", "dataset", *LABELS} <= set(table.columns) for table in tables):
        return "notebook"
    names = {name for table in tables for name in table.columns}
    return (
        "mimic-cxr-jpg" if {"subject_id", "study_id"} <= names and "path" not in map(str.lower, names) else "chexpert"
    )


def label_rows(
    tables: Sequence[TextTable], choices: ImportChoices, mappings: Sequence[ColumnMapping] | None = None
) -> LabelRows:
    """Return the rows of files that belong together.

    Args:
        tables: the files.
        choices: what the user says beyond them.
        mappings: which column is which, for each file; by default it is guessed from the names.

    Raises:
        TableError: a column is missing or stands twice, or (unless bad rows are skipped) a cell means nothing.
        UsageError: nothing says which data set or view the rows belong to.
    """
    chosen = choices.checked()
    guessed = list(mappings) if mappings else [guess_mapping(table.columns, table.name) for table in tables]
    layout = layout_of(tables) if chosen.layout == "auto" else chosen.layout
    if layout == "mimic-cxr-jpg":
        from cxr_core.sources.importing.mimic import mimic_rows

        return mimic_rows(tables, guessed, chosen)
    parts = [_rows(table, mapping, layout, chosen) for table, mapping in zip(tables, guessed, strict=True)]
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    notes = list(dict.fromkeys(note for part in parts for note in part.notes))
    return LabelRows(frame, layout, sum(p.read for p in parts), sum(p.refused for p in parts), 0, notes)


def label_columns(bad: BadCells, mapping: ColumnMapping, layout: str) -> dict[str, pd.Series]:
    """Return the 14 label columns (Int64), NULL throughout where the file has none."""
    if not mapping.labels:
        raise TableError(f"{bad.table.name} has no column that names a label, as `Edema` does. Check the file.")
    read = cells.notebook_codes if layout == "notebook" else cells.chexpert_codes
    columns: dict[str, pd.Series] = {}
    for label in LABELS:
        if label in mapping.labels:
            columns[label] = pd.Series(read(bad, mapping.labels[label]), dtype="Int64")
        else:
            columns[label] = pd.Series([pd.NA] * bad.table.rows, dtype="Int64")
    return columns


def properties(bad: BadCells, mapping: ColumnMapping) -> dict[str, pd.Series]:
    """Return the columns for subgroups that the file has: `sex`, `age` in years, `position`."""
    found: dict[str, pd.Series] = {}
    if "sex" in mapping.roles:
        found["sex"] = pd.Series(cells.sexes(bad, mapping.roles["sex"]), dtype="str")
    if "age" in mapping.roles:
        found["age"] = pd.Series(cells.ages(bad, mapping.roles["age"]))
    position = mapping.roles.get("position")
    if position is None and "view" in mapping.roles and cells.is_view_position(mapping.roles["view"]):
        position = mapping.roles["view"]
    if position is not None:
        found["position"] = pd.Series(bad.table.columns[position].to_pylist(), dtype="str")
    return found


def _rows(table: TextTable, mapping: ColumnMapping, layout: str, choices: ImportChoices) -> LabelRows:
    """Return the rows of one file that says of each row itself what it is."""
    bad, notes = BadCells(table), list[str]()
    paths, is_study = _paths(bad, mapping)
    patients, studies = _people(bad, mapping, paths, is_study, notes)
    columns: dict[str, object] = {
        "path": pd.Series(paths, dtype="str"),
        "patient": pd.Series(patients, dtype="str"),
        "study": pd.Series(studies, dtype="str"),
        "image": _images(bad, mapping, is_study, layout),
        "view": _views(bad, mapping, paths, is_study, choices),
        "dataset": _datasets(bad, mapping, paths, choices),
        **label_columns(bad, mapping, layout),
        **properties(bad, mapping),
    }
    bad.add(pd.Series(paths).duplicated().to_numpy(), _path_column(mapping), "must be different in every row")
    bad.refuse(choices.skip_bad_rows)
    frame = pd.DataFrame(columns)[~bad.rows].reset_index(drop=True)
    return LabelRows(frame, layout, table.rows, int(bad.rows.sum()), 0, notes)


def _path_column(mapping: ColumnMapping) -> str:
    return next(mapping.roles[role] for role in ("path", "dicom", "study") if role in mapping.roles)


def _paths(bad: BadCells, mapping: ColumnMapping) -> tuple[list[str], bool]:
    """Return what names each row, and whether the rows stand for whole studies."""
    if not any(role in mapping.roles for role in ("path", "dicom", "study")):
        raise TableError(
            f"{bad.table.name} must have a column that names the images (`path`) or studies (`study`). "
            f"Received: {', '.join(bad.table.columns)[:200]}."
        )
    is_study = "path" not in mapping.roles and "dicom" not in mapping.roles
    return cells.key_texts(bad, _path_column(mapping)), is_study


def _people(
    bad: BadCells, mapping: ColumnMapping, paths: list[str], is_study: bool, notes: list[str]
) -> tuple[list[str], list[str]]:
    """Return the names of each row's patient and study, from columns, else from the path, else the path itself."""
    in_path = pc.extract_regex(pa.array(paths, pa.string()), _STUDY_IN_PATH)
    found = {}
    for role in ("patient", "study"):
        if role in mapping.roles and not (role == "study" and is_study and in_path.null_count < len(in_path)):
            found[role] = cells.key_texts(bad, mapping.roles[role])
            continue
        parsed = pc.struct_field(in_path, role).to_pylist() if len(in_path) else []
        found[role] = [_without_letter(name) if name else path for name, path in zip(parsed, paths, strict=True)]
        if role == "patient" and in_path.null_count:
            what = "study" if is_study else "image"
            rows = counted(in_path.null_count, "row")
            notes.append(f"Nothing tells the patient of {rows}: each {what} counts as a patient.")
    return found["patient"], found["study"]


def _without_letter(name: str) -> str:
    """Return the number of `p10000032` or `s01`, and `patient00001` as it is."""
    return str(int(name[1:])) if name[1:].isdigit() else name


def _images(bad: BadCells, mapping: ColumnMapping, is_study: bool, layout: str) -> npt.NDArray[np.int64]:
    if is_study:
        return np.zeros(bad.table.rows, np.int64)
    if layout == "notebook" and "image" in mapping.roles:
        column = mapping.roles["image"]
        texts = bad.table.columns[column]
        zero = pc.fill_null(pc.equal(texts, "0"), False).to_numpy(zero_copy_only=False)
        numbered = BadCells(bad.table)
        images = cells.whole_numbers(numbered, column)
        bad.add(numbered.rows & ~zero, column, "must be a whole number")
        return np.where(zero, 0, images)
    return np.full(bad.table.rows, -1, np.int64)


def _views(
    bad: BadCells, mapping: ColumnMapping, paths: list[str], is_study: bool, choices: ImportChoices
) -> npt.NDArray[np.int64]:
    codes = np.full(bad.table.rows, -1, np.int64)
    if "view" in mapping.roles:
        codes = cells.view_codes(bad, mapping.roles["view"])
    codes = np.where(codes == -1, _in_paths(paths, _VIEW_IN_PATH, view_code), codes)
    if choices.view is not None:
        codes = np.where(codes == -1, view_code(choices.view), codes)
    if not is_study:
        bad.add(codes == -1, _path_column(mapping), "has no view beside it. Say which with --view")
    return codes


def _datasets(bad: BadCells, mapping: ColumnMapping, paths: list[str], choices: ImportChoices) -> npt.NDArray[np.int64]:
    if choices.dataset is not None:
        return np.full(bad.table.rows, dataset_code(choices.dataset), np.int64)
    if "dataset" in mapping.roles:
        return cells.dataset_codes(bad, mapping.roles["dataset"])
    codes = _in_paths(paths, _DATASET_IN_PATH, _dataset_of_word)
    in_name = _in_paths([bad.table.name], _DATASET_IN_PATH, _dataset_of_word)[0]
    codes = np.where(codes == -1, in_name, codes)
    if (codes == -1).any():
        raise UsageError(
            f"Nothing in {bad.table.name} says to which data set its rows belong. Say it with --dataset, one of "
            f"{', '.join(DATASETS)}."
        )
    return codes


def _dataset_of_word(word: str) -> int:
    return dataset_code({"validate": "valid", "validation": "valid", "val": "valid"}.get(word, word))


def _in_paths(paths: list[str], pattern: str, code: Callable[[str], int]) -> npt.NDArray[np.int64]:
    """Return the code of the word that a pattern finds in each path, -1 where it finds none."""
    words = pc.struct_field(pc.extract_regex(pa.array(paths, pa.string()), pattern), "word").dictionary_encode()
    table = np.array([*(code(word.lower()) for word in words.dictionary.to_pylist()), -1], np.int64)
    return table[words.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)]
