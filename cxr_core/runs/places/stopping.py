"""Stopping a run at another place: the step is asked, has time for a checkpoint, then the place ends it."""

import time

from cxr_core.errors import CxrError
from cxr_core.runs import log
from cxr_core.runs.places.hearing import Hearing
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.place import JobState

_BETWEEN_STOPS = 5.0


class Stopping:
    """Stops one run, once the user wants that; whatever fails of it is tried again at the next look."""

    def __init__(self, folder: JobFolder, hearing: Hearing, grace: float) -> None:
        """Take the folder of the job and what is heard of it; the step has `grace` seconds for its checkpoint."""
        self._folder = folder
        self._hearing = hearing
        self._grace = grace
        self._since: float | None = None
        self._is_told = False
        self._stopped_at = 0.0

    def go_on(self) -> None:
        """Do what is due now."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._hearing.ask_now()
            log.note("asking the step to stop")
        self._is_told = self._is_told or self._folder.ask_to_stop()
        news = self._hearing.news
        is_waiting = news is not None and news.state is JobState.WAITING
        is_due = is_waiting or now - self._since > self._grace + _BETWEEN_STOPS
        if is_due and now - self._stopped_at > _BETWEEN_STOPS:
            self._stopped_at = now
            self._end_job()

    def _end_job(self) -> None:
        try:
            self._hearing.place().stop(self._folder.job)
            self._hearing.ask_now()
        except CxrError as error:
            log.note(str(error))
