"""Parquet and NumPy files as Arrow tables: what they say of their own size is checked before anything is unpacked."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxr_core.errors import TableError
from cxr_core.sources.importing.unpacked import LARGEST_BYTES, LOOK_ROWS, check_rows, check_size, too_dense

#: Most bytes that the few rows of a look may take.
_LOOK_BYTES = 64_000_000
#: No number takes more; a text has at least its length and its place.
_BYTES_PER_VALUE = 8
#: Most letters of what stands before the values of an array.
_MOST_HEADER = 10_000


@dataclass(frozen=True)
class _Leaf:
    """A column of a Parquet file that holds values: its name, its type's bytes (None: texts), its values."""

    name: str
    width: int | None
    values: int

    @property
    def least_bytes(self) -> int:
        return self.values * max(_BYTES_PER_VALUE, self.width or 0)


def parquet_table(path: Path, look: bool = False) -> tuple[pa.Table, int]:
    """Return the rows of a Parquet file (only the first for a `look`), and how many it has.

    Raises:
        TableError: the file has more rows, or unpacks to more, than a table may.
        pa.ArrowException, OSError, ValueError, MemoryError: it is no Parquet file, or a damaged one.
    """
    footer = pq.read_metadata(path)
    leaves = _leaves(footer)
    if not look:
        check_rows(footer.num_rows, path)
        # 260 kB can say "the same again" six billion times: what the values will take is known from the footer.
        check_size(sum(leaf.least_bytes for leaf in leaves), path)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    packed = path.stat().st_size
    stated = sum(group.total_byte_size for group in groups[: 1 if look else None])
    check_size(max(stated, footer.num_rows), path, packed)
    texts = [leaf.name for leaf in leaves if leaf.width is None]
    with pq.ParquetFile(path, memory_map=False, read_dictionary=texts, buffer_size=1 << 20) as file:
        table = _first_batch(file) if look else file.read()
    written_out = _written_out(table, path, _LOOK_BYTES if look else LARGEST_BYTES)
    # Parquet says that a text is UTF-8, and nobody looks until the text is worked with.
    written_out.validate(full=True)
    return written_out, footer.num_rows


def numpy_table(path: Path, look: bool = False) -> tuple[pa.Table, int]:
    """Return the arrays of a NumPy file as columns (only their first rows for a `look`), and how many rows it has.

    Raises:
        TableError: the file has more rows, or unpacks to more, than a table may, or its arrays are no columns.
        OSError, ValueError, zipfile.BadZipFile, …: it is no such file, or a damaged one.
    """
    with zipfile.ZipFile(path) as archive:
        check_size(sum(item.file_size for item in archive.infolist()), path, None if look else path.stat().st_size)
        rows = _rows_of_arrays(archive, path)
        if not look:
            check_rows(rows, path)
        arrays = {name.removesuffix(".npy"): _array(archive, name, look) for name in archive.namelist()}
    return pa.table({name: _as_column(path, name, array) for name, array in arrays.items()}), rows


def _as_column(path: Path, name: str, array: np.ndarray) -> pa.Array:
    """Return an array as Arrow takes it: this machine's byte order, numbers of common widths, texts."""
    kind = array.dtype.kind
    if kind == "f":
        return pa.array(array.astype(np.float64), from_pandas=True)
    if kind in "iub":
        return pa.array(array.astype(array.dtype.newbyteorder("=")))
    if kind == "U":
        return pa.array(array.astype(array.dtype.newbyteorder("=")).tolist(), pa.string())
    if kind == "S":
        return pa.array([text.decode() for text in array.tolist()], pa.string())
    raise TableError(f"{path.name}: the array {name[:80]!r} must hold numbers or texts. Received: {array.dtype}.")


def _leaves(footer: pq.FileMetaData) -> list[_Leaf]:
    counted = [0] * footer.num_columns
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        for place in range(footer.num_columns):
            counted[place] += group.column(place).num_values
    columns = [footer.schema.column(place) for place in range(footer.num_columns)]
    return [_Leaf(column.path, _width(column), values) for column, values in zip(columns, counted, strict=True)]


def _width(column: pq.ColumnSchema) -> int | None:
    if column.physical_type == "BYTE_ARRAY":
        return None
    return int(column.length) if column.physical_type == "FIXED_LEN_BYTE_ARRAY" else _BYTES_PER_VALUE


def _first_batch(file: pq.ParquetFile) -> pa.Table:
    batch = next(file.iter_batches(batch_size=LOOK_ROWS), None)
    return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])


def _written_out(table: pa.Table, path: Path, most_bytes: int) -> pa.Table:
    """Return a table with its texts written out row by row, if they do not take more than they may."""
    coded = [name for name in table.column_names if pa.types.is_dictionary(table[name].type)]
    if sum(_bytes_of_texts(table[name]) for name in coded) > most_bytes:
        raise too_dense(path, most_bytes)
    for name in coded:
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].cast(table[name].type.value_type))
    return table


def _bytes_of_texts(column: pa.ChunkedArray) -> int:
    """Return the bytes that the texts of a column take once each stands in its row."""
    if not (pa.types.is_string(column.type.value_type) or pa.types.is_binary(column.type.value_type)):
        return 0
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
        total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    return total


def _rows_of_arrays(archive: zipfile.ZipFile, path: Path) -> int:
    """Return the length of the arrays by what stands before their values."""
    shapes = set()
    for name in archive.namelist():
        with archive.open(name) as member:
            shapes.add(_header(member)[0])
    if len(shapes) != 1 or len(next(iter(shapes))) != 1 or next(iter(shapes)) == (0,):
        raise TableError(f"{path.name} must hold arrays of one dimension and one length. Received: {sorted(shapes)}.")
    return int(next(iter(shapes))[0])


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member, max_header_size=_MOST_HEADER)
    if dtype.hasobject:
        raise ValueError("an array of Python objects is not read")
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str, look: bool) -> np.ndarray:
    with archive.open(name) as member:
        (rows,), dtype = _header(member)
        taken = min(rows, LOOK_ROWS) if look else rows
        content = member.read(taken * dtype.itemsize)
    return np.frombuffer(content, dtype, count=taken)
