"""The file in which the index of a TFRecord file is kept: where it lies, and how it is written and read.

An index names no image: in place of a path it has 64 bits of its hash, and the record itself says whether it is meant.
It lies beside its TFRecord file where that is the product's own, in a folder beside its own; of a
file elsewhere, on this machine or on gs://, it lies in the workspace, as all that is written. Its file has the time of
the records' file, so that equal records have equal indexes, and a copy of both is as good as they are.
"""

import contextlib
import hashlib
import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import numpy as np
import numpy.typing as npt

from cxr_core.atomic import replacing
from cxr_core.errors import CxrError
from cxr_core.locations import is_remote
from cxr_core.settings import settings
from cxr_core.storage import CACHE_FOLDER

_BESIDE, _ELSEWHERE = ".index", "indexes"
_MAGIC = b"CXR Lab index of records 1\n"
_CRC = struct.Struct("<I")
#: One record: the hash of its path, where it begins, the length of its payload in bytes, its checksum, its number.
ROW = np.dtype([("hash", "<u8"), ("offset", "<u8"), ("length", "<u4"), ("crc", "<u4"), ("number", "<u4")])

Rows = npt.NDArray[np.void]


@dataclass(frozen=True, eq=False)
class IndexContent:
    """What an index says: `rows` (n,) of `ROW`, sorted by hash, and what is damaged.

    `version` is what a file on gs:// calls its version, or the size of one of this machine, whose time is `mtime_ns`.
    """

    version: str
    mtime_ns: int | None
    rows: Rows
    damage: tuple[str, ...]


def path_hash(path: str) -> int:
    """Return the 64 bits by which an index knows a path."""
    return int.from_bytes(hashlib.blake2b(path.encode(), digest_size=8).digest(), "little")


def index_place(file: str) -> Path:
    """Return where the index of a TFRecord file lies."""
    home = settings().home
    if not is_remote(file) and (place_beside(file).is_relative_to(home) or place_beside(file).is_file()):
        return place_beside(file)
    return home / CACHE_FOLDER / _ELSEWHERE / hashlib.sha256(file.encode()).hexdigest()[:24]


def place_beside(file: str) -> Path:
    """Return where the index of a file lies that the product writes."""
    folder = Path(file).parent
    return folder.parent / _BESIDE / folder.name / Path(file).name.replace("-of-", "_of_")


def write_index(place: Path, content: IndexContent) -> None:
    """Write an index, atomically; where nothing can be written, nothing is: it can be made again."""
    told = json.dumps({"version": content.version, "records": len(content.rows), "damage": content.damage})
    written = _MAGIC + told.encode() + b"\n" + content.rows.tobytes()
    with contextlib.suppress(CxrError, OSError), replacing(place) as temporary:
        temporary.write_bytes(written + _CRC.pack(google_crc32c.value(written)))
        if content.mtime_ns is not None:
            os.utime(temporary, ns=(content.mtime_ns, content.mtime_ns))


def read_index(place: Path) -> IndexContent | None:
    """Return what a file of an index says; None where there is none, or it is not as it was written."""
    try:
        written, changed = place.read_bytes(), place.stat().st_mtime_ns
        whole, crc = written[: -_CRC.size], written[-_CRC.size :]
        if not whole.startswith(_MAGIC) or _CRC.unpack(crc)[0] != google_crc32c.value(whole):
            return None
        told, packed = whole[len(_MAGIC) :].split(b"\n", 1)
        header = json.loads(told)
        return IndexContent(str(header["version"]), changed, np.frombuffer(packed, ROW), tuple(header["damage"]))
    except (OSError, ValueError, KeyError, struct.error):
        return None
