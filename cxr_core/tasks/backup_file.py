"""The file of a backup: an uncompressed tar archive, whose last member names every other with size and SHA-256."""

import hashlib
import io
import json
import os
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cxr_core.errors import DataError
from cxr_core.journal import JOURNAL_FILE
from cxr_core.preferences import FOLDER as PERSONS
from cxr_core.runs.snapshot import check_whole

STORE, FOLDERS = "runs.sqlite", ("sources", "runs", PERSONS)
_MANIFEST, _VERSION = "manifest.json", 1
_CHUNK = 1024 * 1024
#: Files of runs may be cut while they are read, as logs are; they are small and read at once.
_AT_ONCE_BYTES = 64 * 1024 * 1024
_MOST_MANIFEST_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """A file of a workspace: its place in it, its bytes and their SHA-256."""

    path: str
    size: int
    sha256: str


def add_file(archive: tarfile.TarFile, path: Path, name: str) -> Entry:
    """Add a file under the name that it has in a workspace, as it is now."""
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
    return Entry(name, member.size, hashing.digest.hexdigest())


def add_manifest(archive: tarfile.TarFile, entries: list[Entry]) -> None:
    """End an archive with the list of what it holds."""
    listed = {"version": _VERSION, "made": time.time(), "files": [asdict(entry) for entry in entries]}
    content = json.dumps(listed, indent=1).encode()
    member = tarfile.TarInfo(_MANIFEST)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


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


def read_archive(file: Path, folder: Path, keeps_all: bool) -> list[Entry]:
    """Compare every member with the manifest, and write all, or only the store, below a folder.

    Raises:
        DataError: the file is no whole backup, or holds what is no file of a workspace.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            members = archive.getmembers()
            entries = _manifest(archive, members)
            for member, entry in zip(members, entries, strict=False):
                _check_member(member, entry)
                is_kept = keeps_all or entry.path == STORE
                if _digest(archive, member, folder / entry.path if is_kept else None) != entry.sha256:
                    raise DataError(f"{file} is damaged: {entry.path} has changed in it. Take another backup.")
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{file} is no backup, or it is cut: {error}. Take another one.") from error
    if any(entry.path == STORE for entry in entries):
        check_whole(folder / STORE)
    return entries


def _manifest(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> list[Entry]:
    try:
        last = members[-1]
        if last.name != _MANIFEST or not last.isfile() or last.size > _MOST_MANIFEST_BYTES:
            raise ValueError("it has no manifest")
        listed = json.loads(_opened(archive, last).read())
        if listed["version"] != _VERSION:
            raise ValueError(f"it is of version {listed['version']}, which this CXR Lab does not know")
        entries = [Entry(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in listed["files"]]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{archive.name!s} is no whole backup: {error}. Take another one.") from error
    names = [entry.path for entry in entries]
    if names != [member.name for member in members[:-1]] or len(set(names)) < len(names):
        raise DataError(f"{archive.name!s} is no whole backup: its files are not those of its manifest. Take another.")
    return entries


def _check_member(member: tarfile.TarInfo, entry: Entry) -> None:
    """Raise `DataError` unless a member is a plain file at a place that a workspace has."""
    path = PurePosixPath(entry.path)
    is_ours = entry.path in (STORE, JOURNAL_FILE) or (path.parts[0] in FOLDERS and len(path.parts) > 1)
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
        raise DataError(f"{archive.name!s}: {member.name!r} is no file. Take another backup.")
    return opened
