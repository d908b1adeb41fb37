"""Bringing the store in line with what really runs: a supervisor that was killed cannot write how its run ended."""

import socket
import time
from dataclasses import replace

from cxr_core.errors import RunError
from cxr_core.runs.group import kill_group
from cxr_core.runs.identity import ProcessIdentity, Standing, standing_of
from cxr_core.runs.store import FAILED, Run, RunStore

#: A run of another machine or container cannot be looked at; without a sign of life for so long it counts as gone.
STALE_SECONDS = 120.0

_REASONS = {
    Standing.GONE: "The process that supervised the run was killed, and the run with it. Resume it or start it again.",
    Standing.RESTARTED: "The machine was restarted while the run was active. Resume it or start it again.",
    Standing.ELSEWHERE: "The run gave no sign of life from {host} for {seconds:.0f} s. Resume it or start it again.",
}


def reconcile(store: RunStore, run: Run) -> Run:
    """Return `run` as it stands; when its supervisor is gone, end it as failed and kill what is left of it."""
    if not run.is_active:
        return run
    standing = supervisor_standing(run)
    silent = time.time() - run.heartbeat
    if standing is Standing.ALIVE or (standing is Standing.ELSEWHERE and silent < STALE_SECONDS):
        return run
    reason = _REASONS[standing].format(host=run.host, seconds=silent)
    try:
        if store.end(run.run, FAILED, reason, run.supervisor) and standing is Standing.GONE:
            _kill_stray(run)
    except RunError:  # the store cannot be written, as on a full disk: this reader is told the truth all the same
        return replace(run, status=FAILED, reason=reason)
    return store.get(run.run)


def supervisor_standing(run: Run) -> Standing:
    """Say whether the supervisor of a run lives, as far as this machine can tell."""
    standing = standing_of(run.supervisor)
    if standing is Standing.RESTARTED and run.host != socket.gethostname():
        return Standing.ELSEWHERE  # disks and images that were copied carry their machine ID with them
    return standing


def _kill_stray(run: Run) -> None:
    process: ProcessIdentity | None = run.process
    if process is not None:
        kill_group(process.pid, session=run.supervisor.pid)
