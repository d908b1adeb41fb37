"""The processes that work on a run of a test, on this machine, found by what stands on their command lines."""

import contextlib

import psutil


def steps_there(run: str) -> list[int]:
    """Return the processes that do the work of a run at a place."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if {"run-step-there", run} <= set(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found
