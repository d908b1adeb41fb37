"""The process here that looks after a run at another place: hands it over, brings back what it writes, tells its end.

It may be killed at any moment and started again, on another day: whatever it does, it finds out first whether it was
done already. What it cannot know it does not say: a place that is silent leaves the run as it was last known.
"""

import signal
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from cxr_core.errors import CxrError, ExistsError
from cxr_core.runs import log, reasons
from cxr_core.runs.identity import own_identity
from cxr_core.runs.metrics import METRICS_FILE
from cxr_core.runs.outcome import Outcome, outcome, with_words
from cxr_core.runs.places import goods
from cxr_core.runs.places.crew import Crew
from cxr_core.runs.places.handover import Handover, was_handed_over
from cxr_core.runs.places.hearing import Hearing
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.job_log import bring_log
from cxr_core.runs.places.place import Job, JobState
from cxr_core.runs.places.registry import definition_of, folder_of
from cxr_core.runs.places.stopping import Stopping
from cxr_core.runs.record import RunRecord
from cxr_core.runs.run import CANCELLED, FAILED, NOT_HEARD, QUEUED, RUNNING, Run
from cxr_core.runs.step import EXIT_CANCELLED
from cxr_core.runs.store import RunStore
from cxr_core.settings import Settings

_POLL_SECONDS = 0.5
#: For how many heartbeats the step of a job that its place has forgotten must be silent to count as dead.
_LOST_HEARTBEATS = 45


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
        self._is_home = True
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
            folder = folder_of(job)
            hearing = Hearing(run.place, folder)
            handover = Handover(self._folder, folder, hearing, self._record.beat)
            stopping = Stopping(folder, hearing, self._settings.cancel_grace)
            while not self._leaves and not self._looked(folder, hearing, handover, stopping):
                self._record.beat()
                time.sleep(_POLL_SECONDS)

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        self._leaves = True

    def _job(self, run: Run) -> Job | None:
        """Return the job of the run; None when its place is not described, which a run that never began ends by."""
        while not self._leaves:
            try:
                definition = definition_of(run.place)
                return definition.job(run.run, run.leg, self._folder, Crew.of(run).workers)
            except CxrError as error:
                wrong = str(error)
            if not was_handed_over(self._folder, run.leg):
                self._record.end(FAILED, wrong)
                return None
            self._say(f"{NOT_HEARD} {run.place}: {wrong}")
            if self._is_given_up(run, wrong):
                return None
            self._record.beat()
            time.sleep(_POLL_SECONDS)
        return None

    def _is_given_up(self, run: Run, wrong: str) -> bool:
        """Say whether a run whose place nobody can ask is looked after no more: it ends when the user wants so."""
        try:
            now = self._record.mine(QUEUED, RUNNING)
        except CxrError as error:
            log.note(str(error))
            return False
        if now is not None and now.cancel_requested:
            self._record.end(CANCELLED, f"{reasons.CANCELLED_BY_USER} Nobody could ask {run.place} to end it: {wrong}")
        return now is None or now.cancel_requested

    def _looked(self, folder: JobFolder, hearing: Hearing, handover: Handover, stopping: Stopping) -> bool:
        """Do what is to be done now, and say whether nothing more is: the run has ended, or is another process's."""
        try:
            run = self._record.mine(QUEUED, RUNNING)
            if run is None:
                return True
            away = folder.refresh()
            hearing.listen()
            if not handover.is_done(run):
                never_began = handover.attempt(run)
                if never_began is not None:
                    self._record.end(*never_began)
                    return True
                self._say(handover.said)
                return False
            if run.cancel_requested:
                stopping.go_on()
            trouble = away or self._brought(run, folder)
            # What the step left cannot tell of its end while nobody sees it.
            ended = None if away else self._ended(run, folder, hearing)
            if ended is not None:
                return self._finish(run, folder, ended)
            self._tell(run, folder, hearing, trouble)
        except (CxrError, OSError) as error:  # the store is busy, a disk full or away, maybe only for now
            self._say(f"waiting: {error}")
        except Exception as error:  # the job goes on: a next process would stumble over the same
            if self._say(f"waiting: {type(error).__name__}: {error}"):
                traceback.print_exc()
        return False

    def _brought(self, run: Run, folder: JobFolder) -> str:
        """Bring the figures and the log that the step has written since the last look; return what hindered it."""
        if not folder.has_begun():
            return ""
        metrics, printed = folder.run_folder(run.run) / METRICS_FILE, folder.job.log
        try:
            if folder.holds(metrics):
                goods.mirror(metrics, self._folder / METRICS_FILE)
            if folder.holds(printed):
                bring_log(printed, self._folder, run.leg)
            log.cut(self._folder / log.LOG_FILE)
        except (CxrError, OSError) as error:
            return str(error)
        return ""

    def _ended(self, run: Run, folder: JobFolder, hearing: Hearing) -> Outcome | None:
        """Return how the run ended; None while it has not, or nobody can prove that it has."""
        stopped = reasons.CANCELLED_BY_USER if run.cancel_requested else None
        news, lag = hearing.news, self._settings.shared_disk_lag
        is_over = news is not None and news.state in (JobState.ENDED, JobState.UNKNOWN)
        if is_over:
            folder.look_anew()
        code = folder.ended_with()
        # A step that was stopped from outside may be started again by its place: only that can say.
        if code is not None and (code != EXIT_CANCELLED or stopped is not None or is_over):
            told = f" {run.place} says: {news.words}." if code == EXIT_CANCELLED and news is not None else ""
            return self._fetched(run, folder, lambda: with_words(outcome(code, self._folder, stopped), told))
        if not is_over or news is None:
            self._gone_since = None
            return None
        self._gone_since = self._gone_since or time.monotonic()
        is_lost = news.state is JobState.UNKNOWN
        lost = max(lag, _LOST_HEARTBEATS * self._settings.heartbeat)
        patience = lost if is_lost and stopped is None else lag
        if hearing.step_lives(patience) or time.monotonic() - self._gone_since < patience:
            return None
        folder.check_seen(stopped is None)
        folder.ask_to_stop()  # should it live on where nobody sees it
        told = "knows the job no more, and its step gives no sign of life" if is_lost else f"ended it: {news.words}"

        def died() -> Outcome:
            words = log.last_words(self._folder / log.LOG_FILE)
            return (FAILED, reasons.ended_away(run, told, words)) if stopped is None else (CANCELLED, stopped)

        return self._fetched(run, folder, died)

    def _fetched(self, run: Run, folder: JobFolder, ended: Callable[[], Outcome]) -> Outcome:
        """Bring back what the run left at its place, and return how it ended."""
        folder.bring_all(self._record.beat)
        try:
            goods.fetch(folder, self._folder, self._store.home, run.source, self._record.beat)
        except ExistsError as error:
            self._is_home = False
            return FAILED, str(error)
        folder.check_seen(not run.cancel_requested)
        self._brought(run, folder)
        return ended()

    def _finish(self, run: Run, folder: JobFolder, ended: Outcome) -> bool:
        """Write the end of the run, then remove what is left of it at the place, unless it could not all come home."""
        if self._record.mine(QUEUED, RUNNING) is None:  # copying may take long
            return True
        if run.status == QUEUED:  # it was faster than we looked
            self._store.start(self._run_id)
        result = folder.result()
        if result is not None:
            self._keep_result(goods.brought_home(result, folder, self._store.home))
        if shown := folder.shown():
            self._store.progress(self._run_id, shown)
        if self._record.end(*ended) and self._is_home:
            folder.remove()
        return True

    def _keep_result(self, result: dict[str, object]) -> None:
        try:
            self._store.set_result(self._run_id, result)
        except ValueError as error:  # no JSON, as of NaN: the run ends without it
            log.note(f"the result of the run cannot be kept: {error}")

    def _tell(self, run: Run, folder: JobFolder, hearing: Hearing, trouble: str) -> None:
        """Show where the run stands, as far as that is known."""
        news = hearing.news
        is_running = news is not None and news.state is JobState.RUNNING and folder.has_begun()
        if run.status == QUEUED and (is_running or hearing.step_lives(self._settings.shared_disk_lag)):
            self._store.start(self._run_id)
        if silence := hearing.silence():
            self._say(silence)
        elif news is not None and news.state is JobState.WAITING:
            self._say(f"waiting at {run.place}: {news.words}")
        elif trouble:
            self._say(f"waiting: {trouble}")
        else:
            self._said = ""
            stopping = {"message": "being cancelled"} if run.cancel_requested else {}
            self._show({"message": None} | folder.shown() | stopping)

    def _show(self, values: dict[str, Any]) -> None:
        """Show where the step is, when that has changed."""
        if values != self._shown:
            self._store.progress(self._run_id, values)
            self._shown = values

    def _say(self, message: str) -> bool:
        """Show a message on the run, and write it to the log when it is new; say whether it is."""
        if message == self._said:
            return False
        self._said, self._shown = message, {}
        log.note(message)
        self._record.told(lambda: self._store.progress(self._run_id, {"message": message, "eta_seconds": None}))
        return True
