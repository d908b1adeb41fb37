"""The schema of the store of runs: what each version changed, and how an older file is brought up to date."""

import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

from cxr_core.errors import RunError
from cxr_core.runs.identity import own_identity
from cxr_core.runs.kept_row import keep_all_rows
from cxr_core.runs.lanes import GPU_PREFIX, Need

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


def bring_up_to_date(connection: sqlite3.Connection) -> None:
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


def _nothing(_connection: sqlite3.Connection) -> None:
    """Change nothing: the copies in the folders of runs are written by the last change, when all columns are there."""


def _add_place(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE runs ADD COLUMN place TEXT NOT NULL DEFAULT 'here'")
    connection.execute("ALTER TABLE runs ADD COLUMN leg INTEGER NOT NULL DEFAULT 1")
    _keep_rows_in_folders(connection)


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
    _nothing,
    _add_place,
)
