"""Looking at a store that may not be written, as on a medium or a share that is mounted read-only."""

import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path

from cxr_core.stamps import Stamp, file_stamp

_LOCK = threading.Lock()
_COPIES: dict[Path, tuple[tuple[Stamp, ...], sqlite3.Connection]] = {}


def is_read_only(path: Path) -> bool:
    """Say whether the store is there but neither it nor its folder can be written: SQLite needs both, even to read."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def copy_in_memory(path: Path) -> sqlite3.Connection:
    """Return a connection to a copy of a store in memory, with what its write-ahead log holds.

    The copy is kept until the store changes. SQLite takes a file in WAL mode for reading only with a shared memory file
    beside it, so the files are copied to where one can be made.
    """
    files = (path, path.with_name(path.name + "-wal"))
    stamps = tuple(file_stamp(file) for file in files)
    with _LOCK:
        kept = _COPIES.get(path)
        source = kept[1] if kept is not None and kept[0] == stamps else _copied(files)
        _COPIES[path] = (stamps, source)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        source.backup(connection)
        return connection


def _copied(files: tuple[Path, Path]) -> sqlite3.Connection:
    with tempfile.TemporaryDirectory(prefix="cxr-runs-") as folder:
        for file in files:
            if file.exists():
                shutil.copyfile(file, Path(folder) / file.name)
        beside = sqlite3.connect(Path(folder) / files[0].name)
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            beside.backup(copy)
        finally:
            beside.close()
        return copy
