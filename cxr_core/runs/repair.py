"""Building the store of runs anew from the runs' folders, when its file is damaged, empty or gone."""

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cxr_core.atomic import disk_errors, sync
from cxr_core.errors import RunError, UsageError
from cxr_core.runs.database import connected
from cxr_core.runs.folder_traces import traced
from cxr_core.runs.kept_row import kept_row, rows_of
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore

_SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Repaired:
    """What a repair found: runs by where they were read, folders that are no runs, and where the old file lies."""

    runs: int
    from_copies: int
    from_old_store: int
    from_traces: int
    unreadable: tuple[str, ...]
    kept_aside: str | None


def repair(store: RunStore) -> Repaired:
    """Build the store of a workspace anew and put it in place of the old file, which is kept aside.

    What a run's own copy says goes before what can still be read of the old file, and that before the traces in log
    and metrics. Runs that were deleted stay so: only those with a folder come back.

    Raises:
        UsageError: the store is whole, or there is neither a store nor a folder of a run.
        RunError: the file is of a newer version, or another process holds it.
    """
    if _is_whole(store):
        raise UsageError(f"The store of runs {store.path} is whole, so it needs no repair. List its runs with `runs`.")
    folders = sorted(folder for folder in store.folder.glob("*") if folder.is_dir())
    if not folders:
        raise UsageError(f"There is no run in {store.folder} from which {store.path} could be rebuilt.")
    old = _readable_rows(store.path)
    copies = {folder.name: found for folder in folders if (found := kept_row(folder))}
    named = {folder.name for folder in folders}
    rows = {run: found for run, found in old.items() if run in named} | copies
    traces = {folder.name: run for folder in folders if folder.name not in rows and (run := traced(folder))}
    ordered = [run for _, run in sorted(rows.values(), key=lambda found: (found[0], found[1].created))]
    every = sorted([*traces.values()], key=lambda run: run.created) + ordered
    aside = _put_in_place(store, every)
    lost = tuple(sorted(named - set(rows) - set(traces)))
    return Repaired(len(every), len(copies), len(rows) - len(copies), len(traces), lost, aside)


def _is_whole(store: RunStore) -> bool:
    """Say whether the file is there, SQLite finds no damage in it, and no run is missing that has a folder."""
    try:
        if not store.path.exists() or not store.path.stat().st_size:
            return False
        with contextlib.closing(connected(store.path)) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            known = {row["run"] for row in connection.execute("SELECT run FROM runs")}
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise RunError(f"The store of runs {store.path} is locked. Repair it when no run is active.") from error
        return False
    return said == "ok" and not {folder.name for folder in store.folder.glob("*") if kept_row(folder)} - known


def _readable_rows(path: Path) -> dict[str, tuple[int, Run]]:
    if not path.exists():
        return {}
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as connection:
        return rows_of(connection)
    return {}


def _put_in_place(store: RunStore, runs: list[Run]) -> str | None:
    """Write the new store beside the old one and let it take its place; return where the old file lies now."""
    beside = store.path.with_name(f".{store.path.name}.{os.getpid()}.tmp")
    with disk_errors(store.path):
        try:
            _write(beside, runs)
            sync(beside)
            aside = _set_aside(store.path)
            beside.replace(store.path)
            sync(store.path.parent)
        finally:
            for name in ("", *_SIDE_FILES):
                beside.with_name(beside.name + name).unlink(missing_ok=True)
    return aside


def _write(path: Path, runs: list[Run]) -> None:
    with contextlib.closing(connected(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for place, run in enumerate(runs, start=1):
            row = run.as_row() | {"position": place}
            values = ", ".join(f":{name}" for name in row)
            connection.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({values})", row)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")


def _set_aside(path: Path) -> str | None:
    """Keep the old file under another name; a log of changes that went with it must not be applied to the new one."""
    aside = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S}")
    has_content = path.exists() and path.stat().st_size > 0
    if has_content:
        os.link(path, aside)
    for name in _SIDE_FILES:
        side = path.with_name(path.name + name)
        if has_content and side.exists():
            os.link(side, aside.with_name(aside.name + name))
        side.unlink(missing_ok=True)
    return str(aside) if has_content else None
