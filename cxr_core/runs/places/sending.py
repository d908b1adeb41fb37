"""Sending a folder that changes to an object store, by what was added since the last time."""

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cxr_core.runs.places.goods import files_below
from cxr_core.runs.places.listing import Listing, ObjectPart, StoredFile, as_bytes
from cxr_core.runs.places.object_folder import ObjectFolder

#: A large file goes in parts of this size: a broken connection costs one of them, and no more memory is taken.
PART_BYTES = 32 * 1024 * 1024
#: A file that grows line by line has so many parts; then its small ones are made one.
_MOST_PARTS = 32
#: The bytes before the end that must be the same where a file only grew: each metric row has its time in it.
_SEAM_BYTES = 512


@dataclass(frozen=True)
class _Seen:
    """A file as it was when it was sent: what tells that it changed, and its last bytes."""

    stamp: tuple[int, int, int]
    seam: bytes


class Sender:
    """Sends one folder; all that it makes has a mark of its own, so that no other sender writes or removes it."""

    def __init__(self, folder: Path, store: ObjectFolder, listing_name: str) -> None:
        """Take the folder here, and the name of the listing that is to tell of it."""
        self._folder = folder
        self._store = store
        self._listing_name = listing_name
        self._mark = os.urandom(8).hex()
        self._count = 0
        self._listing: Listing | None = None
        self._seen: dict[str, _Seen] = {}
        self._known: Listing = {}
        self._superseded: set[str] = set()

    def knows(self, listing: Listing) -> None:
        """Take it that these files, which were just received, need not be sent again as long as they stay the same."""
        for path, file in listing.items():
            local = self._folder / path
            if local.is_file() and local.stat().st_size == file.size:
                with local.open("rb") as opened:
                    self._known[path], self._seen[path] = file, _seen(opened, file.size)

    def send(self, left_out: Collection[str] = (), beat: Callable[[], None] = lambda: None) -> bool:
        """Send what has changed, and say whether anything had.

        Args:
            left_out: names of files that stay here for now.
            beat: called between the parts of large files.

        Raises:
            StorageError: the store does not answer; what was sent so far is told of at the next time.
            OSError: a file here cannot be read.
        """
        for file in files_below(self._folder):
            if file.name not in left_out:
                self._send_file(file, file.relative_to(self._folder).as_posix(), beat)
        there = {path: file for path, file in self._known.items() if (self._folder / path).is_file()}
        if there == self._listing:
            return False
        before, self._known = self._listing or {}, dict(there)
        self._store.write(self._listing_name, as_bytes(there))
        self._listing = there
        self._remove(before)
        return True

    def _remove(self, before: Listing) -> None:
        """Remove the parts that went out of use a listing ago: somebody may still read by the one before."""
        due, self._superseded = self._superseded, _own(before, self._mark) - _own(self._known, self._mark)
        self._store.remove(sorted(due))

    def _send_file(self, file: Path, path: str, beat: Callable[[], None]) -> None:
        try:
            with file.open("rb") as opened:
                stat = os.fstat(opened.fileno())
                seen = self._seen.get(path)
                if seen is not None and seen.stamp == (stat.st_ino, stat.st_size, stat.st_mtime_ns):
                    return
                kept = self._kept(path, opened, stat.st_size)
                sent = StoredFile(kept.content, (*kept.parts, *self._sent(opened, kept.size, stat.st_size, beat)))
                self._known[path], self._seen[path] = sent, _seen(opened, sent.size, stat)
        except FileNotFoundError:  # an old checkpoint, removed in this moment
            return

    def _kept(self, path: str, opened: BinaryIO, size: int) -> StoredFile:
        """Return what is there already of a file that only grew; of another one, nothing."""
        known, seen = self._known.get(path), self._seen.get(path)
        anew = StoredFile(f"{self._mark}-{self._count}", ())
        self._count += 1
        if known is None or seen is None or size < known.size or seen.stamp[0] != os.fstat(opened.fileno()).st_ino:
            return anew
        if os.pread(opened.fileno(), len(seen.seam), known.size - len(seen.seam)) != seen.seam:
            return anew
        parts = known.parts
        if len(parts) >= _MOST_PARTS:
            large = next((i for i, part in enumerate(parts) if part.size < PART_BYTES // 8), len(parts))
            parts = parts[:large]
        return StoredFile(known.content, parts)

    def _sent(self, opened: BinaryIO, start: int, end: int, beat: Callable[[], None]) -> Iterator[ObjectPart]:
        while start < end and (content := os.pread(opened.fileno(), min(PART_BYTES, end - start), start)):
            key = f"parts/{self._mark}-{self._count}"
            self._count += 1
            self._store.write(key, content)
            start += len(content)
            beat()
            yield ObjectPart(key, len(content))


def _own(listing: Listing, mark: str) -> set[str]:
    """Return the keys of the parts that this sender made."""
    return {part.key for file in listing.values() for part in file.parts if part.key.startswith(f"parts/{mark}-")}


def _seen(opened: BinaryIO, size: int, stat: os.stat_result | None = None) -> _Seen:
    stat = stat or os.fstat(opened.fileno())
    length = min(_SEAM_BYTES, size)
    return _Seen((stat.st_ino, stat.st_size, stat.st_mtime_ns), os.pread(opened.fileno(), length, size - length))
