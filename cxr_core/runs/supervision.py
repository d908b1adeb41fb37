"""Giving a run a supervising process: when it starts, and when the one before is gone and the run goes on elsewhere."""

from dataclasses import replace

from cxr_core.errors import RunError
from cxr_core.runs import reasons
from cxr_core.runs.identity import own_identity
from cxr_core.runs.launch import start_supervisor
from cxr_core.runs.log import LOG_FILE, last_words
from cxr_core.runs.run import FAILED, Run
from cxr_core.runs.store import RunStore


def launch(store: RunStore, run: Run) -> Run:
    """Start the supervisor of a queued run, which this process answers for until then.

    Raises:
        RunError: the process could not be started; the run has failed.
    """
    log = store.run_folder(run.run) / LOG_FILE
    try:
        supervisor = start_supervisor(run.run, log)
    except OSError as error:
        reason = f"The process of the run could not be started: {error}."
        store.end(run.run, FAILED, reason, run.supervisor)
        raise RunError(reason) from error
    if supervisor is not None:
        store.adopt(run.run, supervisor)
    elif not run.is_away:  # it has ended already; unless it has looked after the run by then, nobody does
        store.end(run.run, FAILED, reasons.supervisor_gone(run, last_words(log)), run.supervisor)
    return store.get(run.run)


def attend_again(store: RunStore, run: Run) -> Run:
    """Give a run at another place, whose supervising process is gone, a new one; of several that want to, one does."""
    me = own_identity()
    if not store.take_over(run, me):
        return store.get(run.run)
    try:
        supervisor = start_supervisor(run.run, store.run_folder(run.run) / LOG_FILE)
    except OSError:
        supervisor = None
    # Where it could not be started, whoever looks next tries again.
    store.take_over(replace(run, supervisor=me), supervisor or run.supervisor)
    return store.get(run.run)
