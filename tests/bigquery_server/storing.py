"""The tables that the server holds, and what BigQuery would say of their types and bytes."""

import base64
import datetime
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bigquery_server.refusals import RefusedError, table_denied, table_not_found

Rows = pa.Table | pd.DataFrame | str | Path

#: BigQuery bills whole MiB, and at least ten of them for each table that a query reads.
_MIB = 1024 * 1024
MINIMUM_BILLED = 10 * _MIB


@dataclass
class Table:
    """A stored table with its labels; a `refusal` is what everybody who touches it gets."""

    rows: pa.Table
    labels: dict[str, str] = field(default_factory=dict)
    refusal: RefusedError | None = None
    description: str | None = None
    #: Changes with every write, so that answers from before are no longer in the query cache.
    version: int = field(default_factory=time.monotonic_ns)
    #: When the rows were written, in milliseconds since 1970, and how often labels were changed since.
    modified: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    edits: int = 0
    #: The column by which it is partitioned, and whether every statement has to filter by it.
    partition: str | None = None
    require_filter: bool = False


class Tables:
    """Tables by their full names `project.dataset.table`."""

    def __init__(self) -> None:
        self.by_name: dict[str, Table] = {}
        #: Data sets that exist without a table.
        self.datasets: set[str] = set()
        self.denied_projects: set[str] = set()
        self.lock = threading.RLock()

    def add(self, name: str, rows: Rows, **options: Any) -> None:
        """Store a table: an Arrow table, a frame, or the path of a Parquet file."""
        if isinstance(rows, str | Path):
            rows = pq.read_table(rows)
        elif isinstance(rows, pd.DataFrame):
            rows = pa.Table.from_pandas(rows, preserve_index=False)
        with self.lock:
            self.by_name[name] = Table(_stored(rows), **options)
            self.datasets.add(name.rpartition(".")[0])

    def get(self, full: str, doing: str = "bigquery.tables.get") -> Table:
        if full not in self.by_name:
            raise table_not_found(full)
        found = self.by_name[full]
        if found.refusal is not None:
            raise found.refusal
        return found

    def deny(self, full: str) -> None:
        """Let nobody read a table any more."""
        self.by_name[full].refusal = table_denied(full)

    def names(self, dataset: str) -> list[str]:
        """Return the full names of a data set's tables, sorted, or refuse where there is no such data set."""
        project, _, name = dataset.rpartition(".")
        if project in self.denied_projects:
            raise RefusedError(
                403, "accessDenied", f"Access Denied: Dataset {project}:{name}: Permission bigquery.tables.list denied"
            )
        if dataset not in self.datasets:
            raise RefusedError(404, "notFound", f"Not found: Dataset {project}:{name}")
        return [full for full in sorted(self.by_name) if full.startswith(f"{dataset}.")]


def _stored(rows: pa.Table) -> pa.Table:
    """Return a table in the types that BigQuery has."""
    columns = {}
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)  # noqa: PLW2901
        columns[name] = column.cast(_TYPES[bigquery_type(column.type)])
    return pa.table(columns)


_TYPES = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
}


def arrow_type(kind: str) -> pa.DataType:
    """Return how a type of BigQuery's REST interface lies in Arrow."""
    return _TYPES[kind]


def bigquery_type(kind: pa.DataType) -> str:
    """Return the type of an Arrow column in BigQuery's REST interface."""
    tests = (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "FLOAT"),
        (pa.types.is_decimal, "FLOAT"),
        (pa.types.is_null, "INTEGER"),
        (pa.types.is_binary, "BYTES"),
        (pa.types.is_large_binary, "BYTES"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
    )
    return next((name for test, name in tests if test(kind)), "STRING")


def fields(schema: pa.Schema) -> list[dict[str, str]]:
    """Return a schema as BigQuery's REST interface has it."""
    return [{"name": column.name, "type": bigquery_type(column.type), "mode": "NULLABLE"} for column in schema]


def logical_bytes(table: pa.Table, columns: Iterable[str]) -> int:
    """Return the bytes that a query is charged for reading columns: 8 a number, 2 and the text's UTF-8 a string.

    NULL costs nothing (cloud.google.com/bigquery/pricing, "data size calculation").
    """
    total = 0
    for name in columns:
        column = table[name]
        present = len(column) - column.null_count
        kind = bigquery_type(column.type)
        if kind in ("STRING", "BYTES"):
            total += 2 * present + (pc.sum(pc.binary_length(column)).as_py() or 0)
        else:
            total += present * (1 if kind == "BOOLEAN" else 8)
    return total


def billed_bytes(processed: Iterable[int]) -> int:
    """Return what is billed for reading so many bytes of each table."""
    return sum(max(MINIMUM_BILLED, math.ceil(number / _MIB) * _MIB) for number in processed)


def json_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows as BigQuery's REST interface has them."""
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    return [{"f": [{"v": value} for value in row]} for row in zip(*columns, strict=True)]


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):  # the client asks for microseconds
        return str((value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1))
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return str(value)
