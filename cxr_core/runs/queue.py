"""The queue for the devices of one machine: who is before a run, and what it may take now.

Machines that share a workspace do not wait for each other's devices; the containers of one machine do.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.lanes import Claim, Need, free_devices
from cxr_core.runs.run import QUEUED, Run

_RIVALS = """
SELECT run, status, position, need, devices, supervisor FROM runs
WHERE status IN ('queued', 'running') AND need IS NOT NULL ORDER BY position
"""


class Turn(NamedTuple):
    """Where a queued run stands.

    Attributes:
        queued: runs that are queued before it for a device that it could take.
        running: runs that are running on such a device.
        watched: the runs whose end it waits for next.
        devices: what it may take now; None while it has to wait.
    """

    queued: int
    running: int
    watched: tuple[Run, ...]
    devices: tuple[str, ...] | None


class _Rival(NamedTuple):
    run: str
    status: str
    position: int
    claim: Claim
    hardware: str


def turn_of(connection: sqlite3.Connection, run_id: str, runs_per_device: int) -> Turn:
    """Return where a run stands; light work, which needs no device, may always start."""
    rivals = [_rival(row) for row in connection.execute(_RIVALS)]
    mine = next((rival for rival in rivals if rival.run == run_id), None)
    if mine is None:
        return Turn(0, 0, (), ())
    before = [rival for rival in rivals if rival is not mine and _is_before(rival, mine)]
    need = mine.claim.need
    met = [rival for rival in before if need.meets(rival.claim.has or rival.claim.need.devices)]
    queued = sum(rival.status == QUEUED for rival in met)
    free = free_devices([rival.claim for rival in before], need, runs_per_device)
    return Turn(queued, len(met) - queued, _runs(connection, _watched(met, need)), free or None)


def _rival(row: sqlite3.Row) -> _Rival:
    claim = Claim(Need.from_dict(json.loads(row["need"])), tuple(json.loads(row["devices"])))
    hardware = ProcessIdentity(**json.loads(row["supervisor"])).hardware
    return _Rival(row["run"], row["status"], row["position"], claim, hardware)


def _is_before(other: _Rival, mine: _Rival) -> bool:
    return other.hardware == mine.hardware and (other.status != QUEUED or other.position < mine.position)


def _watched(met: Sequence[_Rival], need: Need) -> set[str]:
    """Return, for each device, the last that is queued before, who looks after those before it, or those that run."""
    found: set[str] = set()
    for device in need.devices:
        queued = [rival.run for rival in met if rival.status == QUEUED and device in rival.claim.need.devices]
        found.update(queued[-1:] or [rival.run for rival in met if device in rival.claim.has])
    return found


def _runs(connection: sqlite3.Connection, names: set[str]) -> tuple[Run, ...]:
    marks = ", ".join("?" * len(names))
    rows = connection.execute(f"SELECT * FROM runs WHERE run IN ({marks}) ORDER BY position DESC", tuple(names))
    return tuple(Run.from_row(row) for row in rows)
