"""Leading the workers of one leg: starts them, and starts all anew from the last checkpoint when one is lost."""

import errno
import os
import sys
import time
from datetime import datetime

from cxr_core.errors import RunError
from cxr_core.runs import reasons
from cxr_core.runs.places.crew import WORKER_THERE, Attempt, Crew, StartedWorkers, WorkerStarter
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.run import Run
from cxr_core.runs.step import (
    EXIT_CANCELLED,
    EXIT_COMPLETED,
    EXIT_DISK_FULL,
    EXIT_FAILED,
    REASON_FILE,
    Cancelled,
    StepContext,
)
from cxr_core.settings import settings
from cxr_core.words import counted

#: A worker that could only end, since another one was lost.
EXIT_LOST = 15

_ENDS_WELL = {None, EXIT_COMPLETED, EXIT_CANCELLED}
_LOOK_SECONDS = 0.3
#: How long the others have to end by themselves once one has ended otherwise than well.
_PATIENCE_SECONDS = 3.0


class Leader:
    """Leads the workers of one leg, in the process that has the leg."""

    def __init__(self, folder: JobFolder, run: Run, nonce: str, starter: WorkerStarter) -> None:
        self._folder, self._run, self._nonce, self._starter = folder, run, nonce, starter
        self._crew = Crew.of(run)

    def work(self, context: StepContext) -> None:
        """Do the work of the run by its workers; raises as work does, with the reason of the worker that failed."""
        self._end_former()
        lost = 0
        while not self._completed(context, lost):
            if context.cancelled():
                raise Cancelled
            lost += 1
            if lost > self._crew.restarts:
                allowed = counted(self._crew.restarts, "restart")
                raise RunError(
                    f"A worker was lost {_times(lost)}, with {allowed} allowed. {reasons.what_next(self._run)}"
                )
            self._say(
                f"a worker was lost: all start again from the last checkpoint, restart {lost} of {self._crew.restarts}"
            )
        if lost:
            self._remark(context, f"It went on from its last checkpoint {_times(lost)}, since a worker was lost.")

    def _end_former(self) -> None:
        """Let workers end that a leader before this one has left, as when the place starts the job anew."""
        attempt = Attempt(self._folder, self._nonce, 0)
        if attempt.is_over():
            attempt.end()
            time.sleep(2 * settings().heartbeat + _LOOK_SECONDS)

    def _completed(self, context: StepContext, restarts: int) -> bool:
        """Do one attempt; False when it ended because a worker was lost."""
        attempt = Attempt(self._folder, self._nonce, restarts)
        attempt.begin()
        command = [sys.executable, "-m", "cxr_core", WORKER_THERE, self._run.run, str(self._run.leg)]
        started = self._starter.start([*command, str(self._folder.path), self._nonce, str(restarts)])
        self._accompany(context, attempt, started)
        return self._went_well(attempt)

    def _accompany(self, context: StepContext, attempt: Attempt, started: StartedWorkers) -> None:
        """Wait until all workers have ended: asked to where the run is, and soon where one did not end well."""
        is_told, wrong_since = False, None
        while not started.are_over():
            if context.cancelled() and not is_told:
                attempt.ask_to_stop()
                is_told = True
            if wrong_since is None and (started.is_one_lost() or not _ENDS_WELL.issuperset(self._ends(attempt))):
                wrong_since = time.monotonic()
            if wrong_since is not None and time.monotonic() - wrong_since > _PATIENCE_SECONDS:
                attempt.end()
            time.sleep(_LOOK_SECONDS)

    def _ends(self, attempt: Attempt) -> list[int | None]:
        return attempt.ends(self._crew.workers)

    def _went_well(self, attempt: Attempt) -> bool:
        """Say whether the work is done, or raise why it never will be; False when a worker was lost."""
        ends = self._ends(attempt)
        if ends[0] == EXIT_COMPLETED:  # it writes what the run came to
            return True
        if EXIT_DISK_FULL in ends:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if EXIT_FAILED in ends:
            raise RunError(self._reason(attempt, ends.index(EXIT_FAILED)))
        if EXIT_CANCELLED in ends and None not in ends and EXIT_LOST not in ends:
            raise Cancelled
        return False

    def _reason(self, attempt: Attempt, number: int) -> str:
        file = attempt.own_folder(number, self._run.run) / REASON_FILE
        told = file.read_text().strip() if file.is_file() else "it told no reason"
        return told if number == 0 else f"Worker {number}: {told}"

    def _say(self, text: str) -> None:
        """Tell it on the page of the run, and in its log."""
        sys.stdout.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} [run] {text}\n")
        self._folder.progress(self._run.run, {"message": text})

    def _remark(self, context: StepContext, text: str) -> None:
        """Leave it beside what the work itself has to remark."""
        file = context.folder / REASON_FILE
        told = file.read_text().strip() if file.is_file() else ""
        context.remark(f"{told} {text}".strip())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
