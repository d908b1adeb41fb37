"""A file of somebody else's -> a table of texts, every cell with its place, or one sentence that says what is wrong.

Nothing in a file is believed: sizes are limited before memory is taken, what it is is seen from its content and not
from its name, and a file that is not plainly a table is refused rather than guessed at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxr_core.errors import TableError, UsageError
from cxr_core.settings import settings
from cxr_core.sources.importing.binary_table import numpy_table, parquet_table
from cxr_core.sources.importing.delimited_text import delimited_table
from cxr_core.sources.importing.dialect import RECOGNISED, FileForm
from cxr_core.sources.importing.json_lines import is_json_lines, json_lines_table
from cxr_core.sources.importing.packed_files import members, one_member, packing
from cxr_core.sources.importing.text_columns import TextColumns
from cxr_core.sources.importing.unpacked import LOOK_ROWS, check_rows, first_bytes, unpacked
from cxr_core.sources.importing.workbook import workbook_table

_MOST_COLUMNS = 2_000
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: What is in every workbook of Excel's and LibreOffice's present kinds.
_IN_WORKBOOKS = ("[Content_Types].xml", "META-INF/manifest.xml")

#: How the files are called that a folder is searched for; a file that is named is read whatever its ending.
ENDINGS: tuple[str, ...] = (
    *(".csv", ".tsv", ".txt", ".json", ".csv.gz", ".csv.xz", ".csv.zip", ".tsv.gz", ".zip"),
    *(".xlsx", ".xls", ".ods", ".parquet", ".npz"),
)


@dataclass(frozen=True, eq=False)
class TextTable:
    """All cells of a file as texts; a blank cell is NULL.

    `name` is the file's own name, for messages. `lines` (n,) are the lines on which the rows of a text file begin,
    counted from 1 with the header; None for other files, whose rows are counted from 1 instead. `decimal` is the mark
    in its numbers, `recognised` says in words how the file is written where that is not plain.
    """

    name: str
    columns: Mapping[str, pa.Array]
    rows: int
    lines: np.ndarray | None = None
    decimal: str = "."
    recognised: tuple[str, ...] = ()

    @cached_property
    def _encoded(self) -> dict[str, pa.DictionaryArray]:
        return {}

    def as_read(self, column: str) -> pa.ChunkedArray:
        """Return a column whose texts may have blanks around them, which takes no work."""
        known = self.columns
        return known.as_read(column) if isinstance(known, TextColumns) else pa.chunked_array([known[column]])

    def encoded(self, column: str) -> pa.DictionaryArray:
        """Return a column with each different text once; it is kept, for whoever looks again."""
        if column not in self._encoded:
            self._encoded[column] = self.columns[column].dictionary_encode()
        return self._encoded[column]

    def place(self, row: int) -> str:
        """Return where a row (from 0) stands, as in `train.csv, line 5`."""
        number = f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"
        return f"{self.name}, {number}"

    def cell(self, column: str, row: int) -> str:
        """Return what stands in a cell, `''` when it is blank."""
        return self.columns[column][row].as_py() or ""


@dataclass(frozen=True, eq=False)
class FirstRows:
    """The first rows of a file, and the number of all its rows where that is known without reading them."""

    table: TextTable
    rows: int | None


def is_table_file(path: Path) -> bool:
    """Say whether a file's name ends like one that `read_text_table` reads."""
    return path.name.lower().endswith(ENDINGS)


def read_text_table(path: Path, form: FileForm = RECOGNISED) -> TextTable:
    """Read a text table, a workbook, a Parquet or a NumPy (.npz, one array a column) file, packed or not.

    Args:
        path: the file; its name does not matter.
        form: what the user says of how it is written; the rest is recognised.

    Raises:
        TableError: the file is missing, too large, damaged, of another kind, or not plainly a table.
        UndecidedError: it can be read in two ways.
    """
    return _read(path, form, look=False).table


def read_first_rows(path: Path, form: FileForm = RECOGNISED) -> FirstRows:
    """Read no more of a file than shows what is in it, whatever it unpacks to; raises as `read_text_table`."""
    return _read(path, form, look=True)


def _read(path: Path, form: FileForm, look: bool) -> FirstRows:
    try:
        with path.open("rb") as file:
            start = file.read(8)
        names = members(path) if packing(path) == "zip" else []
        if start.startswith(b"PAR1") or path.name.lower().endswith(".parquet"):
            return _from_binary(path, True, look)
        if path.name.lower().endswith(".npz") or (names and all(name.endswith(".npy") for name in names)):
            return _from_binary(path, False, look)
        if start == _OLD_EXCEL or any(name in _IN_WORKBOOKS for name in names):
            return _from_workbook(path, form, look)
        return _from_text(path, form, look)
    except FileNotFoundError as error:
        raise TableError(f"{path} does not exist. Check the path.") from error
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    except MemoryError as error:
        raise TableError(f"{path.name} needs more memory than there is. Import it in parts.") from error


def _from_text(path: Path, form: FileForm, look: bool) -> FirstRows:
    told = (f"zip, {one_member(path, form.member)}",) if packing(path) == "zip" else ()
    content, whole = first_bytes(path, form.member) if look else (unpacked(path, form.member), True)
    if is_json_lines(content):
        table = _table(path, json_lines_table(path, content), None, (*told, "JSON"))
    else:
        cells, lines, words = delimited_table(path, content, form, whole)
        table = _table(path, cells, lines, (*told, *words), form.decimal)
    return FirstRows(table, table.rows if whole else None)


def _from_workbook(path: Path, form: FileForm, look: bool) -> FirstRows:
    cells, sheet, rows = workbook_table(path, form.sheet, LOOK_ROWS if look else settings().import_rows)
    if not look:
        check_rows(rows, path)
    return FirstRows(_table(path, cells, None, (sheet,)), rows)


def _from_binary(path: Path, is_parquet: bool, look: bool) -> FirstRows:
    """Return the table of a Parquet or NumPy file and the number of its rows, also where only the first are read."""
    try:
        table, rows = (parquet_table if is_parquet else numpy_table)(path, look)
    except (TableError, UsageError, FileNotFoundError):
        raise
    except Exception as error:  # what the readers raise on damaged files is of every kind
        kind = "a readable Parquet file" if is_parquet else "a NumPy .npz file of plain arrays, one a column"
        raise TableError(f"{path.name} must be {kind}. Received: {_said(error)}. Copy it anew.") from error
    if not table.num_rows:
        raise TableError(f"{path.name} has no rows. Nothing was imported.")
    if len(set(table.column_names)) < table.num_columns:
        raise TableError(f"{path.name} has a column twice. Remove or rename one.")
    texts = pa.table({name: _as_text(path, name, table[name]) for name in table.column_names})
    return FirstRows(_table(path, texts), rows)


def _table(
    path: Path,
    table: pa.Table,
    lines: np.ndarray | None = None,
    recognised: Sequence[str] = (),
    decimal: str | None = None,
) -> TextTable:
    if table.num_columns > _MOST_COLUMNS:
        raise TableError(f"{path.name} must have at most {_MOST_COLUMNS:,} columns. Received: {table.num_columns:,}.")
    columns = TextColumns(table)
    separated = any("between the columns" in words for words in recognised)
    mark = decimal or (_decimal(columns.values(), path) if separated else ".")
    said = (*recognised, "decimal commas") if mark == "," else tuple(recognised)
    return TextTable(path.name, columns, table.num_rows, lines, mark, said)


def _decimal(columns: Iterable[pa.Array], path: Path) -> str:
    """Return the decimal mark of a file whose columns are not separated by commas.

    Numbers with either mark in one column mean that nobody can tell what the commas are.
    """
    with_comma = with_point = False
    for column in columns:
        known = column.drop_null()
        comma = pc.match_substring_regex(known, r"^[+-]?\d*,\d+([eE][+-]?\d+)?$")
        point = pc.match_substring_regex(known, r"^[+-]?\d*\.\d+([eE][+-]?\d+)?$")
        some_comma, some_point = bool(pc.any(comma).as_py()), bool(pc.any(point).as_py())
        if some_comma and some_point:
            raise TableError(
                f"{path.name} has numbers with decimal points and with commas in one column, as in "
                f"{known.filter(comma)[0].as_py()!r} and {known.filter(point)[0].as_py()!r}. Write them in one way."
            )
        with_comma, with_point = with_comma or some_comma, with_point or some_point
    return "," if with_comma and not with_point else "."


def _as_text(path: Path, name: str, column: pa.ChunkedArray) -> pa.Array:
    """Return a column as texts, NULL where it is blank or no number; a float's text reads back to the same number."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    try:
        if not pa.types.is_floating(array.type):
            return array.cast(pa.string())
        array = array.cast(pa.float64())
        array = pc.if_else(pc.is_nan(array), None, array)
        whole = pc.and_kleene(pc.equal(array, pc.floor(array)), pc.less(pc.abs(array), 2.0**53))
        as_whole = pc.if_else(whole, array, 0.0).cast(pa.int64()).cast(pa.string())
        return pc.if_else(pc.fill_null(whole, False), as_whole, array.cast(pa.string()))
    except pa.ArrowException as error:
        raise TableError(
            f"{path.name}: the column {name[:80]!r} must hold numbers or texts: {_said(error)}."
        ) from error


def _said(error: BaseException) -> str:
    first = str(error).split("\n", 1)[0]
    return first[:200].rstrip(". ") or type(error).__name__
