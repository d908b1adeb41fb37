"""The metric rows of a run as columns of numbers, for whoever draws them.

A run of days writes hundreds of thousands of rows. They are read once, by Arrow's parser; after that only the bytes
that were added since. A file that was cut, as by a resume, is recognised and read anew.
"""

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from cxr_core.arrays import FloatArray, IntArray

#: Below so many bytes Python's parser is as fast as Arrow's, and what a look adds to a live run is far below.
_SMALL_BYTES = 32 * 1024
#: The bytes before the place up to which a file was read, compared at the next look: each row has its time in it.
_SEAM_BYTES = 512
#: Numbers that are kept over all files, 8 bytes each.
_MOST_NUMBERS = 16_000_000


@dataclass(frozen=True)
class MetricColumns:
    """The metric rows of a run: `n_rows` of them, each column an array of that length, NaN where a row lacks it.

    A mapping in a row becomes columns `name.key`, a list of numbers `name.0`, `name.1`, …; texts are left out.
    """

    n_rows: int = 0
    columns: Mapping[str, FloatArray] = field(default_factory=dict)

    def column(self, name: str) -> FloatArray:
        """Return a column; all NaN where no row has it."""
        found = self.columns.get(name)
        return np.full(self.n_rows, np.nan) if found is None else found

    def measured(self, name: str) -> IntArray:
        """Return the places of the rows that have a number in a column."""
        found = self.columns.get(name)
        return np.zeros(0, np.int64) if found is None else np.flatnonzero(np.isfinite(found))

    def latest(self, name: str) -> float | None:
        """Return the last number of a column, or None."""
        places = self.measured(name)
        return float(self.columns[name][places[-1]]) if places.size else None

    def best(self, name: str) -> int | None:
        """Return the place of the first of the highest numbers of a column, or None."""
        places = self.measured(name)
        return int(places[np.argmax(self.columns[name][places])]) if places.size else None


def parse_columns(content: bytes) -> MetricColumns:
    """Return the rows of JSON lines as columns; a line that is no JSON object is left out, as a torn last one is."""
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) >= _SMALL_BYTES:
        try:
            return _by_arrow(whole)
        except pa.ArrowException:  # a damaged line, or one name with values of two kinds
            pass
    return _by_python(whole)


class ColumnReader:
    """Reads the metric files of many runs, each part of a file once; safe to share between threads."""

    def __init__(self, most_numbers: int = _MOST_NUMBERS) -> None:
        self._most = most_numbers
        self._files: OrderedDict[Path, _Read] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path) -> MetricColumns:
        """Return all whole rows of a file; none where there is no file."""
        with self._lock:
            before = self._files.pop(path, _Read())
            try:
                with path.open("rb") as file:
                    now = _go_on(file.fileno(), before)
            except FileNotFoundError:
                return MetricColumns()
            self._files[path] = now
            while len(self._files) > 1 and sum(read.size for read in self._files.values()) > self._most:
                self._files.popitem(last=False)
            return now.rows


@dataclass(frozen=True)
class _Read:
    """What was read of a file: up to which byte, the bytes before that place, and the rows."""

    end: int = 0
    seam: bytes = b""
    rows: MetricColumns = field(default_factory=MetricColumns)

    @property
    def size(self) -> int:
        return sum(column.size for column in self.rows.columns.values())


def _go_on(descriptor: int, before: _Read) -> _Read:
    """Return what was read with what the file holds beyond it; from the start if the file is another one by now."""
    if os.pread(descriptor, len(before.seam), before.end - len(before.seam)) != before.seam:
        before = _Read()
    content = _rest(descriptor, before.end)
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        return before
    seam = (before.seam + whole)[-_SEAM_BYTES:]
    return _Read(before.end + len(whole), seam, _joined(before.rows, parse_columns(whole)))


def _rest(descriptor: int, start: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size - start, start) if size > start else b""


def _joined(first: MetricColumns, second: MetricColumns) -> MetricColumns:
    if not first.n_rows:
        return second
    names = dict.fromkeys([*first.columns, *second.columns])
    columns = {name: np.concatenate([first.column(name), second.column(name)]) for name in names}
    return MetricColumns(first.n_rows + second.n_rows, columns)


def _by_arrow(content: bytes) -> MetricColumns:
    options = pyarrow.json.ReadOptions(block_size=4 * 1024 * 1024)
    table = pyarrow.json.read_json(pa.BufferReader(content), read_options=options)
    while any(pa.types.is_struct(column.type) for column in table.columns):
        table = table.flatten()
    columns: dict[str, FloatArray] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_list(column.type):
            columns |= _items(name, column.combine_chunks())
        elif _is_number(column.type):
            columns[name] = _as_numbers(column)
    return _with_figures(table.num_rows, columns)


def _items(name: str, lists: Any) -> dict[str, FloatArray]:
    """Return the first, second, … numbers of a column of lists as columns."""
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks)
    if not _is_number(lists.type.value_type):
        return {}
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    starts, values = lists.offsets.to_numpy()[:-1], _as_numbers(lists.values)
    columns = {}
    for place in range(int(lengths.max(initial=0))):
        has = lengths > place
        columns[f"{name}.{place}"] = found = np.full(len(lists), np.nan)
        found[has] = values[starts[has] + place]
    return columns


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _as_numbers(values: Any) -> FloatArray:
    numbers = pc.fill_null(values.cast(pa.float64(), safe=False), np.nan)
    return np.asarray(numbers.to_numpy(zero_copy_only=False) if isinstance(numbers, pa.Array) else numbers.to_numpy())


def _by_python(content: bytes) -> MetricColumns:
    parsed = [dict(_figures(row)) for row in map(_row, content.splitlines()) if row is not None]
    names = dict.fromkeys(name for row in parsed for name in row)
    columns = {name: np.array([row.get(name, np.nan) for row in parsed], np.float64) for name in names}
    return _with_figures(len(parsed), columns)


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _figures(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers of a row with the names of their columns."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _figures(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield from ((f"{before}{name}.{place}", float(item)) for place, item in enumerate(value) if _is_real(item))
        elif _is_real(value):
            yield f"{before}{name}", float(value)


def _is_real(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _with_figures(n_rows: int, columns: Mapping[str, FloatArray]) -> MetricColumns:
    """Leave out the columns that hold no number at all."""
    held = {name: column for name, column in columns.items() if np.isfinite(column).any()}
    return MetricColumns(n_rows, held)
