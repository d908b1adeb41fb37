"""A text file's rows and cells, by kept readers, with the line on which each row begins.

Arrow reads files without quotation marks, which is fast. Where there are some, Python's own reader is asked: it is the
one that tells the line of a row when cells hold line breaks, and that refuses a mark that is not closed.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from cxr_core.errors import TableError
from cxr_core.sources.importing.dialect import DELIMITERS, FileForm, as_utf8, delimiter_of
from cxr_core.words import counted

#: Rows that are held as Python's texts at once.
_CHUNK_ROWS = 20_000
_LOOK_BYTES = 1 << 18
#: Small blocks stay in the processor's cache, and in one thread their memory is used again: it takes a third of the
#: processor's time of two threads with large ones.
_BLOCK_BYTES = 1 << 20
#: A report is a few thousand letters long.
_LONGEST_CELL = 1_000_000


def delimited_table(
    path: Path, content: bytes, form: FileForm, whole: bool = True
) -> tuple[pa.Table, np.ndarray, list[str]]:
    """Return all cells as texts, the line of each row (n,) from 1, and what was recognised, in words.

    Args:
        path: the file, for messages.
        content: its bytes, unpacked.
        form: what the user says of how it is written.
        whole: whether they are all of the file; of its first rows the last letter may be cut.

    Raises:
        TableError: the file is no text, or a row of it is not like the header; the line is named.
        UndecidedError: it can be read in two ways.
    """
    content, encoding = as_utf8(path, content, form, whole)
    delimiter = delimiter_of(path, content, form)
    said = [encoding] if encoding else []
    if delimiter != ",":
        said.append(f"{DELIMITERS[delimiter]} between the columns")
    if b"\r" in content and b"\n" not in content:
        said.append("lines that end with CR")
    if b'"' not in content:
        return *_plain(path, content, delimiter), said
    table, lines = _quoted(path, content.decode(), delimiter)
    if lines.size and int(np.diff(lines, append=lines[-1]).max()) > 1 and _has_breaks(table):
        said.append("line breaks inside cells")
    return table, lines, said


def _has_breaks(table: pa.Table) -> bool:
    return any("\n" in (value or "") for column in table.columns for value in column.slice(0, 100).to_pylist())


def _plain(path: Path, content: bytes, delimiter: str) -> tuple[pa.Table, np.ndarray]:
    """Read a text without quotation marks."""
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines, longest = _filled_lines(content)
    if not lines.size:
        raise TableError(f"{path.name} has a header and no rows. Nothing was imported.")
    header = next(line for line in io.BytesIO(content) if line != b"\n")
    names = _named(path, header.removesuffix(b"\n").decode().split(delimiter))
    try:
        # `strings_can_be_null` with an empty null value: a blank cell is NULL, every other text stays what it is.
        table = pacsv.read_csv(
            pa.BufferReader(content),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=max(_BLOCK_BYTES, 2 * longest),
                column_names=names,
                skip_rows=int(lines[0]) - 1 or 1,
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:
        table = None
    if table is None or table.num_rows != len(lines) - 1:
        # Python's reader finds the row that is wrong.
        return _quoted(path, content.decode(), delimiter)
    return table, lines[1:]


def _filled_lines(content: bytes) -> tuple[np.ndarray, int]:
    """Return the numbers of the lines, from 1, that are not empty: Arrow leaves those out; and the longest's length."""
    buffer = np.frombuffer(content, np.uint8)
    starts = range(0, len(buffer), _LOOK_BYTES)  # in parts, which stay in the processor's cache
    parts = [np.flatnonzero(buffer[start : start + _LOOK_BYTES] == ord("\n")) + start for start in starts]
    ends = np.concatenate(parts)
    if not len(ends) or ends[-1] != len(buffer) - 1:
        ends = np.append(ends, len(buffer))
    lengths = np.diff(ends, prepend=-1) - 1
    return np.flatnonzero(lengths > 0) + 1, int(lengths.max())


def _quoted(path: Path, text: str, delimiter: str) -> tuple[pa.Table, np.ndarray]:
    csv.field_size_limit(_LONGEST_CELL)
    rows = _rows(path, text, delimiter)
    first = next(rows, None)
    if first is None:
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    names = _named(path, first[1])
    batches, lines = list[pa.RecordBatch](), list[int]()
    held: list[list[str]] = []
    for line, row in rows:
        if len(row) != len(names):
            found = f"the header has {counted(len(names), 'column')}, the row {len(row)}"
            raise TableError(f"{path.name}, line {line}: {found}. Correct the line.")
        held.append(row)
        lines.append(line)
        if len(held) == _CHUNK_ROWS:
            batches.append(_batch(held, names))
            held = []
    if held:
        batches.append(_batch(held, names))
    if not lines:
        raise TableError(f"{path.name} has a header and no rows. Nothing was imported.")
    return pa.Table.from_batches(batches), np.array(lines, np.int64)


def _rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path.name}, line {begins}: {_wrong(error)} Correct the line.") from error


def _wrong(error: csv.Error) -> str:
    said = str(error)
    if "end of data" in said or "expected after" in said:
        return "a quotation mark is not closed, or stands inside a cell without being doubled."
    return f"it cannot be read ({said[:120]})."


def _batch(rows: list[list[str]], names: list[str]) -> pa.RecordBatch:
    columns = [pa.array([cell or None for cell in column], pa.string()) for column in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names)


def _named(path: Path, names: list[str]) -> list[str]:
    """Return the names of the columns; one without a name is called by its number."""
    found = [name.strip() or f"column {number}" for number, name in enumerate(names, 1)]
    seen: set[str] = set()
    for name in found:
        if name in seen:
            raise TableError(f"{path.name} has the column {name[:80]!r} twice. Remove or rename one.")
        seen.add(name)
    return found
