"""Asking one run to stop, be it of this machine, of another one, or at a place of its own."""

from cxr_core.runs import reasons
from cxr_core.runs.identity import Standing
from cxr_core.runs.reconcile import STALE_SECONDS, silence, supervisor_standing
from cxr_core.runs.run import CANCELLED, Run
from cxr_core.runs.store import RunStore


def ask_to_stop(store: RunStore, run: Run) -> None:
    """End a queued run, and ask the supervisor of any other; one that is silent on another machine ends unanswered.

    A run at a place of its own is never ended so: it may go on there, and whoever looks after it next ends it.
    """
    store.request_cancel(run.run, reasons.CANCELLED_BY_USER)
    seconds = silence(run)
    is_silent = seconds > STALE_SECONDS and supervisor_standing(run) is Standing.ELSEWHERE
    if run.is_active and not run.is_away and is_silent:
        store.end(run.run, CANCELLED, reasons.given_up(run, seconds), run.supervisor)
