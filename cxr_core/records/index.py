"""One record of many at once: which byte of a TFRecord file the record of a path begins at.

An index is made by reading a file through once. It is trusted as long as the file has the size and time that it had (on
gs:// the version that it had), and the records that are looked at have the lengths and checksums that they had; if not,
it is made anew. So a file that was cut, replaced, added to or damaged is never read by an old index.
"""

import contextlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from cxr_core.errors import RecordError
from cxr_core.locations import is_remote
from cxr_core.records.example import decode_path, decode_picture
from cxr_core.records.foreign import has_own_form, in_own_form
from cxr_core.records.index_file import (
    ROW,
    IndexContent,
    Rows,
    index_place,
    path_hash,
    place_beside,
    read_index,
    write_index,
)
from cxr_core.records.tfrecord import payload_of, record_bytes, scan_records
from cxr_core.stamps import file_stamp, looked
from cxr_core.storage import read_range, version

#: Records that are compared with the file when an index is read from the disk, evenly spread.
_COMPARED = 8
#: Indexes that are kept in memory, 28 bytes a record.
_MOST_KEPT = 1024
_kept: dict[str, tuple[Hashable, "RecordIndex"]] = {}

Tell = Callable[[int], object]


class _StaleIndexError(Exception):
    """A file is not what its index says."""


def _untold(_bytes_read: int) -> None:
    """Let nobody know how far the reading is."""


@dataclass(frozen=True, eq=False)
class FoundRecord:
    """The serialised record of a path; `where` names it in errors, as in "Record 3 of FILE"."""

    payload: bytes
    where: str

    @property
    def jpg(self) -> bytes:
        """The picture as the record has it; raises `RecordError` where there is none."""
        return decode_picture(self.payload, self.where)


@dataclass(frozen=True, eq=False)
class RecordIndex:
    """The index of a file in our own form: `rows` (n,) by the hash of the path, and in words what is damaged."""

    file: str
    rows: Rows
    damage: tuple[str, ...]

    def find(self, path: str) -> FoundRecord | None:
        """Return the record of a path, read by its offset, or None where the file has none."""
        wanted, hashes = path_hash(path), self.rows["hash"]
        for place in range(int(np.searchsorted(hashes, np.uint64(wanted))), len(hashes)):
            if int(hashes[place]) != wanted:
                return None
            found = self.read(place)
            if decode_path(found.payload, found.where) == path:
                return found
        return None

    def read(self, place: int) -> FoundRecord:
        """Return one record, nothing else of the file being read."""
        _, offset, length, crc, number = self.rows[place].item()
        payload = payload_of(read_range(self.file, offset, record_bytes(length)), length, crc)
        if payload is None:
            raise _StaleIndexError
        return FoundRecord(payload, f"Record {number} of {self.file}")


def find_record(path: str, files: Iterable[str]) -> FoundRecord | None:
    """Return the record of `path` from files here or on gs://, None where none has it; missing indexes are made.

    A record that does not tell its path is named by its keys. Damage is told only where the path is not found.

    Raises:
        RecordError: the path is in no record that is whole, and a file is damaged.
        StorageError, UsageError: Cloud Storage refuses, or cannot be reached.
    """
    damage: list[str] = []
    for file in files:
        try:
            found, index = _find(path, file)
        except RecordError as error:
            damage.append(str(error))
            continue
        if found:
            return found
        damage += index.damage
    if damage:
        raise RecordError(damage[0])
    return None


def has_index(file: str) -> bool:
    """Say whether a record of a file can be read at once; raises as `find_record`."""
    return has_own_form(file) and _ready(in_own_form([file])[0]) is not None


def build_index(file: str, tell: Tell = _untold, beside: bool = False) -> RecordIndex:
    """Read a file through, here or on gs://, and return its index, which is kept.

    Args:
        file: in our own form, or in another, of which a copy is made.
        tell: called at each record with the bytes that were read before it; may raise to end the work.
        beside: whether the index is put beside the file though that does not lie in the workspace.

    Raises:
        RecordError: the file cannot be read at all; what is damaged in it stands in the index.
        StorageError, UsageError: Cloud Storage refuses, or cannot be reached.
    """
    return _built(in_own_form([file])[0], tell, beside)


def _built(own: str, tell: Tell = _untold, beside: bool = False) -> RecordIndex:
    before, rows, damage = _stamp(own), list[tuple[int, int, int, int, int]](), list[str]()
    for one in scan_records(own):
        tell(one.offset)
        path = None
        try:
            path = None if one.payload is None else decode_path(one.payload, f"Record {one.number} of {own}")
        except RecordError as error:
            damage.append(str(error))
        if one.damage:
            damage.append(one.damage)
        if path is not None:
            rows.append((path_hash(path), one.offset, one.length, one.crc, one.number))
    packed = np.array(rows, ROW)
    index = RecordIndex(own, packed[np.argsort(packed["hash"], kind="stable")], tuple(damage))
    if _stamp(own) == before:
        place = place_beside(own) if beside else index_place(own)
        write_index(place, IndexContent(*_told(before), index.rows, index.damage))
        _keep(own, before, index)
    return index


def _find(path: str, file: str) -> tuple[FoundRecord | None, RecordIndex]:
    own = in_own_form([file])[0]
    index = _ready(own) or _built(own)
    try:
        return index.find(path), index
    except _StaleIndexError:
        index = _built(own)
    try:
        return index.find(path), index
    except _StaleIndexError as error:
        raise RecordError(f"{own} changes while it is read. Try again once it is written.") from error


def _ready(own: str) -> RecordIndex | None:
    """Return the index of a file that is kept in memory or on the disk; None where it must be made."""
    stamp = _stamp(own)
    known = _kept.get(own)
    if known is not None and known[0] == stamp:
        return known[1]
    content = read_index(index_place(own))
    if content is None or (content.version, content.mtime_ns if len(stamp) > 1 else None) != _told(stamp):
        return None
    index = RecordIndex(own, content.rows, content.damage)
    if not is_remote(own) and not _is_like(index):
        return None
    _keep(own, stamp, index)
    return index


def _is_like(index: RecordIndex) -> bool:
    """Say whether the file has, at a few places, the records that its index says."""
    step = max(1, len(index.rows) // _COMPARED)
    with contextlib.suppress(_StaleIndexError, OSError):
        for place in range(0, len(index.rows), step):
            index.read(place)
        return True
    return False


def _keep(own: str, stamp: Hashable, index: RecordIndex) -> None:
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)
    _kept[own] = (stamp, index)


def _stamp(own: str) -> tuple[Hashable, ...]:
    """Return what changes when a file does."""
    return (looked(("version", own), lambda: version(own)),) if is_remote(own) else file_stamp(own)


def _told(stamp: tuple[Hashable, ...]) -> tuple[str, int | None]:
    """Return what of a stamp goes along with a copy of file and index: the version, or of a file here size and time."""
    return (str(stamp[0]), None) if len(stamp) == 1 else (str(stamp[2]), int(str(stamp[3])))
