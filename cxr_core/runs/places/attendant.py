"""The process here that looks after a run at another place: hands it over, brings back what it writes, tells its end.

It may be killed at any moment and started again, on another day: whatever it does, it finds out first whether it was
done already. What it cannot know it does not say: a place that is silent leaves the run as it was last known.
"""

import shutil
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from cxr_core.errors import CxrError, ExistsError
from cxr_core.runs import log, reasons
from cxr_core.runs.identity import own_identity
from cxr_core.runs.metrics import METRICS_FILE
from cxr_core.runs.outcome import Outcome, outcome
from cxr_core.runs.places import goods
from cxr_core.runs.places.handover import Handover, was_handed_over
from cxr_core.runs.places.hearing import Hearing
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.job_log import bring_log
from cxr_core.runs.places.place import Job, JobState
from cxr_core.runs.places.registry import definition_of
from cxr_core.runs.record import RunRecord
from cxr_core.runs.run import CANCELLED, FAILED, NOT_HEARD, QUEUED, RUNNING, Run
from cxr_core.runs.step import EXIT_CANCELLED
from cxr_core.runs.store import RunStore
from cxr_core.settings import Settings

_POLL_SECONDS = 0.5
#: A shared disk shows what another machine wrote only after a while.
_LAG_SECONDS = 10.0
#: For how many heartbeats the step of a job that its place has forgotten must be silent to count as dead.
_LOST_HEARTBEATS = 45
_BETWEEN_STOPS = 5.0


class Attendant:
    """Looks after one run at another place until it has ended, or this process is to go."""

    def __init__(self, store: RunStore, run_id: str, settings: Settings) -> None:
        self._store = store
        self._run_id = run_id
        self._settings = settings
        self._folder = store.run_folder(run_id)
        self._identity = own_identity()
        self._record = RunRecord(store, run_id, self._identity, settings.heartbeat)
        self._leaves = False
        self._gone_since: float | None = None
        self._asked_to_stop_at: float | None = None
        self._stopped_at = 0.0
        self._said = ""
        self._shown: dict[str, Any] = {}

    def supervise(self) -> None:
        """Look after the run; a signal makes this process go, and leaves the run to whoever looks next."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        with self._store.kept_open():
            if not self._store.adopt(self._run_id, self._identity):
                return
            run = self._store.get(self._run_id)
            job = self._job(run)
            if job is None:
                return
            folder = JobFolder(job)
            hearing = Hearing(run.place, folder)
            handover = Handover(self._folder, folder, hearing)
            while not self._leaves and not self._looked(folder, hearing, handover):
                self._record.beat()
                time.sleep(_POLL_SECONDS)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        self._leaves = True

    def _job(self, run: Run) -> Job | None:
        """Return the job of the run; None when its place is not described, which a run that never began ends by."""
        said = ""
        while not self._leaves:
            try:
                definition = definition_of(run.place)
                return Job(run.run, run.leg, definition.folder / run.run)
            except CxrError as error:
                if not was_handed_over(self._folder, run.leg):
                    self._record.end(FAILED, str(error))
                    return None
                if said != str(error):
                    said = str(error)
                    self._say(f"{NOT_HEARD} {run.place}: {said}")
            self._record.beat()
            time.sleep(_POLL_SECONDS)
        return None

    def _looked(self, folder: JobFolder, hearing: Hearing, handover: Handover) -> bool:
        """Do what is to be done now, and say whether nothing more is: the run has ended, or is another process's."""
        try:
            run = self._record.mine(QUEUED, RUNNING)
            if run is None:
                return True
            hearing.listen()
            if not handover.is_done(run):
                never_began = handover.attempt(run)
                if never_began is not None:
                    self._record.end(*never_began)
                    return True
                self._say(handover.said)
                return False
            self._bring(run, folder)
            self._stop_if_asked(run, folder, hearing)
            ended = self._ended(run, folder, hearing)
            if ended is not None:
                return self._finish(run, folder, ended)
            self._tell(run, folder, hearing)
        except (CxrError, OSError) as error:  # the store is busy, a disk full or away, maybe only for now
            self._say(f"waiting: {error}")
        return False

    def _bring(self, run: Run, folder: JobFolder) -> None:
        """Bring what the step has written since the last look: figures, log, and what is shown."""
        if not folder.has_begun():
            return
        goods.mirror(folder.run_folder(run.run) / METRICS_FILE, self._folder / METRICS_FILE)
        bring_log(folder.job.log, self._folder, run.leg)
        log.cut(self._folder / log.LOG_FILE)

    def _stop_if_asked(self, run: Run, folder: JobFolder, hearing: Hearing) -> None:
        """Ask the step to stop when the user did, give it time for a checkpoint, then let the place end it."""
        if not run.cancel_requested:
            return
        if self._asked_to_stop_at is None:
            self._asked_to_stop_at = time.monotonic()
            folder.ask_to_stop()
            hearing.ask_now()
            log.note("asking the step to stop")
        is_waiting = hearing.news is not None and hearing.news.state is JobState.WAITING
        due = is_waiting or time.monotonic() - self._asked_to_stop_at > self._settings.cancel_grace + _BETWEEN_STOPS
        if due and time.monotonic() - self._stopped_at > _BETWEEN_STOPS:
            self._stopped_at = time.monotonic()
            try:
                hearing.place().stop(folder.job)
                hearing.ask_now()
            except CxrError as error:
                log.note(str(error))

    def _ended(self, run: Run, folder: JobFolder, hearing: Hearing) -> Outcome | None:
        """Return how the run ended; None while it has not, or nobody can prove that it has."""
        stopped = reasons.CANCELLED_BY_USER if run.cancel_requested else None
        news, code = hearing.news, folder.ended_with()
        is_over = news is not None and news.state in (JobState.ENDED, JobState.UNKNOWN)
        # A step that was stopped from outside may be started again by its place: only that can say.
        if code is not None and (code != EXIT_CANCELLED or stopped is not None or is_over):
            told = f" {run.place} says: {news.words}." if code == EXIT_CANCELLED and news is not None else ""
            return self._fetched(run, folder, lambda: _with(outcome(code, self._folder, stopped), told))
        if not is_over or news is None:
            self._gone_since = None
            return None
        self._gone_since = self._gone_since or time.monotonic()
        is_lost = news.state is JobState.UNKNOWN
        lost = max(_LAG_SECONDS, _LOST_HEARTBEATS * self._settings.heartbeat)
        patience = lost if is_lost and stopped is None else _LAG_SECONDS
        if hearing.step_lives(patience) or time.monotonic() - self._gone_since < patience:
            return None
        folder.ask_to_stop()  # should it live on where nobody sees it
        told = "knows the job no more, and its step gives no sign of life" if is_lost else f"ended it: {news.words}"

        def died() -> Outcome:
            words = log.last_words(self._folder / log.LOG_FILE)
            return (FAILED, reasons.ended_away(run, told, words)) if stopped is None else (CANCELLED, stopped)

        return self._fetched(run, folder, died)

    def _fetched(self, run: Run, folder: JobFolder, ended: Callable[[], Outcome]) -> Outcome:
        """Bring back what the run left at its place, and return how it ended."""
        try:
            goods.fetch(folder, self._folder, self._store.home)
        except ExistsError as error:
            return FAILED, str(error)
        bring_log(folder.job.log, self._folder, run.leg)
        return ended()

    def _finish(self, run: Run, folder: JobFolder, ended: Outcome) -> bool:
        """Write the end of the run, then remove what is left of it at the place."""
        if run.status == QUEUED:  # it was faster than we looked
            self._store.start(self._run_id)
        result = folder.result()
        if result is not None:
            self._store.set_result(self._run_id, _brought_home(result, folder, self._store))
        if shown := folder.shown():
            self._store.progress(self._run_id, shown)
        self._record.end(*ended)
        shutil.rmtree(folder.path, ignore_errors=True)
        return True

    def _tell(self, run: Run, folder: JobFolder, hearing: Hearing) -> None:
        """Show where the run stands, as far as that is known."""
        news = hearing.news
        is_running = news is not None and news.state is JobState.RUNNING and folder.has_begun()
        if run.status == QUEUED and (is_running or hearing.step_lives(_LAG_SECONDS)):
            self._store.start(self._run_id)
        if silence := hearing.silence():
            self._say(silence)
        elif news is not None and news.state is JobState.WAITING:
            self._say(f"waiting at {run.place}: {news.words}")
        else:
            self._said = ""
            stopping = {"message": "being cancelled"} if run.cancel_requested else {}
            self._show({"message": None} | folder.shown() | stopping)

    def _show(self, values: dict[str, Any]) -> None:
        """Show where the step is, when that has changed."""
        if values != self._shown:
            self._store.progress(self._run_id, values)
            self._shown = values

    def _say(self, message: str) -> None:
        """Show a message on the run, and write it to the log when it is new."""
        if message == self._said:
            return
        self._said, self._shown = message, {}
        log.note(message)
        self._record.told(lambda: self._store.progress(self._run_id, {"message": message, "eta_seconds": None}))


def _with(ended: Outcome, told: str) -> Outcome:
    """Return an end that nobody here asked for, with what the place says of it."""
    status, reason = ended
    return status, f"{reason}{told}" if reason == reasons.STOPPED_FROM_OUTSIDE else reason


def _brought_home(result: dict[str, object], folder: JobFolder, store: RunStore) -> dict[str, object]:
    """Return a result whose paths are those of this workspace."""
    there, here = f"{folder.path}/", f"{store.home}/"
    return {
        name: here + value.removeprefix(there) if isinstance(value, str) and value.startswith(there) else value
        for name, value in result.items()
    }
