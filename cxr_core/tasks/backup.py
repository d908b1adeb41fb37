"""The workspace as one file, and back: sources, runs and their store, each file checked by its digest.

A backup is an uncompressed tar archive; `manifest.json`, its last member, names every other with size and SHA-256.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from cxr_core.atomic import disk_errors, replacing, sync
from cxr_core.errors import DataError, ExistsError, UsageError
from cxr_core.runs.snapshot import check_whole, end_active, snapshot
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.workspace import make_folder

_MANIFEST, _STORE, _FOLDERS = "manifest.json", "runs.sqlite", ("sources", "runs")
_VERSION = 1
_CHUNK = 1024 * 1024
#: Files of runs may be cut while they are read, as logs are; they are small and read at once.
_AT_ONCE_BYTES = 64 * 1024 * 1024
_MOST_MANIFEST_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Backup:
    """What a backup holds: files and bytes, runs, and how many of these were active."""

    file: str
    files: int
    bytes: int
    runs: int
    active: int


@dataclass(frozen=True)
class _Entry:
    path: str
    size: int
    sha256: str


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
    if any(file.is_relative_to(home / name) for name in _FOLDERS):
        raise UsageError(f"{file} lies in the workspace that it would back up. Name a file elsewhere.")
    if not any((home / name).exists() for name in (*_FOLDERS, _STORE)):
        raise UsageError(f"There is nothing in the workspace {home} to back up.")
    with replacing(file) as beside:
        beside.chmod(0o600)
        runs, active = _write(beside, home)
        entries = _checked(beside)
    file.chmod(0o600)
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
    there = [name for name in (*_FOLDERS, _STORE) if (home / name).exists()]
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
    return Backup(str(file), len(entries), sum(entry.size for entry in entries), len(store.newest_first()), active)


def as_json(backup: Backup) -> dict[str, str | int]:
    """Return what the command line prints."""
    return asdict(backup)


def _write(target: Path, home: Path) -> tuple[int, int]:
    """Write the archive, and return how many runs it holds and how many of them are active."""
    entries: list[_Entry] = []
    with tempfile.TemporaryDirectory(prefix="cxr-backup-") as folder, tarfile.open(target, "w") as archive:
        store = Path(folder) / _STORE
        runs = snapshot(RunStore(home), store)
        if store.exists():
            entries.append(_add(archive, store, _STORE))
        places = [home / "sources", *(home / "runs" / run.run for run in runs)]
        for path in (path for place in places for path in _files(place)):
            try:
                entries.append(_add(archive, path, path.relative_to(home).as_posix()))
            except FileNotFoundError:  # replaced or deleted since it was listed
                continue
        listed = {"version": _VERSION, "made": time.time(), "files": [asdict(entry) for entry in entries]}
        content = json.dumps(listed, indent=1).encode()
        member = tarfile.TarInfo(_MANIFEST)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return len(runs), sum(run.is_active for run in runs)


def _files(place: Path) -> Iterator[Path]:
    """Yield the files below a folder, but those that begin with a dot: they are still being written."""
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.is_file():
                yield path


def _add(archive: tarfile.TarFile, path: Path, name: str) -> _Entry:
    with path.open("rb") as file:
        member = tarfile.TarInfo(name)
        status = os.fstat(file.fileno())
        member.size, member.mtime, member.mode = status.st_size, status.st_mtime, 0o600
        source: IO[bytes] = file
        if status.st_size <= _AT_ONCE_BYTES:
            content = file.read(status.st_size)
            member.size, source = len(content), io.BytesIO(content)
        hashing = _Hashing(source)
        archive.addfile(member, hashing)  # type: ignore[arg-type]  # reads only
    return _Entry(name, member.size, hashing.digest.hexdigest())


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes."""
        content = self._file.read(size)
        self.digest.update(content)
        return content


def _checked(file: Path) -> list[_Entry]:
    """Return what a backup holds, with every file read again, or raise `DataError`."""
    with tempfile.TemporaryDirectory(prefix="cxr-backup-") as folder:
        return _read(file, Path(folder), keeps_all=False)


def _unpacked(file: Path, folder: Path) -> list[_Entry]:
    return _read(file, folder, keeps_all=True)


def _read(file: Path, folder: Path, keeps_all: bool) -> list[_Entry]:
    """Compare every member with the manifest, and write all, or only the store, below a folder."""
    try:
        with tarfile.open(file, "r:") as archive:
            members = archive.getmembers()
            entries = _manifest(archive, members)
            for member, entry in zip(members, entries, strict=False):
                _check_member(member, entry)
                is_kept = keeps_all or entry.path == _STORE
                if _digest(archive, member, folder / entry.path if is_kept else None) != entry.sha256:
                    raise DataError(f"{file} is damaged: {entry.path} has changed in it. Take another backup.")
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{file} is no backup, or it is cut: {error}. Take another one.") from error
    if any(entry.path == _STORE for entry in entries):
        check_whole(folder / _STORE)
    return entries


def _manifest(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> list[_Entry]:
    try:
        last = members[-1]
        if last.name != _MANIFEST or not last.isfile() or last.size > _MOST_MANIFEST_BYTES:
            raise ValueError("it has no manifest")
        listed = json.loads(_opened(archive, last).read())
        if listed["version"] != _VERSION:
            raise ValueError(f"it is of version {listed['version']}, which this CXR Lab does not know")
        entries = [_Entry(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in listed["files"]]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{archive.name} is no whole backup: {error}. Take another one.") from error
    names = [entry.path for entry in entries]
    if names != [member.name for member in members[:-1]] or len(set(names)) < len(names):
        raise DataError(f"{archive.name} is no whole backup: its files are not those of its manifest. Take another.")
    return entries


def _check_member(member: tarfile.TarInfo, entry: _Entry) -> None:
    """Raise `DataError` unless a member is a plain file at a place that a workspace has."""
    path = PurePosixPath(entry.path)
    is_ours = entry.path == _STORE or (path.parts[0] in _FOLDERS and len(path.parts) > 1)
    if not member.isfile() or member.size != entry.size or not is_ours or ".." in path.parts or "\\" in entry.path:
        raise DataError(f"The backup holds {entry.path!r}, which is no file of a workspace. It is not restored.")


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path | None) -> str:
    """Return the SHA-256 of a member, which is written to `target` on the way."""
    digest = hashlib.sha256()
    if target is not None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(archive, member) as source, Path(target or os.devnull).open("wb") as file:
        while content := source.read(_CHUNK):
            digest.update(content)
            file.write(content)
    if target is not None:
        target.chmod(0o600)
        os.utime(target, (member.mtime, member.mtime))
    return digest.hexdigest()


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = archive.extractfile(member)
    if opened is None:
        raise DataError(f"{archive.name}: {member.name!r} is no file. Take another backup.")
    return opened


def _take_place(folder: Path, home: Path, there: list[str]) -> None:
    """Put what was restored in place; what was there goes into a folder of its own."""
    if there:
        former = home / f"replaced-{datetime.now():%Y%m%d-%H%M%S}"
        former.mkdir(mode=0o700)
        for name in (*there, f"{_STORE}-wal", f"{_STORE}-shm"):
            if (home / name).exists():
                (home / name).rename(former / name)
    shutil.rmtree(home / "cache", ignore_errors=True)
    for name in (*_FOLDERS, _STORE):
        if (folder / name).exists():
            (folder / name).rename(home / name)
    sync(home)
