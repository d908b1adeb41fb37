"""The workspace is for its owner alone, as it holds labels and identifiers of patients."""

import contextlib
import stat
from pathlib import Path

from cxr_core.settings import settings

_OWNER, _OWNER_AND_GROUP = 0o700, 0o770
_STORE = ("runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "runs.reserve")
#: What no page reads by its path.
KEPT_FOR_ITSELF = (
    *_STORE,
    *("uploads", "cache", "accelerators.json", "journal.jsonl", "login.key", "logins", "billed", "persons"),
)
#: What the product writes at the top of a workspace; anything else there is somebody's own.
_WRITTEN = ("sources", "runs", *KEPT_FOR_ITSELF)


def make_folder(folder: Path) -> None:
    """Make a folder with those above it, where they are missing; nobody else may enter the workspace or what is in it.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    home = settings().home
    if not folder.is_relative_to(home):
        folder.mkdir(parents=True, exist_ok=True)
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    for part in (*reversed(folder.relative_to(home).parents), folder.relative_to(home)):
        _make_private(home / part)


def make_private_folder(folder: Path) -> None:
    """Make a folder outside of the workspace that is closed to others as the workspace is; one that is there stays.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _make_private(folder)


def mode_of_files(folder: Path, usual: int) -> int:
    """Return the permissions of a new file: the usual ones, but none for whom the folder is closed."""
    entered = stat.S_IMODE(folder.stat().st_mode)
    return usual & ~(0o070 if not entered & 0o070 else 0) & ~(0o007 if not entered & 0o007 else 0)


def tightened() -> str:
    """Close a workspace to others that was made open, and return a sentence about it; "" where nothing was open.

    What lies beside the product's own files stays as it is, and so does the workspace's folder where there is such.
    """
    home = settings().home
    if not _is_open(home):
        return ""
    closed = [path for path in (home / name for name in _WRITTEN) if _closed(path)]
    with contextlib.suppress(OSError):
        if {path.name for path in home.iterdir()} <= {*_WRITTEN}:
            _closed(home)
    if not closed:
        return ""
    return (
        f"Others on this machine could read the workspace {home}. It is closed to them now. To share it with its "
        "group, switch on the setting group_access (CXR_GROUP_ACCESS)."
    )


def _allowed() -> int:
    return _OWNER_AND_GROUP if settings().group_access else _OWNER


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=_OWNER)
    except FileExistsError:
        return
    if settings().group_access:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _OWNER_AND_GROUP)


def _is_open(path: Path) -> bool:
    try:
        return not path.is_symlink() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077 & ~_allowed())
    except OSError:
        return False


def _closed(path: Path) -> bool:
    """Close a file or folder where it is open and ours, and say whether that was done."""
    if not _is_open(path):
        return False
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & (_allowed() | 0o7000))
    except OSError:
        return False
    return True
