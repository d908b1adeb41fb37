"""The SQLite file behind the store of runs: how it is opened, and its transactions.

Each transaction opens its own connection, so that threads and forks share none; with the write-ahead log no reader
waits.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from cxr_core.errors import RunError
from cxr_core.runs.kept_row import has_runs
from cxr_core.runs.network_disk import network_file_system
from cxr_core.runs.read_only import copy_in_memory, is_read_only
from cxr_core.runs.reserve import DiskReserve
from cxr_core.runs.store_schema import bring_up_to_date
from cxr_core.runs.store_words import lost_words, read_only_words, why_not
from cxr_core.workspace import make_folder

_BUSY_MILLISECONDS = 15_000
_BETWEEN_TRIES = 0.01


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
    bring_up_to_date(connection)
    connection.execute("BEGIN")
    return connection


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection to a store, which is made where it is missing and brought up to date where it is older."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        _keep_journal(connection, _journal_mode(path))
        connection.execute("PRAGMA synchronous = NORMAL")
        bring_up_to_date(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _keep_journal(connection: sqlite3.Connection, mode: str) -> None:
    """Set the journal mode, waiting as long as for any lock: of two that make a store at once SQLite refuses one."""
    deadline = time.monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_BETWEEN_TRIES)


def _journal_mode(path: Path) -> str:
    """Return SQLite's journal mode: the write-ahead log needs memory that all processes share, so one machine."""
    return "WAL" if network_file_system(path.parent) is None else "DELETE"
