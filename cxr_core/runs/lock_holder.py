"""Who holds the lock of a file: the process that others wait for, by the system's table of locks."""

import pwd
from pathlib import Path

from cxr_core.runs.identity import PROC

_SIDE_FILES = ("", "-wal", "-shm", "-journal")
_MOST_CHARACTERS = 120


def lock_holder(path: Path) -> str:
    """Return the process that writes to a SQLite file as words, as in `process 12 of ada (python …)`; "" if unknown.

    Linux lists the locks in /proc/locks (proc_locks(5)): the second last field but one is major:minor:inode.
    """
    inodes = _inodes(path)
    try:
        lines = (PROC / "locks").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split()
        if len(fields) == 8 and fields[3] == "WRITE" and fields[5].rpartition(":")[2] in inodes and int(fields[4]) > 0:
            return _process(int(fields[4]))
    return ""


def _inodes(path: Path) -> set[str]:
    files = [path.with_name(path.name + side) for side in _SIDE_FILES]
    return {str(file.stat().st_ino) for file in files if file.exists()}


def _process(pid: int) -> str:
    try:
        command = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        user = pwd.getpwuid((PROC / str(pid)).stat().st_uid).pw_name
    except (OSError, KeyError):
        return f"process {pid}"
    return f"process {pid} of {user} ({command[:_MOST_CHARACTERS]})"
