"""A copy of what the store knows of a run, in the run's own folder: from these the store can be rebuilt."""

import contextlib
import json
import os
import sqlite3
from pathlib import Path

from cxr_core.runs.run import COLUMNS, HERE, Run

ROW_FILE = "run.json"
_ORDER = "entry"
#: What rows of former versions lack.
_SINCE = {"place": HERE, "leg": 1}


def keep_row(connection: sqlite3.Connection, folder: Path, run_id: str) -> None:
    """Write the row of a run into its folder, as the transaction of `connection` leaves it.

    The transaction keeps others from writing an older row over it. A run does not fail for want of the copy: neither a
    full disk nor a folder that has vanished is told here.
    """
    query = f"SELECT rowid AS {_ORDER}, {', '.join(COLUMNS)} FROM runs WHERE run = ?"
    row = connection.execute(query, (run_id,)).fetchone()
    if row is None:
        return
    beside = folder / run_id / f".{ROW_FILE}.{run_id}{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        try:
            beside.write_text(json.dumps(dict(row)) + "\n")
            beside.replace(beside.with_name(ROW_FILE))
        finally:
            beside.unlink(missing_ok=True)


def keep_all_rows(connection: sqlite3.Connection, folder: Path) -> None:
    """Write the rows of all runs into their folders, those of versions that kept no copies."""
    for row in connection.execute("SELECT run FROM runs").fetchall():
        keep_row(connection, folder, row["run"])


def kept_row(folder: Path) -> tuple[int, Run] | None:
    """Return the place of a run in the order of the store and the run, from its folder; None where no copy is whole."""
    try:
        row = json.loads((folder / ROW_FILE).read_text())
        return int(row[_ORDER]), Run.from_row(_SINCE | row)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def rows_of(connection: sqlite3.Connection) -> dict[str, tuple[int, Run]]:
    """Return what can still be read of a store that may be damaged: up to the first page that cannot."""
    found: dict[str, tuple[int, Run]] = {}
    connection.row_factory = sqlite3.Row
    with contextlib.suppress(sqlite3.Error, ValueError, TypeError, KeyError, IndexError):
        connection.execute("PRAGMA writable_schema = ON")  # reads past what the schema has of damaged entries
        for row in connection.execute("SELECT rowid AS entry, * FROM runs"):
            run = Run.from_row(_SINCE | dict(row))
            found[run.run] = int(row[_ORDER]), run
    return found


def has_runs(folder: Path) -> int:
    """Return how many folders hold a run that was once in a store; one that is just being started is not yet."""
    names = (ROW_FILE, "log.txt")
    with contextlib.suppress(OSError):
        return sum(1 for one in folder.iterdir() if any((one / name).is_file() for name in names))
    return 0
