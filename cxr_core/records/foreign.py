"""TFRecord files of other makers -> files in our own form: GZIP unpacked, labels that are floats as whole numbers.

A file that is in our form already is used as it is. Of another one a copy is kept in the workspace until it changes.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from cxr_core.errors import RecordError
from cxr_core.locations import is_remote
from cxr_core.records.example import in_whole_numbers
from cxr_core.records.tfrecord import begins_like_records, payloads_of, read_payloads, write_records
from cxr_core.settings import settings
from cxr_core.stamps import Stamp, file_stamp
from cxr_core.storage import CACHE_FOLDER

_FOLDER = "records"
_GZIP = b"\x1f\x8b"
#: A JPEG shrinks hardly at all, so a file that unpacks to more is no file of records.
_LARGEST_RATIO = 50


def in_own_form(paths: Sequence[str]) -> list[str]:
    """Return files in our own form with what the files hold; a copy is made of those that are in another.

    A file on gs:// is taken as it is.

    Raises:
        RecordError: a file is damaged, or has a label that is no whole number.
    """
    return [path if is_remote(path) else str(_own(Path(path))) for path in paths]


def has_own_form(path: str) -> bool:
    """Say whether `in_own_form` has nothing to do for a file: it is in our form, on gs://, or its copy is there."""
    return is_remote(path) or _form(Path(path), file_stamp(path))[1] or _copy_of(Path(path)).is_file()


def _own(path: Path) -> Path:
    is_packed, is_own = _form(path, file_stamp(path))
    if is_own:
        return path
    copy = _copy_of(path)
    if not copy.is_file():
        payloads = _unpacked(path) if is_packed else read_payloads(path)
        numbered = enumerate(payloads, start=1)
        write_records(copy, (in_whole_numbers(payload, f"Record {n} of {path}") for n, payload in numbered))
    return copy


@lru_cache(maxsize=4096)
def _form(path: Path, _content: Stamp) -> tuple[bool, bool]:
    """Say whether a file is packed, and whether it is in our own form, once until it changes."""
    is_packed = _is_gzip(path)
    return is_packed, not is_packed and not _has_floats(path)


def _is_gzip(path: Path) -> bool:
    """Say whether a file is packed; the length of a first record can look like GZIP's mark, but has its checksum."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start.startswith(_GZIP) and not begins_like_records(start)


def _has_floats(path: Path) -> bool:
    try:
        first = next(read_payloads(path), None)
        return first is not None and in_whole_numbers(first, f"Record 1 of {path}") is not first
    except RecordError:
        # Whoever reads the file next says what is wrong with it.
        return False


def _unpacked(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            yield from payloads_of(file, path, _LARGEST_RATIO * path.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"The packed TFRecord file {path} is damaged or cut off: {error}. Copy it anew.") from error


def _copy_of(path: Path) -> Path:
    told = f"{path.resolve()} {file_stamp(path)}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    return settings().home / CACHE_FOLDER / _FOLDER / digest / path.name
