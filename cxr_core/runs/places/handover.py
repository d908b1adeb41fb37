"""Handing a run over to its place: once, however often the process that does it is killed and started again."""

import time
from collections.abc import Callable
from pathlib import Path

from cxr_core import __version__
from cxr_core.atomic import write_text
from cxr_core.errors import CxrError, PlaceError, StorageError
from cxr_core.runs import log, reasons
from cxr_core.runs.outcome import Outcome
from cxr_core.runs.places import goods
from cxr_core.runs.places.hearing import Hearing, is_known
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.run import CANCELLED, FAILED, Run

_NOTE = "handed-over"
#: How often a place that answers may refuse a job before the run has failed: an answer may have been lost.
_MOST_REFUSALS = 2
_BETWEEN_TRIES = 1.0


class Handover:
    """Whether the leg of a run is with its place, and bringing it there."""

    def __init__(self, run_folder: Path, folder: JobFolder, hearing: Hearing, beat: Callable[[], None]) -> None:
        """Take the folders here and there; `beat` is called while large files are copied."""
        self._run_folder = run_folder
        self._folder = folder
        self._hearing = hearing
        self._beat = beat
        self._refusals = 0
        self.said = ""

    def is_done(self, run: Run) -> bool:
        """Say whether the job is with its place: noted, begun, or known to the place."""
        if was_handed_over(self._run_folder, run.leg) or self._folder.has_begun():
            return True
        if is_known(self._hearing.news):  # by a process that could not note it any more
            self._note(run)
            return True
        return False

    def attempt(self, run: Run) -> Outcome | None:
        """Hand the job over if its place answers; return how the run ended when that cannot be.

        A place that is silent is asked again later: nobody knows then whether it has the job.
        """
        if run.cancel_requested:
            return self._withdrawn(CANCELLED, reasons.CANCELLED_BY_USER)
        if self._hearing.news is None:
            self.said = self._hearing.silence() or self._hearing.error
            return None
        if self._refusals >= _MOST_REFUSALS:
            return self._withdrawn(FAILED, f"{self.said} {reasons.what_next(run)}")
        try:
            self._ship(run)
            self._hearing.place().submit(self._folder.job)
            self._note(run)
            self.said = f"handed over to {run.place}"
        except PlaceError as error:  # refused, or the answer was lost: the next look tells
            self._refusals += 1
            self.said = str(error)
            time.sleep(_BETWEEN_TRIES)
        except StorageError as error:  # it was there when the run was started: it is waited for
            self.said = str(error)
        except CxrError as error:
            return self._withdrawn(FAILED, str(error))
        self._hearing.ask_now()
        return None

    def _ship(self, run: Run) -> None:
        order = self._folder.order()
        if order is None or order["leg"] != run.leg:
            goods.ship(self._folder, self._run_folder, self._beat)
            self._folder.write_order(run, __version__)

    def _withdrawn(self, status: str, reason: str) -> Outcome:
        """Return the end of a run that never began; should its job appear after all, it ends at once."""
        if self._folder.order() is not None:
            self._folder.ask_to_stop()
        return status, reason

    def _note(self, run: Run) -> None:
        log.note(f"handed over to {run.place} as {self._folder.job.name}")
        write_text(self._run_folder / _NOTE, str(run.leg))


def was_handed_over(run_folder: Path, leg: int) -> bool:
    """Say whether a leg of a run is noted to be with its place."""
    try:
        return int((run_folder / _NOTE).read_text()) == leg
    except (OSError, ValueError):
        return False
