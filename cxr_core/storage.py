"""Locations that may lie on Cloud Storage: `gs://bucket/folder/file` beside paths of this machine.

What is read as a file (a model, a table) is copied into the workspace first and fetched again only when it changed
there. Google's libraries are loaded when the first gs:// location is touched, and not before.
"""

import contextlib
import hashlib
import os
import posixpath
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from cxr_core.atomic import replacing
from cxr_core.cloud_storage import check_bucket, files, plain, plain_errors
from cxr_core.file_patterns import Limits, files_matching
from cxr_core.locations import SCHEME, is_remote, join
from cxr_core.settings import settings

CACHE_FOLDER = "cache"

#: A look-up is answered in a second or not at all; a transfer may take as long as a large model on a slow line.
LOOK_UP_SECONDS = 20.0
_TRANSFER_SECONDS = 3600.0
#: Copies of what was replaced on Cloud Storage stay so long, for those who read them right now.
_OLD_COPY_SECONDS = 3600.0
_READ_AHEAD_BYTES = 8 * 1024 * 1024


def cache_folder() -> Path:
    """Return the folder of the workspace that holds copies of what lies on Cloud Storage."""
    return settings().home / CACHE_FOLDER / "gs"


def matching(pattern: str, limits: Limits | None = None) -> list[str]:
    """Return the files that match a pattern with `*`, `?` and `[…]`, sorted by name.

    Args:
        pattern: a path of this machine or a location on gs://.
        limits: how far a look through folders of this machine goes.

    Raises:
        UsageError: there are no credentials, the location is no legal one, or the limits were reached.
        StorageError: there is no such bucket, access is refused, or Cloud Storage cannot be reached.
    """
    if not is_remote(pattern):
        return files_matching(pattern, limits)
    with plain_errors(pattern):
        try:
            found = files().glob(plain(pattern), detail=True, timeout=LOOK_UP_SECONDS)
        except FileNotFoundError:
            found = {}
        names = sorted(SCHEME + name for name, info in found.items() if info["type"] == "file")
        if not names:
            check_bucket(pattern, LOOK_UP_SECONDS)
        return names


def files_by_name(pattern: str, field: str, name: str) -> dict[str, str]:
    """Return what `field` stands for in each file that matches a gs:// pattern, with the file's location.

    Args:
        pattern: a gs:// location with `field` in its last part, as in `gs://bucket/{model}.h5`.
        field: as in `{model}`.
        name: a regular expression that the field's value must match.
    """
    before, after = pattern.split(field, 1)
    same_again = re.escape(after).replace(re.escape(field), "(?P=name)")
    wanted = re.compile(f"{re.escape(before)}(?P<name>{name}){same_again}")
    matches = (wanted.fullmatch(found) for found in matching(pattern.replace(field, "*")))
    return {match["name"]: match[0] for match in matches if match}


def exists(location: str) -> bool:
    """Say whether a file is there; raises as `matching`."""
    if not is_remote(location):
        return Path(location).exists()
    with plain_errors(location):
        try:
            files().info(plain(location), timeout=LOOK_UP_SECONDS)
        except FileNotFoundError:
            check_bucket(location, LOOK_UP_SECONDS)
            return False
    return True


def version(location: str) -> str:
    """Return what changes when a file on Cloud Storage is replaced; raises as `matching`, also when it is not there."""
    with plain_errors(location):
        info = files().info(plain(location), timeout=LOOK_UP_SECONDS)
    return f"{info.get('generation') or info.get('etag') or info.get('updated')}-{info['size']}"


def local_copy(location: str | Path) -> Path:
    """Return a path of this machine with the content of a file; what lies on Cloud Storage is fetched if need be."""
    if not is_remote(location):
        return Path(location)
    place = cast(str, location)
    target = cached_path(place, version(place))
    if not target.exists():
        with plain_errors(place), replacing(target) as temporary:
            files().get_file(plain(place), str(temporary), timeout=_TRANSFER_SECONDS)
        _forget_older(target)
    return target


def cached_path(location: str, content: str) -> Path:
    """Return where what belongs to one version of a remote file is kept; older versions share its name up to a `@`."""
    name = re.sub(r"[^\w.-]", "_", posixpath.basename(location))[-120:]
    digest = hashlib.sha256(location.encode()).hexdigest()[:16]
    kept = re.sub(r"[^\w-]", "_", content)[:64]
    return cache_folder() / f"{digest}@{kept}@{name}"


@contextlib.contextmanager
def open_binary(location: str | Path) -> Iterator[BinaryIO]:
    """Yield a file for reading from its start to its end.

    Raises:
        OSError: a file of this machine cannot be opened.
        StorageError, UsageError: as `matching`, also while it is read.
    """
    if not is_remote(location):
        with Path(location).open("rb") as file:
            yield file
        return
    place = cast(str, location)
    with (
        plain_errors(place),
        files().open(plain(place), "rb", block_size=_READ_AHEAD_BYTES, cache_type="readahead") as far,
    ):
        yield far


def read_range(location: str | Path, start: int, length: int) -> bytes:
    """Return `length` bytes of a file from `start` on, fewer where it ends before; nothing else of it is fetched.

    Raises:
        OSError: a file of this machine cannot be opened.
        StorageError, UsageError: as `matching`.
    """
    if not is_remote(location):
        with Path(location).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), length, start)
    place = cast(str, location)
    with plain_errors(place):
        return bytes(files().cat_file(plain(place), start=start, end=start + length, timeout=LOOK_UP_SECONDS))


def send(file: Path, location: str) -> None:
    """Copy a file to a location, which is replaced as a whole; raises as `matching`."""
    if not is_remote(location):
        with replacing(Path(location)) as temporary:
            shutil.copyfile(file, temporary)
        return
    with plain_errors(location):
        files().put_file(str(file), plain(location), timeout=_TRANSFER_SECONDS)


def check_writable(folder: str) -> None:
    """Write a small file into a gs:// folder and remove it: a wrong one is told now. Raises as `matching`."""
    probe = join(folder, f".cxr-lab-{uuid.uuid4().hex}")
    with plain_errors(folder):
        files().pipe_file(plain(probe), b"CXR Lab may write here.", timeout=LOOK_UP_SECONDS)
        # Who may only create keeps this small file: that is no reason to refuse to work.
        with contextlib.suppress(Exception):
            files().rm_file(plain(probe), timeout=LOOK_UP_SECONDS)


def for_tensorflow(locations: Sequence[str]) -> list[str]:
    """Return where TensorFlow reads these files: it opens gs:// itself, but knows no endpoint other than Google's."""
    return [str(local_copy(place)) for place in locations] if settings().gcs_endpoint else list(locations)


def _forget_older(target: Path) -> None:
    """Remove copies of older versions, a while after they were made."""
    prefix = target.name.partition("@")[0]
    for path in target.parent.glob(f"{prefix}@*"):
        with contextlib.suppress(OSError):
            if path != target and time.time() - path.stat().st_mtime > _OLD_COPY_SECONDS:
                path.unlink()
