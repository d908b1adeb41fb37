"""SIGKILL at random moments, for whoever looks after a run at a place here, and for what does its work there."""

import contextlib
import os
import random
import signal
import time

from kill_rounds import STEPS, Kill, rows, untrue
from processes_of_runs import steps_there
from quick_runs_away import start
from soon_true import within

from cxr_core.runs import service

#: A place takes a moment to begin: so the run is handed over, waits, works or has ended when the signal comes.
_LATEST_SECONDS = 5.0


def kill_attendant(draw: random.Random) -> Kill:
    """Kill the process that looks after a run at a place; the next look starts another, and the run goes on."""
    run, wait = start(steps=STEPS), draw.uniform(0, _LATEST_SECONDS)
    time.sleep(wait)
    _kill(service.get(run).supervisor.pid)
    wrong = within(lambda: untrue(set(), run))
    ended = service.wait(run, timeout=120)
    if ended.status != "completed" or len(service.read_metrics(run)) != STEPS:
        wrong.append(f"{run} is {ended.status} with {len(service.read_metrics(run))} rows: {ended.reason}")
    return Kill("attendant", wait, (*wrong, *rows({run: ended})))


def kill_step_there(draw: random.Random) -> Kill:
    """Kill the process that does the work at the place; the run has failed, unless it had ended before."""
    run, wait = start(steps=STEPS), draw.uniform(0, _LATEST_SECONDS)
    time.sleep(wait)
    killed = [_kill(pid) for pid in steps_there(run)]
    ended = service.wait(run, timeout=120)
    wrong = within(lambda: untrue(set(), run))
    n_rows = len(service.read_metrics(run))
    if ended.status not in (("failed", "completed") if killed else ("completed",)):
        wrong.append(f"{run} is {ended.status}: {ended.reason}")
    if ended.status == "completed" and n_rows != STEPS:
        wrong.append(f"{run} is said to be completed after {n_rows} steps")
    return Kill("step at a place", wait, (*wrong, *rows({run: ended})))


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


VICTIMS_AT_A_PLACE = {"attendant": kill_attendant, "step at a place": kill_step_there}
