"""Locations: paths of this machine, and `gs://bucket/folder/file` on Cloud Storage."""

import re
from pathlib import Path

from cxr_core.errors import UsageError

SCHEME = "gs://"

_LOCATION = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^\x00-\x1f\x7f\\`]*)?")


def is_remote(location: str | Path) -> bool:
    """Say whether a location is a URL rather than a path of this machine."""
    return isinstance(location, str) and "://" in location


def check_location(location: str) -> str:
    """Return a path of this machine or a legal gs:// location, else raise `UsageError`."""
    if is_remote(location) and not _LOCATION.fullmatch(location):
        raise UsageError(
            f"A location must be a path of this machine or gs://bucket/folder. Received: {location[:200]!r}."
        )
    return location


def join(folder: str, *names: str) -> str:
    """Return the location of something in a folder."""
    return "/".join([folder.rstrip("/"), *names]) if is_remote(folder) else str(Path(folder, *names))
