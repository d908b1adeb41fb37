"""Ending a process group as a whole: data workers that outlive their parent would hold memory and the accelerator."""

import contextlib
import os
import signal
import time

import psutil

_POLL_SECONDS = 0.05


def members(group: int, session: int) -> list[int]:
    """Return the pids of the living processes of a group.

    The session is asked for as well, so that a group number that the system has used again is not taken for ours.
    """
    return [pid for pid in psutil.pids() if _belongs(pid, group, session) and not _is_zombie(pid)]


def send(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of a group; an empty group is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def kill_group(group: int, session: int, patience: float = 5.0) -> bool:
    """Kill what is left of a group and say whether it is empty after at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while members(group, session):
        send(group, signal.SIGKILL)
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _belongs(pid: int, group: int, session: int) -> bool:
    try:
        return os.getpgid(pid) == group and os.getsid(pid) == session
    except OSError:
        return False


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
