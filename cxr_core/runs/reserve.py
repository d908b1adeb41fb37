"""A little disk space kept back, so that a run that filled the disk can still be told to have failed for that."""

import shutil
from pathlib import Path

from cxr_core.atomic import disk_errors, write_bytes

#: SQLite's write-ahead log and its index for a few transactions.
_BYTES = 1024 * 1024


class DiskReserve:
    """A file that is given up when the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Write the reserve, unless it is there.

        Raises:
            CxrError: the disk is full, or the folder may not be written.
        """
        with disk_errors(self._path):
            if not self._path.exists():
                write_bytes(self._path, bytes(_BYTES))

    def is_needed(self) -> bool:
        """Say whether the disk is full."""
        try:
            return shutil.disk_usage(self._path.parent).free < _BYTES
        except OSError:
            return False

    def release(self) -> bool:
        """Give the reserve up, and say whether there was one."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
