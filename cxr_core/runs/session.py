"""Ending all processes of a run: data workers that outlive their parent would hold memory and the accelerator.

The supervisor leads a session, the step a process group in it. While one process is left in either, the system gives
their numbers to no other process, so that what is found under them belongs to the run.
"""

import contextlib
import os
import signal
import time

from cxr_core.runs.identity import HAS_PROC, PROC, ProcessIdentity, identity_of

_POLL_SECONDS = 0.05


def members(session: int, group: int | None = None) -> list[int]:
    """Return the pids of the living processes of a session, or of one process group in it."""
    return [pid for pid in _pids() if _belongs(pid, session, group) and identity_of(pid) is not None]


def left_by(leader: ProcessIdentity) -> list[int]:
    """Return the pids that are left of the session that a process led which is gone."""
    now = identity_of(leader.pid)
    return members(leader.pid) if now is None or now == leader else []


def terminate(group: int) -> None:
    """Ask every process of a group to end; an empty group is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGTERM)


def kill(session: int, group: int | None = None, patience: float = 5.0) -> bool:
    """Kill all processes of a session, or of one group in it, but this process.

    Returns:
        Whether none is left after at most `patience` seconds; one that hangs in a device cannot be killed.
    """
    deadline = time.monotonic() + patience
    while pids := [pid for pid in members(session, group) if pid != os.getpid()]:
        if time.monotonic() > deadline:
            return False
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return True


def _pids() -> list[int]:
    if HAS_PROC:
        return [int(entry.name) for entry in os.scandir(PROC) if entry.name.isdigit()]
    import psutil

    return psutil.pids()


def _belongs(pid: int, session: int, group: int | None) -> bool:
    try:
        return os.getsid(pid) == session and group in (None, os.getpgid(pid))
    except OSError:
        return False
