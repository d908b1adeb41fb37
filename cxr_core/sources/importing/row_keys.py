"""What names each row of a label file: its path, patient and study, and whether it is an image or a whole study."""

import re
from collections.abc import Mapping as Mappable
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.arrays import IntArray
from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.layouts import Layout
from cxr_core.sources.importing.matching import IMAGE_ENDING
from cxr_core.sources.importing.spelling import ColumnMapping
from cxr_core.sources.importing.text_table import TextTable
from cxr_core.words import counted

_STUDY_IN_PATH = r"(?:^|[/\\])(?P<patient>p(?:atient)?\d{1,18})[/\\](?P<study>s(?:tudy)?\d{1,18})(?:[/\\]|$)"
_FLOAT_ID = re.compile(r"\d+\.0")
#: Of so many cells all must look like paths.
_LOOKED_AT = 200
_LONGEST_NAME = 200


@dataclass(frozen=True)
class RowKeys:
    """`paths`, `patients` and `studies` (n,) as the file names them; `column` is the one that names the rows."""

    paths: pa.Array
    patients: pa.Array
    studies: pa.Array
    is_study: bool
    column: str


def with_path(
    table: TextTable, mapping: ColumnMapping, notes: list[str], said: Mappable[str, str] | None = None
) -> ColumnMapping:
    """Return the mapping with a column of paths found by its values, where none was found by its name.

    Args:
        table: the file.
        mapping: what its columns were taken for.
        notes: what was assumed is said here.
        said: what the user says of the columns; `path` as `""` says that there are none.

    Raises:
        UndecidedError: several columns hold paths, or a file of studies has a column that may name images.
    """
    if "path" in mapping.roles or "dicom" in mapping.roles or (said or {}).get("path") == "":
        return mapping
    free = [name for name in table.columns if name not in mapping.used() or name == mapping.roles.get("image")]
    found = [name for name in free if _holds_paths(table.columns[name])]
    if not found:
        _ask_about_studies(table, mapping, free)
        return mapping
    if len(found) > 1:
        choices = [Choice(f"the column {name!r}", f"--column path={name}", {"columns.path": name}) for name in found]
        raise UndecidedError("column path", f"{table.name} has several columns of paths.", choices)
    notes.append(f"The column {found[0]!r} holds paths, so it names the images (--column path= says otherwise).")
    roles = {ours: theirs for ours, theirs in mapping.roles.items() if theirs != found[0]}
    return ColumnMapping(roles | {"path": found[0]}, mapping.labels)


def row_keys(bad: BadCells, mapping: ColumnMapping, layout: Layout | None, notes: list[str]) -> RowKeys:
    """Return what names the rows.

    Raises:
        TableError: no column names images or studies.
    """
    column = key_column(bad.table, mapping)
    is_study = "path" not in mapping.roles and "dicom" not in mapping.roles
    paths = identifiers(bad, column, notes)
    patients, studies = _people(bad, mapping, paths, is_study, layout, notes)
    if "path" not in mapping.roles and layout is not None and layout.name == "mimic-cxr-jpg" and not is_study:
        paths = mimic_paths(patients, studies, paths)
    return RowKeys(paths, patients, studies, is_study, column)


def mimic_paths(patients: pa.Array, studies: pa.Array, dicoms: pa.Array) -> pa.Array:
    """Return where MIMIC-CXR-JPG keeps images, (n,) as their names."""
    folder = pc.utf8_slice_codeunits(patients, 0, 2)
    parts = ("files/p", folder, "/p", patients, "/s", studies, "/", dicoms, ".jpg")
    return pc.binary_join_element_wise(*parts, pa.scalar(""))


def key_column(table: TextTable, mapping: ColumnMapping) -> str:
    """Return the column that names the rows, else raise `TableError`."""
    found = next((mapping.roles[role] for role in ("path", "dicom", "study") if role in mapping.roles), None)
    if found is None:
        raise TableError(
            f"{table.name} must have a column that names the images (`path`) or studies (`study`): say which with "
            f"--column path=NAME. Received: {', '.join(table.columns)[:200]}."
        )
    return found


def identifiers(bad: BadCells, column: str, notes: list[str]) -> pa.Array:
    """Return a column of names (n,); whole numbers that were saved as 10000000.0 lose the `.0`, and that is said."""
    texts = cells.key_texts(bad, column)
    if not pc.any(pc.ends_with(texts, ".0")).as_py():
        return texts
    known = set(texts.to_pylist())
    as_floats = {text for text in known if text.endswith(".0") and _FLOAT_ID.fullmatch(text)}
    if not as_floats or any(not text.removesuffix(".0").isdigit() for text in known if text):
        return texts
    notes.append(f"{column} has whole numbers saved as {min(as_floats)!r}: they count as without the .0.")
    found = [text.removesuffix(".0") if text in as_floats else text for text in texts.to_pylist()]
    return pa.array(found, pa.string())


def _ask_about_studies(table: TextTable, mapping: ColumnMapping, free: Sequence[str]) -> None:
    """Ask whether the rows are studies, where a column that is not known has another name in every row."""
    names = [name for name in free if _names_rows(table.columns[name])]
    if "study" not in mapping.roles or not names:
        return
    choices = [
        *(Choice(f"{name!r} names images", f"--column path={name}", {"columns.path": name}) for name in names),
        Choice("the rows are whole studies", "--column path=", {"columns.path": ""}),
    ]
    question = f"{table.name}: {mapping.roles['study']!r} names studies; does another column name images?"
    raise UndecidedError("column path", question, choices)


def _names_rows(column: pa.Array) -> bool:
    """Say whether every cell holds another name, without blanks in it, that is no number."""
    texts = column.to_pylist()
    plain = all(text and len(text) <= _LONGEST_NAME and len(text.split()) == 1 for text in texts)
    return plain and len(texts) > 1 and len(set(texts)) == len(texts) and any(cells.as_number(t) is None for t in texts)


def _holds_paths(column: pa.Array) -> bool:
    texts = column.drop_null().slice(0, _LOOKED_AT)
    if not len(texts):
        return False
    image = pc.match_substring_regex(texts, IMAGE_ENDING)
    return bool(pc.all(image).as_py())


def _people(
    bad: BadCells, mapping: ColumnMapping, paths: pa.Array, is_study: bool, layout: Layout | None, notes: list[str]
) -> tuple[pa.Array, pa.Array]:
    """Return the names of each row's patient and study, from columns, else from the path, else the path itself."""
    told_by_columns = not is_study and {"patient", "study"} <= mapping.roles.keys()
    in_path = pc.extract_regex(paths[:0] if told_by_columns else paths, _STUDY_IN_PATH)
    found = {}
    for role in ("patient", "study"):
        if role in mapping.roles and not (role == "study" and is_study and in_path.null_count < len(in_path)):
            found[role] = identifiers(bad, mapping.roles[role], notes)
            continue
        parsed = pc.struct_field(in_path, role)
        if role == "patient" and layout is not None and layout.patient_in_name:
            parsed = pc.coalesce(parsed, pc.struct_field(pc.extract_regex(paths, layout.patient_in_name), "patient"))
        # `p10000032` and `s01` are the numbers in them, `patient00001` stays as it is.
        found[role] = pc.coalesce(pc.replace_substring_regex(parsed, r"^[A-Za-z]0*([0-9]+)$", r"\1"), paths)
        if role == "patient" and parsed.null_count:
            missing, what = counted(parsed.null_count, "row"), "study" if is_study else "image"
            notes.append(f"Nothing tells the patient of {missing}: each {what} counts as a patient.")
    return found["patient"], found["study"]


def image_numbers(bad: BadCells, mapping: ColumnMapping, is_study: bool, layout: str) -> IntArray:
    """Return the number of each image within its study (n,): 0 a study row, -1 where it is still to be given."""
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
