"""Which process is meant: a pid alone is used again by the system, so it is joined by boot and start time.

A process of another machine or container (pid namespace) cannot be judged from here, and is told apart from one that
is gone. psutil, which takes long to load, is asked only where there is no /proc.
"""

import contextlib
import os
import uuid
from dataclasses import asdict, dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()

_BOOT_ID = PROC / "sys" / "kernel" / "random" / "boot_id"
_MACHINE_ID = Path("/etc/machine-id")


class Standing(Enum):
    """What is known of a process."""

    ALIVE = "alive"
    GONE = "gone"
    RESTARTED = "restarted"  # the machine was started anew since
    ELSEWHERE = "elsewhere"  # on another machine or in another container: not visible from here


@dataclass(frozen=True)
class ProcessIdentity:
    """Machine, its boot, pid namespace, pid, and when the process started (clock ticks after boot on Linux)."""

    machine: str
    boot: str
    space: str
    pid: int
    started: str

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as the store keeps them."""
        return asdict(self)

    @property
    def hardware(self) -> str:
        """What all processes share that compete for the same devices, containers of one machine among them."""
        return self.boot or self.machine


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return the identity of a process that runs now; None when there is none, or only its zombie."""
    started = _started_linux(pid) if HAS_PROC else _started_elsewhere(pid)
    return None if started is None else ProcessIdentity(machine(), boot(), _space(), pid, started)


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    identity = identity_of(os.getpid())
    assert identity is not None
    return identity


def standing_of(identity: ProcessIdentity) -> Standing:
    """Say whether the process of `identity` still runs; only its own machine and pid namespace can tell."""
    if identity.machine != machine():
        return Standing.ELSEWHERE
    if identity.boot != boot():
        return Standing.RESTARTED if identity.machine else Standing.ELSEWHERE
    if identity.space != _space() or not identity.hardware:
        return Standing.ELSEWHERE
    return Standing.ALIVE if identity_of(identity.pid) == identity else Standing.GONE


@lru_cache(maxsize=1)
def machine() -> str:
    """Return what this machine is known by after a restart, or "" where nothing tells."""
    with contextlib.suppress(OSError):
        if known := _MACHINE_ID.read_text().strip():
            return known
    address = uuid.getnode()
    was_drawn = bool(address >> 40 & 1)  # where there is no hardware address, Python draws one for each process
    return "" if was_drawn else f"{address:012x}"


@lru_cache(maxsize=1)
def boot() -> str:
    """Return the ID of this boot of the machine: all its containers share it, and no other machine has it."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""


def _space() -> str:
    try:
        return str((PROC / "self" / "ns" / "pid").readlink())
    except OSError:
        return ""


def _started_linux(pid: int) -> str | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses, so the fields are counted after the last one.
    fields = stat.rpartition(")")[2].split()
    state, start_ticks = fields[0], fields[19]
    return None if state in "ZX" else start_ticks


def _started_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.Error:
        return None
