"""The workspace as one file, and back: sources, runs and their store, each file checked by its digest.

A backup is an uncompressed tar archive; `manifest.json`, its last member, names every other with size and SHA-256.
"""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from cxr_core.atomic import disk_errors, replacing, sync
from cxr_core.errors import ExistsError, UsageError
from cxr_core.journal import JOURNAL_FILE, note_deed
from cxr_core.preferences import FOLDER as PERSONS
from cxr_core.runs.snapshot import end_active, snapshot
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.tasks.backup_file import FOLDERS, STORE, Entry, add_file, add_manifest, read_archive
from cxr_core.workspace import make_folder


@dataclass(frozen=True)
class Backup:
    """What a backup holds: files and bytes, runs, and how many of these were active."""

    file: str
    files: int
    bytes: int
    runs: int
    active: int


def back_up(file: Path, replace: bool = False) -> Backup:
    """Write sources, runs and their store into one file, and read it again to check it; runs may go on meanwhile.

    What can be made again (caches) and what is being written at the moment (temporary files, uploads) is left out.

    Raises:
        ExistsError: the file is there already.
        UsageError: there is nothing to back up, or the file would lie in what it backs up.
        CxrError: the disk is full.
    """
    home, file = settings().home, file.absolute()
    if file.exists() and not replace:
        raise ExistsError(f"{file} is there already. Name another file, or use --replace.")
    if any(file.is_relative_to(home / name) for name in FOLDERS):
        raise UsageError(f"{file} lies in the workspace that it would back up. Name a file elsewhere.")
    if not any((home / name).exists() for name in (*FOLDERS, STORE)):
        raise UsageError(f"There is nothing in the workspace {home} to back up.")
    with replacing(file) as beside:
        beside.chmod(0o600)
        runs, active = _write(beside, home)
        entries = _checked(beside)
    file.chmod(0o600)
    note_deed("backup written", file=file.name, runs=runs)
    return Backup(str(file), len(entries), sum(entry.size for entry in entries), runs, active)


def restore(file: Path, replace: bool = False) -> Backup:
    """Make the workspace what it was when the backup was made; every file is checked before anything takes its place.

    With `replace`, what was there is kept in a folder beside it. Runs that were active are told to have ended then.

    Raises:
        ExistsError: the workspace holds something already.
        UsageError: there is no such file, or runs of the workspace are active.
        DataError: the file is no backup, or is damaged.
        CxrError: the disk is full.
    """
    home = settings().home
    there = [name for name in (*FOLDERS, STORE) if (home / name).exists()]
    if there and not replace:
        raise ExistsError(f"The workspace {home} has {there[0]} already. Name an empty CXR_HOME, or use --replace.")
    if not file.is_file():
        raise UsageError(f"There is no file {file}. Name a file that `backup` wrote.")
    if there and RunStore(home).active():
        raise UsageError(f"Runs of the workspace {home} are active. Wait for them or cancel them first.")
    with disk_errors(home):
        make_folder(home)
        with tempfile.TemporaryDirectory(prefix=".restoring-", dir=home) as folder:
            entries = _unpacked(file, Path(folder))
            _take_place(Path(folder), home, there)
    store = RunStore(home)
    active = end_active(store)
    note_deed("workspace restored", file=file.name)
    return Backup(str(file), len(entries), sum(entry.size for entry in entries), len(store.newest_first()), active)


def as_json(backup: Backup) -> dict[str, str | int]:
    """Return what the command line prints."""
    return asdict(backup)


def _write(target: Path, home: Path) -> tuple[int, int]:
    """Write the archive, and return how many runs it holds and how many of them are active."""
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory(prefix="cxr-backup-") as folder, tarfile.open(target, "w") as archive:
        store = Path(folder) / STORE
        runs = snapshot(RunStore(home), store)
        if store.exists():
            entries.append(add_file(archive, store, STORE))
        if (home / JOURNAL_FILE).exists():
            entries.append(add_file(archive, home / JOURNAL_FILE, JOURNAL_FILE))
        places = [home / "sources", home / PERSONS, *(home / "runs" / run.run for run in runs)]
        for path in (path for place in places for path in _files(place)):
            try:
                entries.append(add_file(archive, path, path.relative_to(home).as_posix()))
            except FileNotFoundError:  # replaced or deleted since it was listed
                continue
        add_manifest(archive, entries)
    return len(runs), sum(run.is_active for run in runs)


def _files(place: Path) -> Iterator[Path]:
    """Yield the files below a folder, but those that begin with a dot: they are still being written."""
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.is_file():
                yield path


def _checked(file: Path) -> list[Entry]:
    """Return what a backup holds, with every file read again, or raise `DataError`."""
    with tempfile.TemporaryDirectory(prefix="cxr-backup-") as folder:
        return read_archive(file, Path(folder), keeps_all=False)


def _unpacked(file: Path, folder: Path) -> list[Entry]:
    return read_archive(file, folder, keeps_all=True)


def _take_place(folder: Path, home: Path, there: list[str]) -> None:
    """Put what was restored in place; what was there goes into a folder of its own."""
    if there:
        former = home / f"replaced-{datetime.now():%Y%m%d-%H%M%S}"
        former.mkdir(mode=0o700)
        for name in (*there, f"{STORE}-wal", f"{STORE}-shm"):
            if (home / name).exists():
                (home / name).rename(former / name)
    shutil.rmtree(home / "cache", ignore_errors=True)
    for name in (*FOLDERS, STORE):
        if (folder / name).exists():
            (folder / name).rename(home / name)
    if (folder / JOURNAL_FILE).exists() and not (home / JOURNAL_FILE).exists():  # a journal only grows
        (folder / JOURNAL_FILE).rename(home / JOURNAL_FILE)
    sync(home)
