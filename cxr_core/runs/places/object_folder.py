"""A folder on an object store: gs:// by Google's endpoint, s3://, or file:// on a shared disk, all through fsspec.

An object store has no rename and no append, and its objects appear as a whole. So few things are done with it: objects
are written, read from a byte on, removed, and one may be made only where there is none.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from cxr_core.cloud_storage import files as google_files
from cxr_core.cloud_storage import plain_errors
from cxr_core.errors import PlaceError, StorageError

SCHEMES = ("gs", "s3", "file")
#: What a place's configuration may name; memory:// is for tests of one process.
_LOCATION = re.compile(
    r"(?:gs|s3)://[a-z0-9][a-z0-9._-]*[a-z0-9](?:/[^\x00-\x1f\x7f\\`?#*\[\]]*)?|file:///[^\x00-\x1f\x7f]*"
)
#: Small objects are answered at once or not at all: whoever waits for them has a run to look after.
_LOOK_SECONDS, _SECONDS = 10.0, 120.0
_S3_SIGNS = ("NoCredentials", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "PermissionError")


def is_object_location(text: str) -> bool:
    """Say whether a text names a folder on an object store, as a place's `folder` may."""
    return _LOCATION.fullmatch(text) is not None


class ObjectFolder:
    """A folder on an object store; every operation raises `StorageError` where the store does not answer or refuses."""

    def __init__(self, location: str) -> None:
        """Take a location such as gs://bucket/folder; `PlaceError` when what reads s3:// is not installed."""
        self.location = location.rstrip("/")
        self._scheme, _, self._root = self.location.partition("://")
        self._others = None if self._scheme == "gs" else _file_system(self._scheme)

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes | None:
        """Return the bytes of an object from `start` up to `end`; None where there is no such object."""
        limits = {} if start == 0 and end is None else {"start": start, "end": end}
        with self._errors(name):
            try:
                return bytes(self._files.cat_file(self._path(name), **limits, **self._time(_seconds(name))))
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Make an object, or replace it as a whole."""
        with self._errors(name):
            self._files.pipe_file(self._path(name), content, **self._time(_seconds(name)))

    def create(self, name: str, content: bytes) -> bool:
        """Make an object where there is none; False where there is one, which stays. Of two at once, one succeeds."""
        with self._errors(name):
            try:
                self._files.pipe_file(self._path(name), content, mode="create", **self._time())
            except FileExistsError:
                return self.read(name) == content  # the store had made it, and its answer was lost
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        for name in names:
            with self._errors(name), contextlib.suppress(FileNotFoundError):
                self._files.rm_file(self._path(name), **self._time())

    def names(self) -> list[str]:
        """Return the names of all objects in the folder and below."""
        with self._errors(""):
            self._files.invalidate_cache()
            found = self._files.find(self._path(""), **self._time())
        root = f"{self._path('').strip('/')}/"
        return sorted(name.lstrip("/").removeprefix(root) for name in found)

    @property
    def _files(self) -> Any:
        return self._others or google_files()

    def _time(self, seconds: float = _LOOK_SECONDS) -> dict[str, float]:
        return {"timeout": seconds} if self._files.async_impl else {}

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    @contextlib.contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """Turn what a store's library raises into one sentence that says what to do."""
        where = f"{self.location}/{name}".rstrip("/")
        if self._scheme == "gs":
            with plain_errors(where):
                yield
            return
        try:
            yield
        except (StorageError, FileNotFoundError):
            raise
        except Exception as error:  # each library has its own tree
            said = " ".join(str(error).split())[:300] or type(error).__name__
            if any(sign in f"{type(error).__name__} {said}" for sign in _S3_SIGNS):
                raise StorageError(f"Access to {where} was refused. Check the credentials. It says: {said}") from error
            raise StorageError(f"{where} does not answer. Try again later. It says: {said}") from error


def _seconds(name: str) -> float:
    """Return how long an object may take: only the parts of files are large."""
    return _SECONDS if name.startswith("parts/") else _LOOK_SECONDS


def _file_system(scheme: str) -> Any:
    import fsspec

    options = {"file": {"auto_mkdir": True}, "s3": {"use_listings_cache": False}}
    try:
        return fsspec.filesystem(scheme, **options.get(scheme, {}))
    except ImportError as error:
        raise PlaceError(f'{scheme}:// needs a library. Install it: pip install "cxr-lab[{scheme}]".') from error
