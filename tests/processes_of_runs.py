"""The processes that work on a run of a test, on this machine, found by what stands on their command lines."""

import contextlib

import psutil

from cxr_core.runs.places.crew import NUMBER_VARIABLE, WORKER_THERE


def steps_there(run: str) -> list[int]:
    """Return the processes that do the work of a run at a place."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if {"run-step-there", run} <= set(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def workers_of(run: str) -> list[int]:
    """Return the processes of the workers of a run, the first one first."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[3:5] == [WORKER_THERE, run]:
                found.append((int(process.environ()[NUMBER_VARIABLE]), process.pid))
    return [pid for _, pid in sorted(found)]
