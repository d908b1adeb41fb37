"""Where every run stands: one SQLite file, read and written by many processes in short transactions."""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxr_core.errors import UnknownNameError
from cxr_core.runs.database import Database
from cxr_core.runs.filters import condition, seen, unseen_folders
from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.kept_row import keep_row
from cxr_core.runs.next_leg import next_leg
from cxr_core.runs.queue import Turn, turn_of
from cxr_core.runs.reserve import DiskReserve
from cxr_core.runs.run import ACTIVE, CANCELLED, COLUMNS, COMPLETED, FAILED, HERE, QUEUED, RUNNING, Run, as_column

__all__ = ["ACTIVE", "CANCELLED", "COMPLETED", "FAILED", "QUEUED", "RUNNING", "Run", "RunStore"]

_START = """
UPDATE runs SET status = 'running', started = MAX(created, :now), heartbeat = :now, message = NULL, devices = :devices
WHERE run = :run AND status = 'queued'
"""
#: What a run has worked so far is kept before its next leg takes the place of the last one.
_COUNT_LEG = """
UPDATE runs SET worked = worked + COALESCE(ended - started, 0) WHERE run = :run AND status IN ('failed', 'cancelled')
"""
_NEXT_POSITION = "(SELECT COALESCE(MAX(position), 0) + 1 FROM runs)"
_IS_ACTIVE = "status IN ('queued', 'running')"


class RunStore:
    """The runs of one workspace."""

    def __init__(self, home: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.home = home
        self.folder = home / "runs"
        self.path = home / "runs.sqlite"
        self._reserve = DiskReserve(home / "runs.reserve")
        self._database = Database(self.path, self._reserve)

    def kept_open(self) -> contextlib.closing[sqlite3.Connection]:
        """Return what a supervisor holds as long as it lives, so that it can write how its run ended on a full disk."""
        return self._database.kept_open()

    def looked_at(self) -> contextlib.AbstractContextManager[sqlite3.Connection]:
        """Return a connection that sees the store as it is now, as long as it is used."""
        return self._database.transaction(write=False)

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of a run: config.json, metrics.jsonl, log.txt, checkpoints/ and what its kind adds."""
        return self.folder / run_id

    def insert(self, run: Run) -> None:
        """Add a run at the end of the queue for the devices that it needs.

        Raises:
            CxrError: the disk is full.
        """
        self._reserve.fill()
        row = run.as_row()
        columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self._database.transaction() as connection:
            connection.execute(f"INSERT INTO runs ({columns}, position) VALUES ({values}, {_NEXT_POSITION})", row)
            keep_row(connection, self.folder, run.run)

    def get(self, run_id: str) -> Run:
        """Return a run as it is stored, or raise `UnknownNameError`, also where its source is not to be seen."""
        rows = seen(self._select("WHERE run = ?", (run_id,)))
        if not rows:
            raise UnknownNameError("run", run_id, [run.run for run in self.newest_first()[:5]])
        return rows[0]

    def newest_first(
        self, kind: str | None = None, parent: str | None = None, tag: str | None = None, text: str = ""
    ) -> list[Run]:
        """Return the runs that fit everything given, the newest first, whatever the clock said when they were made.

        Those of sources that whoever acts may not see are left out.

        Args:
            kind: only runs of this kind.
            parent: only the children of this run; "" for those that have no parent.
            tag: only runs with this tag.
            text: words that must all occur in ID, kind, name, source, status, user, host, notes or tags of a run.
        """
        which, parameters = condition(kind, parent, tag, text)
        return seen(self._select(f"WHERE {which} ORDER BY rowid DESC", parameters))

    def folders_not_seen(self) -> list[Path]:
        """Return the folders of the runs whose source whoever acts may not see."""
        if not self._database.is_there():
            return []
        with self._database.transaction(write=False) as connection:
            return unseen_folders(connection, self.folder)

    def active(self) -> list[Run]:
        """Return the queued and running runs, in the order of the queue."""
        return self._select(f"WHERE {_IS_ACTIVE} ORDER BY position")

    def adopt(self, run_id: str, supervisor: ProcessIdentity) -> bool:
        """Make a process the supervisor of a queued run, or of an active one elsewhere; False when it is neither."""
        values = {"supervisor": as_column(supervisor), "heartbeat": self._clock()}
        return self._update(run_id, values, f"(status = 'queued' OR {_IS_ACTIVE} AND place <> '{HERE}')")

    def take_over(self, run: Run, supervisor: ProcessIdentity) -> bool:
        """Make a process answer for an active run that works elsewhere; False when another was faster."""
        values = {"supervisor": as_column(supervisor), "heartbeat": self._clock()}
        former = {"former": as_column(run.supervisor)}
        return self._update(run.run, values, f"{_IS_ACTIVE} AND supervisor = :former", former)

    def start(self, run_id: str, together: int = 1) -> tuple[str, ...] | None:
        """Turn a queued run into a running one and return the devices that it has now; None while it has to wait.

        Args:
            run_id: the run.
            together: how many runs one device bears at once.
        """
        with self._database.transaction() as connection:
            devices = turn_of(connection, run_id, together).devices
            values = {"run": run_id, "now": self._clock(), "devices": as_column(devices)}
            started = devices is not None and connection.execute(_START, values).rowcount == 1
            if started:
                keep_row(connection, self.folder, run_id)
            return devices if started else None

    def turn(self, run_id: str, together: int = 1) -> Turn:
        """Return where a queued run stands in the queue for the devices that it needs."""
        with self._database.transaction(write=False) as connection:
            return turn_of(connection, run_id, together)

    def set_process(self, run_id: str, process: ProcessIdentity) -> None:
        """Keep which process does the work."""
        self._update(run_id, {"process": as_column(process)}, "status = 'running'")

    def beat(self, run_id: str) -> None:
        """Write a sign of life."""
        self._pass({"heartbeat": self._clock()}, run_id)

    def progress(self, run_id: str, values: dict[str, Any]) -> None:
        """Update what is shown of an active run: `step`, `steps`, `epoch`, figures, `message`, `eta_seconds`."""
        self._pass(values, run_id)

    def set_result(self, run_id: str, result: dict[str, Any]) -> None:
        """Keep what the run came to."""
        self._update(run_id, {"result": as_column(result)}, "status = 'running'")

    def set_notes(self, run_id: str, notes: str) -> None:
        """Keep what people noted on a run."""
        self._update(run_id, {"notes": notes}, "1")

    def set_tags(self, run_id: str, tags: tuple[str, ...]) -> None:
        """Keep the tags of a run in place of those before."""
        self._update(run_id, {"tags": as_column(tags)}, "1")

    def request_cancel(self, run_id: str, reason: str) -> None:
        """Cancel a queued run of this machine at once, and ask the supervisor of any other to end it."""
        if not self._finish(run_id, CANCELLED, reason, f"status = 'queued' AND place = '{HERE}'"):
            self._update(run_id, {"cancel_requested": 1, "message": "being cancelled"}, _IS_ACTIVE)

    def end(self, run_id: str, status: str, reason: str | None, supervisor: ProcessIdentity) -> bool:
        """Write the end of an active run that `supervisor` looks after; False when it was ended or taken over."""
        mine = {"mine": as_column(supervisor)}
        return self._finish(run_id, status, reason, f"{_IS_ACTIVE} AND supervisor = :mine", mine)

    def requeue(self, run: Run, host: str, supervisor: ProcessIdentity) -> bool:
        """Put a failed or cancelled run at the end of the queue for its devices and place; False when it was neither.

        `run` says which devices it needs now and where.
        """
        self._reserve.fill()
        values = next_leg(run, host, supervisor, self._clock())
        with self._database.transaction() as connection:
            connection.execute(_COUNT_LEG, {"run": run.run})
            values["position"] = connection.execute(f"SELECT {_NEXT_POSITION}").fetchone()[0]
            return self._kept(connection, run.run, values, "status IN ('failed', 'cancelled')", {})

    def delete(self, run_id: str) -> bool:
        """Remove the row of an ended run, whose parts become runs of their own; False when it is active or unknown."""
        with self._database.transaction() as connection:
            statement = f"DELETE FROM runs WHERE run = ? AND NOT ({_IS_ACTIVE})"
            if connection.execute(statement, (run_id,)).rowcount != 1:
                return False
            parts = connection.execute("SELECT run FROM runs WHERE parent = ?", (run_id,)).fetchall()
            connection.execute("UPDATE runs SET parent = NULL WHERE parent = ?", (run_id,))
            for part in parts:
                keep_row(connection, self.folder, part["run"])
            return True

    def _select(self, clause: str, parameters: tuple[Any, ...] = ()) -> list[Run]:
        if not self._database.is_there():
            return []
        with self._database.transaction(write=False) as connection:
            rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM runs {clause}", parameters).fetchall()
        return [Run.from_row(row) for row in rows]

    def _finish(
        self, run_id: str, status: str, reason: str | None, condition: str, parameters: dict[str, Any] | None = None
    ) -> bool:
        values = {"status": status, "reason": reason, "message": None, "eta_seconds": None}
        with self._database.transaction() as connection:
            if not _updated(connection, run_id, values, condition, parameters or {}):
                return False
            # A run never ends before it began, even if the clock jumped back meanwhile.
            end = "UPDATE runs SET ended = MAX(COALESCE(started, created), :now) WHERE run = :run"
            connection.execute(end, {"run": run_id, "now": self._clock()})
            keep_row(connection, self.folder, run_id)
            return True

    def _pass(self, values: dict[str, Any], run_id: str) -> None:
        """Write what changes by the second, and is not worth a copy in the folder of the run."""
        with self._database.transaction() as connection:
            _updated(connection, run_id, values, _IS_ACTIVE, {})

    def _update(
        self, run_id: str, values: dict[str, Any], condition: str, parameters: dict[str, Any] | None = None
    ) -> bool:
        with self._database.transaction() as connection:
            return self._kept(connection, run_id, values, condition, parameters or {})

    def _kept(
        self,
        connection: sqlite3.Connection,
        run_id: str,
        values: dict[str, Any],
        condition: str,
        parameters: dict[str, Any],
    ) -> bool:
        """Update a row and its copy in the folder of the run; False when the condition does not hold."""
        if not _updated(connection, run_id, values, condition, parameters):
            return False
        keep_row(connection, self.folder, run_id)
        return True


def _updated(
    connection: sqlite3.Connection, run_id: str, values: dict[str, Any], condition: str, parameters: dict[str, Any]
) -> bool:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    statement = f"UPDATE runs SET {assignments} WHERE run = :run AND {condition}"
    return connection.execute(statement, values | parameters | {"run": run_id}).rowcount == 1
