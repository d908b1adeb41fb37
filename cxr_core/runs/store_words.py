"""In which words it is told that the store of runs cannot be used, and what to do."""

import sqlite3
from pathlib import Path

from cxr_core.runs.lock_holder import lock_holder
from cxr_core.words import counted

_REPAIR = "`python -m cxr_core runs repair` rebuilds it from the runs' folders."
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "file is encrypted", "disk image")


def lost_words(path: Path, folders: int) -> str:
    """Return what is to be said of a store that is gone or empty though there are folders of runs."""
    what = "is empty" if path.exists() else "is gone"
    there = counted(folders, "run")
    return f"The store of runs {path} {what}, though {there} {'lies' if folders == 1 else 'lie'} in runs/. {_REPAIR}"


def read_only_words(path: Path) -> str:
    """Return what is to be said to whoever would change something in a workspace that may only be looked at."""
    return (
        f"The workspace {path.parent} is read-only: it can be looked at, but nothing can be started, changed "
        "or deleted. Set CXR_HOME to one that you may write to."
    )


def why_not(error: BaseException, path: Path) -> str:
    """Return why SQLite could not use the file, and what to do, as the rest of a sentence and another one."""
    said = str(error)
    if isinstance(error, sqlite3.DatabaseError) and any(word in said for word in _DAMAGE):
        return f"it is damaged ({said}). {_REPAIR}"
    if "locked" in said or "busy" in said:
        holder = lock_holder(path) or f"another process; `fuser {path}` may name it"
        return f"it is locked by {holder}. Wait for it, or end it."
    return f"{said}. Check the file."
