"""The SQLite file behind the store of runs: its schema, how an older one is brought up to date, and its transactions.

Each transaction opens its own connection, so that threads and forks share none; with the write-ahead log no reader
waits.
"""

import contextlib
import json
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from cxr_core.errors import RunError
from cxr_core.runs.identity import own_identity
from cxr_core.runs.kept_row import has_runs, keep_all_rows
from cxr_core.runs.lanes import GPU_PREFIX, Need
from cxr_core.runs.network_disk import network_file_system
from cxr_core.runs.read_only import copy_in_memory, is_read_only
from cxr_core.runs.reserve import DiskReserve
from cxr_core.runs.store_words import lost_words, read_only_words, why_not
from cxr_core.workspace import make_folder

_BUSY_MILLISECONDS = 15_000
_MOST_GPUS = 16
_FIRST_SCHEMA = """
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    lane TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    device TEXT,
    status TEXT NOT NULL,
    reason TEXT,
    step INTEGER,
    steps INTEGER,
    epoch INTEGER,
    loss REAL,
    val_loss REAL,
    val_auc REAL,
    message TEXT,
    eta_seconds REAL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    heartbeat REAL NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    resumable INTEGER NOT NULL,
    user TEXT NOT NULL,
    host TEXT NOT NULL,
    config TEXT NOT NULL,
    result TEXT,
    supervisor TEXT NOT NULL,
    process TEXT
)
"""


class Database:
    """The SQLite file of one workspace."""

    def __init__(self, path: Path, reserve: DiskReserve) -> None:
        self.path = path
        self._reserve = reserve

    @contextlib.contextmanager
    def transaction(self, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction, and tell of what SQLite refuses in a sentence.

        Raises:
            RunError: it is damaged, gone, of a newer version, read-only, busy for too long, or the disk is full.
        """
        if write and is_read_only(self.path):
            raise RunError(read_only_words(self.path))
        self.is_there()
        try:
            with contextlib.closing(self._open(write)) as connection:
                yield connection
                connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            if self._reserve.is_needed():
                self._make_room()
                raise RunError(f"The disk is full: the store of runs {self.path} cannot be used.") from error
            raise RunError(f"The store of runs {self.path} cannot be used: {why_not(error, self.path)}") from error

    def is_there(self) -> bool:
        """Say whether the file is there.

        Raises:
            RunError: it is gone or empty, though there are folders of runs.
        """
        try:
            is_empty = self.path.stat().st_size == 0
        except OSError:
            is_empty = True
        if is_empty and (lost := has_runs(self.path.parent / "runs")):
            raise RunError(lost_words(self.path, lost))
        return self.path.exists()

    def kept_open(self) -> contextlib.closing[sqlite3.Connection]:
        """Return a connection to be kept open by whoever must be able to write on a full disk.

        While there is one, SQLite leaves the write-ahead log and its index on the disk, so that neither must be made.
        """
        with self.transaction(write=False):
            pass
        return contextlib.closing(connected(self.path))

    def _make_room(self) -> None:
        """Let the next transaction find room: the reserve, and the write-ahead log from its beginning again."""
        self._reserve.release()
        with contextlib.suppress(sqlite3.Error), contextlib.closing(connected(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(RESTART)")

    def _open(self, write: bool) -> sqlite3.Connection:
        """Return a connection with a transaction begun; on a full disk, SQLite needs the reserve even to read."""
        try:
            return _begun(self.path, write)
        except sqlite3.Error:
            if not (self._reserve.is_needed() and self._reserve.release()):
                raise
            return _begun(self.path, write)


def _begun(path: Path, write: bool) -> sqlite3.Connection:
    if is_read_only(path):
        return _begun_in_memory(path)
    make_folder(path.parent)
    connection = connected(path)
    try:
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    except BaseException:
        connection.close()
        raise
    return connection


def _begun_in_memory(path: Path) -> sqlite3.Connection:
    connection = copy_in_memory(path)
    connection.row_factory = sqlite3.Row
    _bring_up_to_date(connection)
    connection.execute("BEGIN")
    return connection


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to a store, which is made where it is missing and brought up to date where it is older."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        connection.execute(f"PRAGMA journal_mode = {_journal_mode(path)}")
        connection.execute("PRAGMA synchronous = NORMAL")
        _bring_up_to_date(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _journal_mode(path: Path) -> str:
    """Return SQLite's journal mode: the write-ahead log needs memory that all processes share, so one machine."""
    return "WAL" if network_file_system(path.parent) is None else "DELETE"


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Carry out the changes of the schema that the file has not seen, all or none; a new file has seen none."""
    if _version(connection) == len(_CHANGES):
        return
    connection.execute("BEGIN EXCLUSIVE")
    version = _version(connection)  # another process may have been faster
    if version > len(_CHANGES):
        raise RunError("The store of runs was written by a newer version of CXR Lab. Update this one.")
    for change in _CHANGES[version:]:
        change(connection)
    connection.execute(f"PRAGMA user_version = {len(_CHANGES)}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _make_table(connection: sqlite3.Connection) -> None:
    connection.execute(_FIRST_SCHEMA)


def _add_parent_notes_tags_and_machine(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE runs ADD COLUMN parent TEXT")
    connection.execute("ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'")
    here, host = own_identity(), socket.gethostname()
    for column in ("supervisor", "process"):
        query = f"SELECT run, host, {column} FROM runs WHERE {column} IS NOT NULL"
        for run, where, text in connection.execute(query).fetchall():
            identity = json.loads(text)
            is_here = identity["boot"] == here.boot or where == host
            known = json.dumps({"machine": here.machine if is_here else ""} | identity)
            connection.execute(f"UPDATE runs SET {column} = ? WHERE run = ?", (known, run))


def _add_indices(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE INDEX runs_by_status ON runs (status)")
    connection.execute("CREATE INDEX runs_by_parent ON runs (parent)")


def _add_time_worked(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE runs ADD COLUMN worked REAL NOT NULL DEFAULT 0")


def _give_each_device_a_lane(connection: sqlite3.Connection) -> None:
    """Say of each run which devices it needs and has; the column `lane` stays, which old SQLite cannot drop."""
    connection.execute("ALTER TABLE runs ADD COLUMN need TEXT")
    connection.execute("ALTER TABLE runs ADD COLUMN devices TEXT NOT NULL DEFAULT '[]'")
    query = "SELECT run, device, status FROM runs WHERE device IS NOT NULL"
    for run, device, status in connection.execute(query).fetchall():
        need = _former_need(device)
        has = need.devices if status == "running" else ()
        values = (json.dumps(need.as_dict()), json.dumps(has), run)
        connection.execute("UPDATE runs SET need = ?, devices = ? WHERE run = ?", values)


def _former_need(device: str) -> Need:
    """Return what a run of the versions before took: the first GPU, or all, however many there were."""
    if device == "multi-gpu":
        return Need(tuple(f"{GPU_PREFIX}{number}" for number in range(_MOST_GPUS)), together=True)
    return Need((f"{GPU_PREFIX}0" if device == "gpu" else device,))


def _keep_rows_in_folders(connection: sqlite3.Connection) -> None:
    file = connection.execute("PRAGMA database_list").fetchone()["file"]
    if file:
        keep_all_rows(connection, Path(file).parent / "runs")


#: Every change of the schema, the first to the newest; `user_version` of a file says how many it has seen.
_CHANGES: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _make_table,
    _add_parent_notes_tags_and_machine,
    _add_indices,
    _add_time_worked,
    _give_each_device_a_lane,
    _keep_rows_in_folders,
)
