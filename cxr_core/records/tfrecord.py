"""The TFRecord file format: length, masked CRC-32C of the length, payload, masked CRC-32C of the payload.

The format is TensorFlow's (`tensorflow/core/lib/io/record_writer.h`); writing and checking it needs no TensorFlow.
"""

import contextlib
import gzip
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from cxr_core.atomic import replacing
from cxr_core.errors import RecordError
from cxr_core.storage import open_binary

_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CRC.size
_MASK_DELTA = 0xA282EAD8
#: No chest X-ray example is this large; a larger claim is damage, and must not become an allocation.
_LARGEST_PAYLOAD = 256 * 1024 * 1024


def masked_crc(data: bytes) -> int:
    """Return TensorFlow's masked CRC-32C of `data`."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def write_records(path: Path, payloads: Iterable[bytes]) -> int:
    """Write payloads to one TFRecord file, atomically, and return how many they were."""
    count = 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        for payload in payloads:
            count += 1
            length = _LENGTH.pack(len(payload))
            file.write(length + _CRC.pack(masked_crc(length)) + payload + _CRC.pack(masked_crc(payload)))
    return count


def write_shards(folder: Path, view: str, payloads: Sequence[bytes], shards: int) -> list[Path]:
    """Deal payloads over `shards` files named `<view>-NNNNN-of-NNNNN` and return their paths."""
    paths = [folder / f"{view}-{index:05d}-of-{shards:05d}" for index in range(shards)]
    for index, path in enumerate(paths):
        write_records(path, payloads[index::shards])
    return paths


def read_payloads(path: Path | str) -> Iterator[bytes]:
    """Yield the payloads of a TFRecord file, here or on gs://, both checksums verified.

    Raises:
        RecordError: the file cannot be opened, is cut, or a checksum is wrong; the message names file and record.
    """
    with _opened(path) as file:
        yield from payloads_of(file, path)


def payloads_of(file: BinaryIO | gzip.GzipFile, path: Path | str, most: int | None = None) -> Iterator[bytes]:
    """Yield the payloads of an open file, named `path` in errors, and refuse one of more than `most` bytes."""
    taken = 0
    for number, length in _lengths(file, path):
        taken += length
        if most is not None and taken > most:
            raise RecordError(f"{path} unpacks to more than records of its size can hold. Check where it comes from.")
        payload = file.read(length)
        trailer = file.read(_CRC.size)
        if len(payload) < length or len(trailer) < _CRC.size:
            raise _cut(path, number)
        if _CRC.unpack(trailer)[0] != masked_crc(payload):
            raise _damaged(path, number)
        yield payload


@dataclass(frozen=True)
class Scanned:
    """One record of a file that was read through.

    `number` is from 1, `offset` is where the record begins and `length` that of its payload, in bytes, `crc` the
    checksum that stands behind the payload. `damage` says what is wrong; then there is no payload.
    """

    number: int
    offset: int
    length: int = 0
    crc: int = 0
    payload: bytes | None = None
    damage: str = ""


def scan_records(path: Path | str) -> Iterator[Scanned]:
    """Yield every record of a file, here or on gs://, also what is damaged; after a damaged length nothing can follow.

    Raises:
        RecordError: the file cannot be opened.
    """
    number, offset = 0, 0
    with _opened(path) as file:
        try:
            for number, length in _lengths(file, path):
                payload, trailer = file.read(length), file.read(_CRC.size)
                if len(payload) < length or len(trailer) < _CRC.size:
                    raise _cut(path, number)
                crc = int(_CRC.unpack(trailer)[0])
                if crc == masked_crc(payload):
                    yield Scanned(number, offset, length, crc, payload)
                else:
                    yield Scanned(number, offset, length, crc, damage=str(_damaged(path, number)))
                offset += record_bytes(length)
        except RecordError as error:
            yield Scanned(number + 1, offset, damage=str(error))


def record_bytes(length: int) -> int:
    """Return the bytes of a record, with its length and checksums, whose payload has `length` bytes."""
    return _HEADER_BYTES + length + _CRC.size


def header_of(length: int) -> bytes:
    """Return what stands in front of a payload of `length` bytes."""
    packed = _LENGTH.pack(length)
    return packed + _CRC.pack(masked_crc(packed))


def payload_of(content: bytes, length: int, crc: int) -> bytes | None:
    """Return the payload of a record that was read by its offset; None unless it is the record that was there."""
    if len(content) != record_bytes(length) or not content.startswith(header_of(length)):
        return None
    payload = content[_HEADER_BYTES : -_CRC.size]
    is_same = _CRC.unpack_from(content, _HEADER_BYTES + length)[0] == crc == masked_crc(payload)
    return payload if is_same else None


def begins_like_records(start: bytes) -> bool:
    """Say whether the first bytes of a file are the length of a record and its checksum."""
    if len(start) < _HEADER_BYTES:
        return False
    return bool(_CRC.unpack_from(start, _LENGTH.size)[0] == masked_crc(start[: _LENGTH.size]))


def count_records(path: Path | str) -> int:
    """Return the number of records of a file by reading only their lengths; one on gs:// is read through.

    Raises:
        RecordError: the file cannot be opened, is cut, or a length is damaged.
    """
    return len(record_offsets(path))


def record_offsets(path: Path | str) -> list[int]:
    """Return where each record of a file begins, in bytes, by reading only their lengths.

    Raises:
        RecordError: the file cannot be opened, is cut, or a length is damaged.
    """
    offsets = []
    position = 0
    with _opened(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        for number, length in _lengths(file, path):
            offsets.append(position)
            position = file.seek(length + _CRC.size, os.SEEK_CUR)
            if position > size:
                raise _cut(path, number)
    return offsets


@contextlib.contextmanager
def _opened(path: Path | str) -> Iterator[BinaryIO]:
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_binary(path))
        except OSError as error:
            raise RecordError(f"The TFRecord file {path} cannot be read: {error.strerror}.") from error
        yield file


def _lengths(file: BinaryIO | gzip.GzipFile, path: Path | str) -> Iterator[tuple[int, int]]:
    """Yield (record number from 1, payload length); the caller moves the file past each payload."""
    number = 0
    while header := file.read(_HEADER_BYTES):
        number += 1
        if len(header) < _HEADER_BYTES:
            raise _cut(path, number)
        length = int(_LENGTH.unpack_from(header)[0])
        if _CRC.unpack_from(header, _LENGTH.size)[0] != masked_crc(header[: _LENGTH.size]) or length > _LARGEST_PAYLOAD:
            raise RecordError(f"Record {number} of {path} is damaged: this is no TFRecord there. Make the file anew.")
        yield number, length


def _cut(path: Path | str, number: int) -> RecordError:
    return RecordError(f"The TFRecord file {path} is cut off in record {number}. Copy or make the file anew.")


def _damaged(path: Path | str, number: int) -> RecordError:
    return RecordError(f"Record {number} of {path} is damaged: its checksum does not match. Make the file anew.")
