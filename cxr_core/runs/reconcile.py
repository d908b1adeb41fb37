"""Bringing the store in line with what really runs: a supervisor that was killed cannot write how its run ended.

Only the machine and the pid namespace of a run judge it by its processes; of any other run nothing is known but its
last sign of life, and nobody but its user ends it.
"""

import socket
import time
from dataclasses import replace

from cxr_core.errors import RunError, UnknownNameError
from cxr_core.runs import leftovers, reasons
from cxr_core.runs.identity import Standing, standing_of
from cxr_core.runs.log import LOG_FILE, last_words
from cxr_core.runs.run import CANCELLED, FAILED, Run
from cxr_core.runs.session import kill, left_by
from cxr_core.runs.store import RunStore
from cxr_core.runs.supervision import attend_again
from cxr_core.settings import settings

#: A run elsewhere that was silent for so long may be cancelled by its user without its answer.
STALE_SECONDS = 120.0

_PATIENCE_SECONDS = 1.0
#: What the guard of a step needs beyond the time for a checkpoint.
_GUARD_SECONDS = 5.0


def reconcile(store: RunStore, run: Run) -> Run:
    """Return `run` as it stands; when its supervisor is gone, end it as failed once nothing is left of it.

    A run at another place goes on without its supervisor: it gets a new one.
    """
    if not run.is_active:
        return run
    standing = supervisor_standing(run)
    if standing is Standing.ALIVE:
        return run
    if run.is_away and (standing is not Standing.ELSEWHERE or silence(run) > STALE_SECONDS):
        return _attended(store, run)
    if standing is Standing.ELSEWHERE:
        return replace(run, message=f"{run.status} on {run.host}, last seen {silence(run):,.0f} s ago")
    if standing is Standing.GONE and not _is_free(run):
        return replace(run, message="its supervising process was killed; it writes a checkpoint and ends")
    return _ended(store, run, standing)


def _attended(store: RunStore, run: Run) -> Run:
    """Return a run that goes on elsewhere without us, with somebody who finds out how it stands."""
    try:
        return attend_again(store, run)
    except (RunError, UnknownNameError):  # the store cannot be written, or the run was deleted this moment
        return run


def supervisor_standing(run: Run) -> Standing:
    """Say whether the supervisor of a run lives, as far as this machine can tell."""
    standing = standing_of(run.supervisor)
    if standing is Standing.RESTARTED and run.host != socket.gethostname():
        return Standing.ELSEWHERE  # disks and images that were copied carry their machine ID with them
    return standing


def silence(run: Run) -> float:
    """Return for how many seconds a run has given no sign of life; 0 where the clocks disagree."""
    return max(0.0, time.time() - run.heartbeat)


def _is_free(run: Run) -> bool:
    """Say whether no process of a dead supervisor's session is left; kill those that had their time to end."""
    if not left_by(run.supervisor):
        return True
    values = settings()
    allowed = values.heartbeat + values.cancel_grace + _GUARD_SECONDS
    # The absolute value: after a clock that jumped back, a hung process must not keep the device for hours.
    return abs(time.time() - run.heartbeat) > allowed and kill(run.supervisor.pid, patience=_PATIENCE_SECONDS)


def _ended(store: RunStore, run: Run, standing: Standing) -> Run:
    if run.cancel_requested:
        status, reason = CANCELLED, reasons.CANCELLED_BY_USER
    elif standing is Standing.RESTARTED:
        status, reason = FAILED, reasons.machine_restarted(run)
    else:
        status, reason = FAILED, reasons.supervisor_gone(run, last_words(store.run_folder(run.run) / LOG_FILE))
    leftovers.remove(store.home, run.run)
    try:
        store.end(run.run, status, reason, run.supervisor)
    except RunError:  # the store cannot be written, as on a full disk: this reader is told the truth all the same
        return replace(run, status=status, reason=reason)
    return store.get(run.run)
