"""Where every run stands: one SQLite file, read and written by many processes in short transactions.

Each operation opens its own connection, so that threads and forks share none; with the write-ahead log no reader waits.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cxr_core.errors import CxrError, RunError, UnknownNameError
from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.reserve import DiskReserve

QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED = ("queued", "running", "completed", "failed", "cancelled")
ACTIVE = (QUEUED, RUNNING)

_SCHEMA_VERSION = 1
_SCHEMA = """
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
_START_WHEN_FREE = """
UPDATE runs SET status = 'running', started = :now, heartbeat = :now, message = NULL
WHERE run = :run AND status = 'queued' AND (lane IS NULL OR NOT EXISTS (
    SELECT 1 FROM runs AS other
    WHERE other.lane = runs.lane AND other.run <> runs.run
      AND (other.status = 'running' OR (other.status = 'queued' AND other.position < runs.position))
))
"""
_NEXT_POSITION = "(SELECT COALESCE(MAX(position), 0) + 1 FROM runs)"


@dataclass(frozen=True)
class Run:
    """One run. Times are seconds since 1970 (UTC); `eta_seconds` is the expected time left.

    `device` is the accelerator that the run needs for itself; None for light work that waits for nobody.
    """

    run: str
    kind: str
    name: str
    source: str
    created: float
    heartbeat: float
    user: str
    host: str
    config: dict[str, Any]
    supervisor: ProcessIdentity
    device: str | None = None
    resumable: bool = False
    status: str = QUEUED
    reason: str | None = None
    step: int | None = None
    steps: int | None = None
    epoch: int | None = None
    loss: float | None = None
    val_loss: float | None = None
    val_auc: float | None = None
    message: str | None = None
    eta_seconds: float | None = None
    started: float | None = None
    ended: float | None = None
    cancel_requested: bool = False
    result: dict[str, Any] | None = None
    process: ProcessIdentity | None = None

    @property
    def is_active(self) -> bool:
        """Whether the run is queued or running."""
        return self.status in ACTIVE

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints of a run; times are ISO 8601 in UTC."""
        shown = {name: getattr(self, name) for name in _SHOWN}
        return shown | {name: _iso(shown[name]) for name in ("created", "started", "ended")}


_SHOWN = (
    *("run", "kind", "name", "source", "device", "status", "reason", "message"),
    *("step", "steps", "epoch", "loss", "val_loss", "val_auc", "eta_seconds"),
    *("created", "started", "ended", "user", "host", "config", "result"),
)


class RunStore:
    """The runs of one workspace."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "runs"
        self.path = home / "runs.sqlite"
        self._reserve = DiskReserve(home / "runs.reserve")

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of a run: config.json, metrics.jsonl, log.txt, checkpoints/ and what its kind adds."""
        return self.folder / run_id

    def insert(self, run: Run, lane: str | None) -> None:
        """Add a run at the end of the queue of its lane; runs of one lane follow each other.

        Raises:
            CxrError: the disk is full.
        """
        self._reserve.fill()
        row = _as_row(run) | {"lane": lane}
        columns = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        with self._connection() as connection:
            connection.execute(f"INSERT INTO runs ({columns}, position) VALUES ({values}, {_NEXT_POSITION})", row)

    def get(self, run_id: str) -> Run:
        """Return a run as it is stored, or raise `UnknownNameError`."""
        rows = self._select("WHERE run = ?", (run_id,))
        if not rows:
            raise UnknownNameError("run", run_id, [run.run for run in self.newest_first()[:5]])
        return rows[0]

    def newest_first(self) -> list[Run]:
        """Return all runs, the newest first."""
        return self._select("ORDER BY created DESC, run DESC")

    def active(self) -> list[Run]:
        """Return the queued and running runs, in the order of the queue."""
        return self._select("WHERE status IN ('queued', 'running') ORDER BY position")

    def adopt(self, run_id: str, supervisor: ProcessIdentity) -> bool:
        """Make a process the supervisor of a queued run; False when the run is no longer queued."""
        values = {"supervisor": json.dumps(supervisor.as_dict()), "heartbeat": time.time()}
        return self._update(run_id, values, "status = 'queued'")

    def start(self, run_id: str) -> bool:
        """Turn a queued run into a running one, if its lane is free and no run of the lane was queued before it."""
        with self._connection() as connection:
            return connection.execute(_START_WHEN_FREE, {"run": run_id, "now": time.time()}).rowcount == 1

    def set_process(self, run_id: str, process: ProcessIdentity) -> None:
        """Keep which process does the work."""
        self._update(run_id, {"process": json.dumps(process.as_dict())}, "status = 'running'")

    def beat(self, run_id: str) -> None:
        """Write a sign of life."""
        self._update(run_id, {"heartbeat": time.time()}, _IS_ACTIVE)

    def progress(self, run_id: str, values: dict[str, Any]) -> None:
        """Update what is shown of an active run: `step`, `steps`, `epoch`, figures, `message`, `eta_seconds`."""
        self._update(run_id, values, _IS_ACTIVE)

    def set_result(self, run_id: str, result: dict[str, Any]) -> None:
        """Keep what the run came to."""
        self._update(run_id, {"result": json.dumps(result, allow_nan=False)}, "status = 'running'")

    def request_cancel(self, run_id: str, reason: str) -> None:
        """Cancel a queued run at once, and ask the supervisor of a running one to end it."""
        now = time.time()
        ended = {"status": CANCELLED, "reason": reason, "ended": now, "message": None, "eta_seconds": None}
        if not self._update(run_id, ended, "status = 'queued'"):
            self._update(run_id, {"cancel_requested": 1, "message": "being cancelled"}, "status = 'running'")

    def end(self, run_id: str, status: str, reason: str | None, supervisor: ProcessIdentity) -> bool:
        """Write the end of an active run that `supervisor` looks after; False when it was ended or taken over."""
        values = {"status": status, "reason": reason, "ended": time.time(), "message": None, "eta_seconds": None}
        mine = json.dumps(supervisor.as_dict())
        return self._update(run_id, values, f"{_IS_ACTIVE} AND supervisor = :mine", {"mine": mine})

    def requeue(self, run_id: str, supervisor: ProcessIdentity) -> bool:
        """Put a failed or cancelled run back at the end of the queue; False when it was neither."""
        self._reserve.fill()
        with self._connection() as connection:
            position = connection.execute(f"SELECT {_NEXT_POSITION}").fetchone()[0]
            values = {
                "position": position,
                "status": QUEUED,
                "reason": None,
                "started": None,
                "ended": None,
                "cancel_requested": 0,
                "heartbeat": time.time(),
                "supervisor": json.dumps(supervisor.as_dict()),
                "process": None,
            }
            return _updated(connection, run_id, values, "status IN ('failed', 'cancelled')", {})

    def delete(self, run_id: str) -> bool:
        """Remove the row of an ended run; False when it is active or unknown."""
        with self._connection() as connection:
            statement = f"DELETE FROM runs WHERE run = ? AND NOT ({_IS_ACTIVE})"
            return connection.execute(statement, (run_id,)).rowcount == 1

    def _select(self, clause: str, parameters: tuple[Any, ...] = ()) -> list[Run]:
        if not self.path.exists():
            return []
        columns = ", ".join(f.name for f in fields(Run))
        with self._connection(write=False) as connection:
            rows = connection.execute(f"SELECT {columns} FROM runs {clause}", parameters).fetchall()
        return [_from_row(row) for row in rows]

    def _update(
        self, run_id: str, values: dict[str, Any], condition: str, parameters: dict[str, Any] | None = None
    ) -> bool:
        with self._connection() as connection:
            return _updated(connection, run_id, values, condition, parameters or {})

    @contextlib.contextmanager
    def _connection(self, write: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction, and tell of what SQLite refuses in a sentence."""
        try:
            with contextlib.closing(self._open(write)) as connection:
                yield connection
                connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            if self._reserve.is_needed():
                self._reserve.release()
                raise RunError(f"The disk is full: the store of runs {self.path} cannot be used.") from error
            raise RunError(f"The store of runs {self.path} cannot be used: {error}. Check the file.") from error

    def _open(self, write: bool) -> sqlite3.Connection:
        """Return a connection with a transaction begun; on a full disk, SQLite needs the reserve even to read."""
        try:
            return _begun(self.path, write)
        except sqlite3.Error:
            if not (self._reserve.is_needed() and self._reserve.release()):
                raise
            return _begun(self.path, write)


_IS_ACTIVE = "status IN ('queued', 'running')"


def _begun(path: Path, write: bool) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        _prepare(connection)
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Set every pragma, and make the table in a new file."""
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA busy_timeout = 15000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if connection.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION:
        return
    connection.execute("BEGIN EXCLUSIVE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _SCHEMA_VERSION:
        raise CxrError("The store of runs was written by a newer version of CXR Lab. Update this one.")
    if version == 0:
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _updated(
    connection: sqlite3.Connection, run_id: str, values: dict[str, Any], condition: str, parameters: dict[str, Any]
) -> bool:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    statement = f"UPDATE runs SET {assignments} WHERE run = :run AND {condition}"
    return connection.execute(statement, values | parameters | {"run": run_id}).rowcount == 1


def _as_row(run: Run) -> dict[str, Any]:
    row = {f.name: getattr(run, f.name) for f in fields(run)}
    row["config"] = json.dumps(run.config, allow_nan=False)
    row["result"] = None if run.result is None else json.dumps(run.result, allow_nan=False)
    for name in ("supervisor", "process"):
        identity = getattr(run, name)
        row[name] = None if identity is None else json.dumps(identity.as_dict())
    return row


def _from_row(row: sqlite3.Row) -> Run:
    values = dict(row)
    for name in ("config", "result"):
        values[name] = None if values[name] is None else json.loads(values[name])
    for name in ("supervisor", "process"):
        values[name] = None if values[name] is None else ProcessIdentity(**json.loads(values[name]))
    for name in ("cancel_requested", "resumable"):
        values[name] = bool(values[name])
    return Run(**values)


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
