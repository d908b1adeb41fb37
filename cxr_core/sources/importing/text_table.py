"""A file of somebody else's -> a table of texts, every cell with its place, or one sentence that says what is wrong.

Nothing in a file is believed: sizes are limited before memory is taken, and a file that is not plainly a table of the
stated kind is refused rather than guessed at.
"""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from cxr_core.errors import TableError
from cxr_core.sources.importing.binary_table import numpy_table, parquet_table
from cxr_core.sources.importing.unpacked import first_bytes, unpacked

_MOST_COLUMNS = 2_000

ENDINGS: tuple[str, ...] = (".csv", ".csv.gz", ".parquet", ".npz")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_DAMAGED = (
    *(pa.ArrowException, OSError, ValueError, MemoryError),
    *(zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError),
)
_MARKS = {b"\xef\xbb\xbf": "UTF-8", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True, eq=False)
class TextTable:
    """All cells of a file as texts; a blank cell is NULL.

    `name` is the file's own name, for messages. `lines` (n,) are the line numbers of the rows of a text file, counted
    from 1 with the header; None for a binary file, whose rows are counted from 1 instead.
    """

    name: str
    columns: dict[str, pa.Array]
    rows: int
    lines: np.ndarray | None = None

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


def read_text_table(path: Path) -> TextTable:
    """Read a CSV (also gzipped), Parquet or NumPy (.npz with one array a column) file.

    Raises:
        TableError: the file is missing, too large, damaged, of another kind, or not plainly a table.
    """
    return _read(path, look=False).table


def read_first_rows(path: Path) -> FirstRows:
    """Read no more of a file than shows what is in it, whatever it unpacks to; raises as `read_text_table`."""
    return _read(path, look=True)


def _read(path: Path, look: bool) -> FirstRows:
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".npz")):
            return FirstRows(*_from_binary(path, look))
        if name.endswith((".csv", ".csv.gz")):
            content, whole = first_bytes(path) if look else (unpacked(path), True)
            table = _from_csv(path, content)
            return FirstRows(table, table.rows if whole else None)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    except MemoryError as error:
        raise TableError(f"{path.name} needs more memory than there is. Import it in parts.") from error
    raise TableError(f"A table must be a file ending with {', '.join(ENDINGS)}. Received: {path.name[:80]!r}.")


def _from_csv(path: Path, content: bytes) -> TextTable:
    _check_text(path, content)
    header, _, _ = content.partition(b"\n")
    _check_header(path, header.decode(errors="replace").rstrip("\r"))
    lines = _line_numbers(path, content)
    if not len(lines):
        raise TableError(f"{path.name} has a header and no rows. Nothing was imported.")
    # `strings_can_be_null` with an empty null value: a blank cell is NULL, every other text stays what it is.
    names = _csv_names(path, header)
    try:
        table = pacsv.read_csv(
            pa.BufferReader(content),
            read_options=pacsv.ReadOptions(block_size=1 << 24),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowException as error:
        raise TableError(f"{path.name} is no clean CSV: {_said(error)}. Correct the file.") from error
    if table.num_rows != len(lines):
        raise TableError(f"{path.name} has line breaks inside quoted cells, which are not read. Remove them.")
    return TextTable(path.name, _texts(path, table), table.num_rows, lines)


def _check_text(path: Path, content: bytes) -> None:
    if not content.strip():
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise TableError(
                f"{path.name} begins with a {encoding} byte order mark. Save it as plain UTF-8 without it."
            )
    if b"\0" in content:
        raise TableError(f"{path.name} must be text, it has zero bytes. Save it as a CSV in UTF-8.")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path.name}, line {line}: the text is not UTF-8. Save the file as UTF-8.") from error


def _check_header(path: Path, header: str) -> None:
    if "," in header:
        return
    for delimiter, words in _OTHER_DELIMITERS.items():
        if delimiter in header:
            raise TableError(f"{path.name} must separate its columns by commas, not by {words}. Save it as a CSV.")


def _csv_names(path: Path, header: bytes) -> list[str]:
    try:
        names = pacsv.read_csv(pa.BufferReader(header.rstrip(b"\r") + b"\n")).column_names
    except pa.ArrowException as error:
        raise TableError(f"{path.name}, line 1: the header cannot be read: {_said(error)}.") from error
    _check_names(path, names)
    return list(names)


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(names) > _MOST_COLUMNS:
        raise TableError(f"{path.name} must have at most {_MOST_COLUMNS:,} columns. Received: {len(names):,}.")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise TableError(f"{path.name} has the column {name[:80]!r} twice. Remove or rename one.")
        seen.add(name)


def _line_numbers(path: Path, content: bytes) -> np.ndarray:
    """Return the numbers of the lines that hold a row; a quote that is not closed on its line is refused."""
    if b'"' in content:
        for number, line in enumerate(content.splitlines(), 1):
            if line.count(b'"') % 2:
                raise TableError(f"{path.name}, line {number}: a quotation mark is not closed. Correct the line.")
    buffer = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(buffer == ord("\n"))
    if not len(ends) or ends[-1] != len(buffer) - 1:
        ends = np.append(ends, len(buffer))
    starts = np.concatenate([[0], ends[:-1] + 1])
    # Arrow leaves empty lines out, so a row's number is not its line's.
    lengths = ends - starts
    carriage = (lengths == 1) & (buffer[np.minimum(starts, len(buffer) - 1)] == ord("\r"))
    return np.flatnonzero((lengths > 0) & ~carriage)[1:] + 1


def _from_binary(path: Path, look: bool) -> tuple[TextTable, int]:
    """Return the table of a Parquet or NumPy file and the number of its rows, also where only the first are read."""
    is_parquet = path.name.lower().endswith(".parquet")
    try:
        table, rows = (parquet_table if is_parquet else numpy_table)(path, look)
    except FileNotFoundError as error:
        raise TableError(f"{path} does not exist. Check the path.") from error
    except _DAMAGED as error:
        kind = "a readable Parquet file" if is_parquet else "a NumPy .npz file of plain arrays, one a column"
        raise TableError(f"{path.name} must be {kind}. Received: {_said(error)}. Copy it anew.") from error
    _check_names(path, table.column_names)
    if not table.num_rows:
        raise TableError(f"{path.name} has no rows. Nothing was imported.")
    return TextTable(path.name, _texts(path, table), table.num_rows), rows


def _texts(path: Path, table: pa.Table) -> dict[str, pa.Array]:
    return {name: _as_text(path, name, table[name]) for name in table.column_names}


def _as_text(path: Path, name: str, column: pa.ChunkedArray) -> pa.Array:
    """Return a column as texts, NULL where it is blank or no number; a float's text reads back to the same number."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    try:
        if pa.types.is_floating(array.type):
            array = array.cast(pa.float64())
            array = pc.if_else(pc.is_nan(array), None, array)
            whole = pc.and_kleene(pc.equal(array, pc.floor(array)), pc.less(pc.abs(array), 2.0**53))
            as_whole = pc.if_else(whole, array, 0.0).cast(pa.int64()).cast(pa.string())
            return pc.if_else(pc.fill_null(whole, False), as_whole, array.cast(pa.string()))
        text = array.cast(pa.string())
    except pa.ArrowException as error:
        raise TableError(
            f"{path.name}: the column {name[:80]!r} must hold numbers or texts: {_said(error)}."
        ) from error
    trimmed = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _said(error: BaseException) -> str:
    first = str(error).split("\n", 1)[0]
    return first[:200].rstrip(". ") or type(error).__name__
