"""DuckDB in memory over Parquet files.

A DuckDB file that one process has open for writing locks out all others; files in Parquet, only ever replaced as a
whole, do not. DuckDB reads them by path for each question, so a new or replaced file is seen without a restart. The
connection may read the folders of the source and nothing else, and its configuration is locked.
"""

import atexit
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from cxr_core.errors import StorageError, TableError, UsageError
from cxr_core.locations import is_remote
from cxr_core.progress import tell_done
from cxr_core.schema import KEY_COLUMNS, LABELS, READER_COLUMN
from cxr_core.stamps import changed_at, file_stamp, looked
from cxr_core.storage import local_copy, version
from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.parquet import read_metadata
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.sql_runner import TableInfo, TableState
from cxr_core.warehouse.tables import files_by_model

_connecting = threading.Lock()
#: What a large question may take of memory in DuckDB, so that the process stays below 2 GB.
_MEMORY = "1400MB"
_LOOK_SECONDS = 0.2
#: What a question names, however a file spells it.
_KNOWN = frozenset({*KEY_COLUMNS, READER_COLUMN, *LABELS})
#: The version that each file on Cloud Storage had when it was asked for last.
_last: dict[str, str] = {}


class LocalRunner:
    """Answers questions over Parquet files in `allowed` folders: one connection a process, one cursor a question."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        self.allowed = tuple(sorted({str(folder.resolve()) for folder in allowed}))

    def places(self, location: str) -> list[str]:
        """Return the one file that a location is."""
        return [location]

    def named(self, locations: Sequence[str]) -> list[NamedTable]:
        """Return files as they stand in the SQL before translation."""
        return [NamedTable(_name(location)) for location in locations]

    def states(self, locations: Sequence[str]) -> tuple[TableState, ...]:
        """Return how each file stands: by the system, or by what Cloud Storage says of its version."""
        return tuple(_state(location) for location in locations)

    def run(
        self, query: Query, locations: Sequence[str], frames: Mapping[str, pa.Table] | None = None
    ) -> tuple[pa.Table, AskedQuery]:
        """Answer a question over files, and over `frames` by the names that they have in the SQL.

        Raises:
            TableError: a file is missing, damaged, or lacks a column that the question needs.
        """
        here = [(_name(place), local_copy(place)) for place in locations]
        for _, path in here:
            read_metadata(path)
        sql = translated(query.sql, tuple((name, _real(path)) for name, path in here))
        start = time.perf_counter()
        try:
            table = self._fetch(sql, query, frames or {})
        except duckdb.BinderException as error:
            raise TableError(_lacking(error, locations)) from error
        except duckdb.Error as error:
            raise TableError(
                f"The tables {', '.join(locations)} could not answer. Received: {_first_line(error)}"
            ) from error
        return table, AskedQuery(query.question, sql, query.parameters, time.perf_counter() - start)

    def _fetch(self, sql: str, query: Query, frames: Mapping[str, pa.Table]) -> pa.Table:
        with _connecting:
            cursor = _connection(self.allowed, query.is_large).cursor()
        try:
            for name, frame in frames.items():
                cursor.register(name, frame)
            ask = lambda: cursor.sql(sql, params=query.parameters).to_arrow_table()  # noqa: E731
            return _as_asked(_watched(cursor, ask) if query.is_large else ask())
        finally:
            cursor.close()

    def estimate(self, query: Query) -> int | None:
        """Return None: reading one's own files costs nothing."""
        return None

    def describe(self, location: str) -> TableInfo:
        """Return what a file says of itself."""
        metadata = read_metadata(local_copy(location))
        return TableInfo(metadata.columns, metadata.scale, metadata.model, metadata.rows)

    def keys(self, location: str) -> pa.Table:
        """Return the key columns of a file, however it spells them; raises `TableError` as `run`."""
        path = local_copy(location)
        theirs = {name.lower(): name for name in read_metadata(path).columns}
        missing = [name for name in KEY_COLUMNS if name not in theirs]
        if missing:
            raise TableError(f"The tables {location} must have the column {missing[0]}. Write or import them again.")
        try:
            table = pq.ParquetFile(path).read([theirs[name] for name in KEY_COLUMNS], use_threads=False)
            codes = {name: table[theirs[name]].cast(pa.float64()) for name in ("image", "view", "dataset")}
            return pa.table({name: codes.get(name, table[theirs[name]]) for name in KEY_COLUMNS})
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"The tables {location} could not answer. Received: {_first_line(error)}") from error

    def models(self, pattern: str) -> dict[str, str]:
        """Return the models whose file matches a pattern such as `…/{model}_predictions.parquet`."""
        return files_by_model(pattern)


def _watched(cursor: duckdb.DuckDBPyConnection, ask: Callable[[], pa.Table]) -> pa.Table:
    """Answer in another thread and tell meanwhile how far it is; what nobody waits for any more is given up."""
    since = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask)
        try:
            while not answer.done():
                wait([answer], timeout=_LOOK_SECONDS)
                tell_done("Percent of the rows", max(0, int(cursor.query_progress())), 100, since)
        except BaseException:
            while not answer.done():  # what has not begun yet is not interrupted: again, until it is
                cursor.interrupt()
                wait([answer], timeout=_LOOK_SECONDS)
            raise
        return answer.result()


@lru_cache(maxsize=256)
def translated(sql: str, files: tuple[tuple[str, str], ...] = ()) -> str:
    """Translate BigQuery's SQL to DuckDB's, reading each named table from its Parquet file."""
    import sqlglot  # here: it takes longer to load than a small table to read
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="bigquery")
    paths = dict(files)
    for table in list(tree.find_all(exp.Table)):
        if table.name in paths:
            table.set("this", exp.Anonymous(this="read_parquet", expressions=[exp.Literal.string(paths[table.name])]))
    for fingerprint in list(tree.find_all(exp.FarmFingerprint)):  # any hash of 64 bits serves to compare paths
        fingerprint.replace(exp.Anonymous(this="hash", expressions=fingerprint.expressions))
    return tree.sql(dialect="duckdb", pretty=True)


@lru_cache(maxsize=32)
def _connection(allowed: tuple[str, ...], is_large: bool) -> duckdb.DuckDBPyConnection:
    """Open a connection that reads `allowed` only; the order of the settings matters, the last one is for good.

    One for large questions takes `_MEMORY`, and puts what is more into a temporary folder.
    """
    connection = duckdb.connect(":memory:")
    connection.execute("SET enable_progress_bar = false")  # it would stand among what a command prints
    # Else it keeps hundreds of megabytes for a question to come.
    connection.execute("SET allocator_flush_threshold = '1MB'")
    connection.execute("SET allocator_bulk_deallocation_flush_threshold = '1MB'")
    if is_large:
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute(f"SET temp_directory = {_quoted(_spill_folder())}")
        connection.execute("SET preserve_insertion_order = false")
    folders = ", ".join(_quoted(folder + os.sep) for folder in allowed)
    connection.execute(f"SET allowed_directories = [{folders}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET autoinstall_known_extensions = false")
    # DuckDB would keep what it read of a file, and look at its time in seconds.
    connection.execute("SET enable_external_file_cache = false")
    connection.execute("SET parquet_metadata_cache = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@lru_cache(maxsize=1)
def _spill_folder() -> str:
    folder = tempfile.mkdtemp(prefix="cxr-lab-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _state(location: str) -> TableState:
    if not is_remote(location):
        stamp = file_stamp(location)
        return TableState(location, stamp, changed_at(stamp))
    try:
        _last[location] = looked(("version", location), lambda: version(location))
    except (StorageError, UsageError):
        return TableState(location, (_last.get(location),), None, is_checked=False)
    return TableState(location, (_last[location],), None)


def _name(location: str) -> str:
    return f"file_{hashlib.sha256(location.encode()).hexdigest()[:16]}"


def _as_asked(table: pa.Table) -> pa.Table:
    """Return rows with the schema's names as the question has them; DuckDB answers as the file writes them."""
    return table.rename_columns([name.lower() if name.lower() in _KNOWN else name for name in table.column_names])


def _real(path: Path) -> str:
    # The folder is resolved, as the allowed ones are; a file that is a link stays where it is found.
    return str(path.parent.resolve() / path.name)


def _lacking(error: duckdb.Error, locations: Sequence[str]) -> str:
    column = re.search(r'[Cc]olumn "([^"]+)"', str(error))
    what = f"have the column {column.group(1)}" if column else f"have the columns of the schema ({_first_line(error)})"
    return f"The tables {', '.join(locations)} must {what}. Write or import them again."


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
