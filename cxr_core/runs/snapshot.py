"""The store of runs as it is at one moment, while runs go on; and what becomes of active runs where it is restored."""

import contextlib
import sqlite3
from pathlib import Path

from cxr_core.errors import DataError
from cxr_core.runs.run import FAILED, Run
from cxr_core.runs.store import RunStore

_WAS_ACTIVE = "The run was {status} when the backup was made that this workspace was restored from. {next}"


def snapshot(store: RunStore, target: Path) -> list[Run]:
    """Write the store as it is now into a file of its own, and return its runs; writers go on meanwhile.

    Raises:
        RunError: the store cannot be used.
    """
    if not store.path.exists():
        return []
    with store.looked_at() as connection, contextlib.closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.row_factory = sqlite3.Row
        return [Run.from_row(row) for row in copy.execute("SELECT * FROM runs")]


def check_whole(file: Path) -> None:
    """Raise `DataError` where SQLite finds damage in the file of a store."""
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise DataError(f"The store of runs in the backup is damaged: {said}. Take another backup.")


def end_active(store: RunStore) -> int:
    """End what was active when a restored store was backed up: its processes work elsewhere, or no more."""
    active = store.active()
    for run in active:
        what_next = "Resume it or start it again." if run.resumable else "Start it again."
        store.end(run.run, FAILED, _WAS_ACTIVE.format(status=run.status, next=what_next), run.supervisor)
    return len(active)
