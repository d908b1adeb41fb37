"""Receiving a folder from an object store, by what was added since the last time."""

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from cxr_core.atomic import disk_errors, replacing, write_text
from cxr_core.errors import StorageError
from cxr_core.runs.places.listing import Listing, StoredFile
from cxr_core.runs.places.object_folder import ObjectFolder
from cxr_core.runs.places.sending import PART_BYTES


class Receiver:
    """Keeps a folder here as a listing tells; it notes what it has, so that a process that comes later goes on."""

    def __init__(self, store: ObjectFolder, folder: Path, notes: Path) -> None:
        """Take the store, the folder here, and the file of the notes."""
        self._store = store
        self._folder = folder
        self._notes = notes
        self._have: dict[str, tuple[str, int]] = _read(notes)

    def receive(
        self, listing: Listing, wanted: Callable[[str, StoredFile], bool], beat: Callable[[], None] = lambda: None
    ) -> None:
        """Bring the wanted files up to date; `beat` is called between the parts of large ones.

        Raises:
            StorageError: the store does not answer, or a part went out of use meanwhile: a newer listing is there.
            CxrError: the disk here is full, or may not be written.
        """
        before = dict(self._have)
        try:
            for path, file in listing.items():
                if wanted(path, file):
                    self._bring(path, file, beat)
        finally:
            if self._have != before:
                write_text(self._notes, json.dumps(self._have))

    def drop_others(self, listing: Listing) -> None:
        """Remove the files that came by a former listing and are not in this one, as checkpoints that were replaced."""
        for path in [path for path in self._have if path not in listing]:
            (self._folder / path).unlink(missing_ok=True)
            del self._have[path]
        write_text(self._notes, json.dumps(self._have))

    def _bring(self, path: str, file: StoredFile, beat: Callable[[], None]) -> None:
        target = self._folder / path
        content, has = self._have.get(path, ("", 0))
        grew = content == file.content and target.is_file() and target.stat().st_size >= has
        if grew and has == file.size:
            return
        if grew and has < file.size:
            with disk_errors(target), target.open("r+b") as opened:
                self._write(file, has, opened.fileno(), beat)
        else:
            with replacing(target) as temporary, temporary.open("r+b") as opened:
                self._write(file, 0, opened.fileno(), beat)
        self._have[path] = (file.content, file.size)

    def _write(self, file: StoredFile, start: int, target: int, beat: Callable[[], None]) -> None:
        """Write the bytes of a file from `start` on to where they belong."""
        begin = 0
        for part in file.parts:
            end = begin + part.size
            while start < end:
                stop = min(end, start + PART_BYTES)
                content = self._store.read(part.key, start - begin, stop - begin)
                if content is None or len(content) != stop - start:
                    raise StorageError(f"{self._store.location}/{part.key} is there no more, or not as it was.")
                os.pwrite(target, content, start)
                start = stop
                beat()
            begin = end


def _read(notes: Path) -> dict[str, tuple[str, int]]:
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        return {path: (str(content), int(size)) for path, (content, size) in json.loads(notes.read_text()).items()}
    return {}
