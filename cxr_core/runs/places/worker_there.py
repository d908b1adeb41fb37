"""One of several processes that work on a leg of a run together; the one that leads them started it."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cxr_core.errors import LostWorkerError
from cxr_core.runs.places.crew import HOST_VARIABLE, NUMBER_VARIABLE, Attempt, Crew
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.lead import EXIT_LOST
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.step_there import EXIT_NOT_MINE, Asked
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext, carried_out
from cxr_core.settings import settings

#: Where TensorFlow, and what else trains on several machines, looks for the others.
_CLUSTER_VARIABLE = "TF_CONFIG"


def run_worker_there(
    kinds: Mapping[str, Callable[[StepContext], None]], run_id: str, leg: str, workspace: str, leader: str, attempt: str
) -> int:
    """Do a worker's share of one attempt in this process, and return its exit status: 0 once it has told its end."""
    folder = JobFolder(Job(run_id, int(leg), Path(workspace)))
    mine, number = Attempt(folder, leader, int(attempt)), int(os.environ[NUMBER_VARIABLE])
    order = folder.order()
    if order is None or mine.is_over():
        return EXIT_NOT_MINE
    run = Run.from_row(order["run"])
    context = StepContext(_WorkerDesk(folder, mine, number), run, Asked(mine.is_asked_to_stop))
    signal.signal(signal.SIGTERM, context.ask_to_stop)
    threading.Thread(target=_end_with_attempt, args=(mine,), daemon=True).start()
    addresses = mine.meet(number, Crew.of(run).workers, os.environ.get(HOST_VARIABLE) or "127.0.0.1", lambda: None)
    task = {"type": "worker", "index": number}
    os.environ[_CLUSTER_VARIABLE] = json.dumps({"cluster": {"worker": addresses}, "task": task})
    is_lost = False

    def work(context: StepContext) -> None:
        nonlocal is_lost
        try:
            kinds[run.kind](context)
        except LostWorkerError:
            is_lost = True
            raise

    status = carried_out(context, run, work)
    if mine.is_over():
        return EXIT_NOT_MINE
    mine.write_end(number, EXIT_LOST if is_lost else status)
    return 0


class _WorkerDesk:
    """Where a worker writes: the first one where the run is, each other in a folder that nobody looks into."""

    def __init__(self, folder: JobFolder, attempt: Attempt, number: int) -> None:
        self._folder, self._attempt, self._number = folder, attempt, number

    def run_folder(self, run_id: str) -> Path:
        own = self._attempt.own_folder(self._number, run_id)
        own.mkdir(parents=True, exist_ok=True)
        return own

    def progress(self, run_id: str, values: dict[str, Any]) -> None:
        if self._number == 0:
            self._folder.progress(run_id, values | self._restarted(values))

    def set_result(self, run_id: str, result: dict[str, Any]) -> None:
        if self._number == 0:
            self._folder.set_result(run_id, result)

    def _restarted(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the message with what is to be known of lost workers."""
        if "message" not in values or not self._attempt.number:
            return {}
        told = f"restart {self._attempt.number}, since a worker was lost"
        return {"message": f"{values['message']} ({told})" if values["message"] else told}


def _end_with_attempt(attempt: Attempt) -> None:
    """End this process at once when its attempt is over, or whoever started it is gone: it may wait for a lost one."""
    parent = os.getppid()
    while True:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if attempt.is_over() or os.getppid() != parent:
                sys.stdout.flush()
                os._exit(EXIT_NOT_MINE)
        time.sleep(settings().heartbeat)
