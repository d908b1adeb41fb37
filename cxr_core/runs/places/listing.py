"""What the folder of a job holds, as it lies on an object store: each file in parts that are never changed.

The listing is one object, written after the parts that it names: whoever reads it finds all of them. A file that grows
gets further parts; its `content` stays the same then, and changes when it is another file, or was cut.
"""

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cxr_core.errors import StorageError

_KEY = re.compile(r"parts/[A-Za-z0-9-]{1,80}")


@dataclass(frozen=True)
class ObjectPart:
    """One object with `size` bytes of a file."""

    key: str
    size: int


@dataclass(frozen=True)
class StoredFile:
    """A file: its parts one after the other; as long as `content` is the same, bytes were only added."""

    content: str
    parts: tuple[ObjectPart, ...]

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return sum(part.size for part in self.parts)


Listing = dict[str, StoredFile]


def as_bytes(listing: Listing) -> bytes:
    """Return the listing as it is stored."""
    files = {
        path: {"content": file.content, "parts": [[part.key, part.size] for part in file.parts]}
        for path, file in sorted(listing.items())
    }
    return json.dumps({"files": files}).encode()


def from_bytes(stored: bytes | None, where: str) -> Listing:
    """Return the listing that was stored, an empty one where nothing was.

    Raises:
        StorageError: it is none, or names a file outside of the folder: whoever may write there does not write here.
    """
    try:
        files = {} if stored is None else json.loads(stored)["files"]
        return {_path(path): _file(entry) for path, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(f"{where} is no listing of a run's files, or only half of one.") from error


def _path(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or not path.isprintable() or "\\" in path:
        raise ValueError(path)
    return str(PurePosixPath(path))


def _file(entry: dict[str, Any]) -> StoredFile:
    parts = tuple(ObjectPart(str(key), int(size)) for key, size in entry["parts"])
    if not all(_KEY.fullmatch(part.key) and part.size >= 0 for part in parts):
        raise ValueError(entry)
    return StoredFile(str(entry["content"]), parts)
