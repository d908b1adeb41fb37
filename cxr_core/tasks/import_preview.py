"""A look at files before they are imported: what is in them, which column is which, and what would be stored."""

from collections.abc import Mapping as Mappable
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cxr_core.errors import UndecidedError, UsageError
from cxr_core.schema import DATASETS, LABELS, VALUES, VIEWS, Value, check_name
from cxr_core.sources.importing import cells
from cxr_core.sources.importing.cells import BadCells
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.dialect import RECOGNISED, FileForm
from cxr_core.sources.importing.kept_mappings import mapping_file, with_offer
from cxr_core.sources.importing.label_rows import label_rows
from cxr_core.sources.importing.spelling import first_guess
from cxr_core.sources.importing.text_table import TextTable, read_first_rows
from cxr_core.sources.registry import source_folder

_SHOWN = 5
_EXAMPLES, _LONGEST, _MOST_WORDS = 3, 40, 30


@dataclass(frozen=True, eq=False)
class TablePreview:
    """A file before it is imported: its first rows as texts, and the columns that were recognised, ours -> theirs.

    `rows` is their number where that is known without reading the whole file (`is_counted`), else there are more.
    `recognised` says in words how the file is written, where that is not plain. `examples` are the first different
    cells of each column, `words` all different cells of the columns that have few.
    """

    name: str
    rows: int
    is_counted: bool
    columns: tuple[str, ...]
    roles: dict[str, str]
    labels: dict[str, str]
    head: pd.DataFrame
    recognised: tuple[str, ...] = ()
    examples: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LabelPreview:
    """What the first rows of files would become.

    `counts` has `label` and the four values, each the rows that have it; labels that the files lack are missing.
    `stored` are the first five rows, with names in place of codes. `notes` say what was assumed. `kept` is the mapping
    that was used for the last files of this shape, or None. `rows` were looked at.
    """

    layout: str
    rows: int
    counts: pd.DataFrame
    stored: pd.DataFrame
    notes: list[str]
    kept: Path | None


def preview_table(path: Path, rows: int = _SHOWN, form: FileForm = RECOGNISED) -> TablePreview:
    """Return what is in a file of labels or predictions, and which column would be taken for what.

    No more of the file is read than that takes, whatever it unpacks to.

    Raises:
        TableError: the file is missing, damaged or no table.
        UndecidedError: it can be read in two ways.
    """
    first = read_first_rows(path, form)
    table = first.table
    mapping = first_guess(table.columns)
    head = pd.DataFrame({name: column[:rows].to_pylist() for name, column in table.columns.items()}, dtype="str")
    columns = tuple(table.columns)
    number, is_counted = first.rows or table.rows, first.rows is not None
    words = {name: _different(column) for name, column in table.columns.items()}
    examples = {name: " · ".join(cell[:_LONGEST] for cell in found[:_EXAMPLES]) for name, found in words.items()}
    few = {name: found for name, found in words.items() if len(found) <= _MOST_WORDS}
    return TablePreview(
        table.name, number, is_counted, columns, mapping.roles, mapping.labels, head, table.recognised, examples, few
    )


def meaning_of(kind: str, cell: str, said: Mappable[str, str]) -> str | None:
    """Return which of our values, views or data sets (`kind`) a cell is taken for, None where nobody knows.

    `said` is what the user says of cells, theirs -> ours.
    """
    table = TextTable("", {"cell": pa.array([cell], pa.string())}, 1)
    bad = BadCells(table)
    if kind == "values":
        code = cells.label_codes(bad, "cell", {word.lower(): Value[ours].value for word, ours in said.items()})
    else:
        code = (cells.view_codes if kind == "views" else cells.dataset_codes)(bad, "cell", dict(said))
    names = {"values": VALUES, "views": VIEWS, "datasets": DATASETS}[kind]
    return None if bad.rows.any() else names[int(code[0])]


def offered_mapping(source: str, files: Sequence[Path]) -> Path | None:
    """Return the mapping that was used for a source's last files with the columns of these, None where there is none.

    Raises:
        TableError: a file is missing, damaged or no table.
    """
    try:
        folder = source_folder(check_name("source", source))
        file = mapping_file(folder, [read_first_rows(Path(file)).table for file in files])
    except (UsageError, UndecidedError):
        return None
    return file if file.is_file() else None


def _different(column: pa.Array) -> tuple[str, ...]:
    return tuple(cell for cell in column.dictionary_encode().dictionary.to_pylist() if cell)


def preview_labels(source: str, files: Sequence[Path], choices: ImportChoices) -> LabelPreview:
    """Return what the first rows of label files would become; nothing is written.

    Raises:
        TableError: a file is damaged or lacks a column, or one of its first rows has a cell that means nothing.
        UndecidedError: a file can be read in two ways; the error has the question and what can be answered.
        UsageError: nothing says the data set or view.
    """
    folder, choices = source_folder(source), choices.checked()
    tables = [read_first_rows(Path(file), choices.mapping.file).table for file in files]
    try:
        rows = label_rows(tables, choices)
    except UndecidedError as question:
        raise with_offer(question, folder, tables) from None
    kept = mapping_file(folder, tables)
    return LabelPreview(
        rows.layout, rows.read, _counts(rows.frame), _stored(rows.frame), rows.notes, kept if kept.is_file() else None
    )


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    stated = [label for label in LABELS if frame[label].notna().any()]
    counts = [[int((frame[label] == code).sum()) for code in range(len(VALUES))] for label in stated]
    return pd.DataFrame(counts, columns=list(VALUES), dtype="int64").assign(label=stated)[["label", *VALUES]]


def _stored(frame: pd.DataFrame) -> pd.DataFrame:
    head = frame.head(_SHOWN)
    names = {label: _named(head[label], VALUES) for label in LABELS if frame[label].notna().any()}
    shown = head.drop(columns=[*LABELS, "image"])
    return shown.assign(view=_named(head["view"], VIEWS), dataset=_named(head["dataset"], DATASETS), **names)


def _named(codes: pd.Series, names: tuple[str, ...]) -> list[str]:
    return ["" if pd.isna(code) or code < 0 else names[int(code)] for code in codes]
