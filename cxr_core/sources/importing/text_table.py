"""A file of somebody else's -> a table of texts, every cell with its place, or one sentence that says what is wrong.

Nothing in a file is believed: sizes are limited before memory is taken, and a file that is not plainly a table of the
stated kind is refused rather than guessed at.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cxr_core.errors import TableError

#: Most bytes that one file may hold once it is unpacked: MIMIC-CXR-JPG's largest table has 60 MB.
LARGEST_BYTES = 4_000_000_000
#: A file that unpacks to more than this many times its size (and to more than `_SUSPECT_BYTES`) is no honest table.
_LARGEST_RATIO = 200
_SUSPECT_BYTES = 64_000_000
_MOST_COLUMNS = 2_000
_CHUNK = 1 << 20

ENDINGS: tuple[str, ...] = (".csv", ".csv.gz", ".parquet", ".npz")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
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


def is_table_file(path: Path) -> bool:
    """Say whether a file's name ends like one that `read_text_table` reads."""
    return path.name.lower().endswith(ENDINGS)


def read_text_table(path: Path) -> TextTable:
    """Read a CSV (also gzipped), Parquet or NumPy (.npz with one array a column) file.

    Raises:
        TableError: the file is missing, too large, damaged, of another kind, or not plainly a table.
    """
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            return _from_parquet(path)
        if name.endswith(".npz"):
            return _from_numpy(path)
        if name.endswith(".csv.gz"):
            return _from_csv(path, _unzipped(path))
        if name.endswith(".csv"):
            return _from_csv(path, _plain(path))
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}.") from error
    raise TableError(f"A table must be a file ending with {', '.join(ENDINGS)}. Received: {path.name[:80]!r}.")


def _plain(path: Path) -> bytes:
    _check_size(path.stat().st_size, path)
    return path.read_bytes()


def _unzipped(path: Path) -> bytes:
    """Return the content of a gzip file, which is read no further than its size is believable."""
    packed = path.stat().st_size
    content, unpacker = io.BytesIO(), zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                _unpack(chunk, unpacker, content, packed, path)
    except zlib.error as error:
        raise TableError(f"{path.name} is no gzip file, or is damaged. Copy it anew.") from error
    if not unpacker.eof:
        raise TableError(f"{path.name} is cut off: the gzip stream has no end. Copy it anew.")
    if unpacker.unused_data.strip(b"\0"):
        raise TableError(f"{path.name} must be one gzip stream, something follows its end. Pack the table anew.")
    return content.getvalue()


def _unpack(chunk: bytes, unpacker: "zlib._Decompress", content: io.BytesIO, packed: int, path: Path) -> None:
    while chunk and not unpacker.eof:
        content.write(unpacker.decompress(chunk, _CHUNK))
        chunk = unpacker.unconsumed_tail
        _check_size(content.tell(), path, packed)


def _check_size(size: int, path: Path, packed: int | None = None) -> None:
    too_dense = packed is not None and size > _SUSPECT_BYTES and size > _LARGEST_RATIO * packed
    if size > LARGEST_BYTES or too_dense:
        raise TableError(
            f"{path.name} unpacks to more than a table of its size can hold ({size / 1e6:,.0f} MB and more). "
            "Check where it comes from, or import it in parts."
        )


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


def _from_parquet(path: Path) -> TextTable:
    try:
        footer = pq.read_metadata(path)
        _check_names(path, footer.schema.to_arrow_schema().names)
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        _check_size(max(sum(group.total_byte_size for group in groups), footer.num_rows), path, path.stat().st_size)
        table = pq.ParquetFile(path, memory_map=False).read()
    except TableError:
        raise
    except FileNotFoundError as error:
        raise TableError(f"{path} does not exist. Check the path.") from error
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise TableError(f"{path.name} is no Parquet file that can be read: {_said(error)}. Copy it anew.") from error
    if not table.num_rows:
        raise TableError(f"{path.name} has no rows. Nothing was imported.")
    return TextTable(path.name, _texts(path, table), table.num_rows)


def _from_numpy(path: Path) -> TextTable:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(sum(item.file_size for item in archive.infolist()), path, path.stat().st_size)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise TableError(f"{path} does not exist. Check the path.") from error
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError) as error:
        raise TableError(
            f"{path.name} must be a NumPy .npz file of plain arrays, one a column. Received: {_said(error)}."
        ) from error
    lengths = {array.shape for array in arrays.values()}
    if len(lengths) != 1 or len(next(iter(lengths))) != 1 or next(iter(lengths)) == (0,):
        raise TableError(f"{path.name} must hold arrays of one dimension and one length. Received: {sorted(lengths)}.")
    table = pa.table({name: pa.array(array, from_pandas=True) for name, array in arrays.items()})
    return TextTable(path.name, _texts(path, table), table.num_rows)


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
