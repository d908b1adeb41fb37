"""The process that does the work of a run at a place: it knows the folder of its job, and no store."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cxr_core import __version__
from cxr_core.errors import CxrError, RunError
from cxr_core.runs.orphan import end_with_supervisor
from cxr_core.runs.places.crew import Crew
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.lead import Leader
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.script import COURIER_VARIABLE, JOB_VARIABLE, told_starter
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext, carried_out
from cxr_core.settings import settings
from cxr_core.words import counted

#: The leg has another process, or is over: nothing was done.
EXIT_NOT_MINE = 13

_LOOK_SECONDS = 1.0


def run_step_there(kinds: Mapping[str, Callable[[StepContext], None]], run_id: str, leg: str, workspace: str) -> int:
    """Do the work of one leg of a run in this process, and return its exit status; see `run_step`."""
    if COURIER_VARIABLE in os.environ:
        end_with_supervisor(settings().cancel_grace, None)
    folder = JobFolder(Job(run_id, int(leg), Path(workspace)))
    order = folder.order()
    nonce = os.urandom(8).hex()
    is_ordered = order is not None and order["leg"] == folder.job.leg
    lead = _leading(folder, Run.from_row(order["run"]), nonce) if order is not None and is_ordered else None
    if order is None or not is_ordered or not folder.claim(os.environ.get(JOB_VARIABLE, ""), nonce):
        sys.stdout.write(f"Another process has leg {leg} of run {run_id}, or it is over: nothing is done here.\n")
        return EXIT_NOT_MINE
    asked = Asked(folder.is_asked_to_stop)
    run = Run.from_row(order["run"])
    context = StepContext(folder, run, asked)
    # Before TensorFlow loads, which takes long: a signal of the engine must leave time for a checkpoint.
    signal.signal(signal.SIGTERM, context.ask_to_stop)
    threading.Thread(target=_beat, args=(folder, nonce), daemon=True).start()
    status = carried_out(context, run, _checked(order["version"], lead or kinds[run.kind]))
    if not folder.is_mine(nonce):
        return EXIT_NOT_MINE
    folder.write_end(status)
    return status


def _leading(folder: JobFolder, run: Run, nonce: str) -> Callable[[StepContext], None] | None:
    """Return the work of leading the workers of a run, once there is room for them; None where it has one alone."""
    if Crew.of(run).workers == 1:
        return None
    try:
        starter = told_starter()
        folder.progress(run.run, {"message": f"waiting for room for {counted(Crew.of(run).workers, 'worker')}"})
        starter.await_room()
    except CxrError as error:
        wrong = error

        def fail(_context: StepContext) -> None:
            raise wrong

        return fail
    return Leader(folder, run, nonce, starter).work


class Asked:
    """Whether work is asked to stop: the disk is asked about once a second, however often the work asks."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._looked = 0.0
        self._said = False

    def __call__(self) -> bool:
        """Say whether it is, by the last look."""
        if not self._said and time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            self._said = self._look()
        return self._said


def _checked(version: str, work: Callable[[StepContext], None]) -> Callable[[StepContext], None]:
    def checked(context: StepContext) -> None:
        if version != __version__:
            raise RunError(f"The place has CXR Lab {__version__}, and the run was started by {version}. Install that.")
        context.stop_if_cancelled()
        work(context)

    return checked


def _beat(folder: JobFolder, nonce: str) -> None:
    """Write signs of life; end at once when another process has taken the leg."""
    for count in range(sys.maxsize):
        with contextlib.suppress(OSError, ValueError, KeyError):
            if not folder.is_mine(nonce):
                os._exit(EXIT_NOT_MINE)
        folder.beat(f"{nonce} {count}")
        time.sleep(settings().heartbeat)
