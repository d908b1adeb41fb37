"""What is heard of a job: what its place says, and what its step writes; and since when neither was heard."""

import time
from datetime import datetime

from cxr_core.errors import CxrError
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.place import Job, JobNews, JobState, RunPlace
from cxr_core.runs.places.registry import get_place
from cxr_core.runs.run import NOT_HEARD

#: A place is asked at once when something changes, then ever more rarely.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
#: For how long neither the place nor the step may be silent before it is told.
_SILENCE_SECONDS = 10.0


class Hearing:
    """Asks a place about one job, and listens for its step."""

    def __init__(self, place_name: str, folder: JobFolder) -> None:
        self._name = place_name
        self._folder = folder
        self._pause = _FIRST_PAUSE
        self._asked_at = -_LONGEST_PAUSE
        self._life = folder.sign_of_life()
        self._lived_at: float | None = None
        self._heard_at = time.monotonic()
        self._heard_clock = time.time()
        self.news: JobNews | None = None
        self.error = ""

    @property
    def job(self) -> Job:
        """The job that it is about."""
        return self._folder.job

    def place(self) -> RunPlace:
        """Return the place as `cxr.toml` describes it now; raises as `get_place`."""
        return get_place(self._name)

    def listen(self) -> None:
        """Look for a new sign of life, and ask the place when it is time; `news` is None while it does not answer."""
        self._listen_to_step()
        if time.monotonic() - self._asked_at < self._pause:
            return
        before = self.news
        try:
            self.news = self.place().state(self.job)
            self.error = ""
            self._heard()
        except CxrError as error:
            self.news, self.error = None, str(error)
        self._asked_at = time.monotonic()
        self._pause = _FIRST_PAUSE if self.news != before else min(_LONGEST_PAUSE, 1.5 * self._pause)

    def ask_now(self) -> None:
        """Let the place be asked at the next look, whatever it said last."""
        self._pause = 0.0

    def step_lives(self, seconds: float) -> bool:
        """Say whether the step gave a sign of life within so many seconds, by this machine's clock."""
        return self._lived_at is not None and time.monotonic() - self._lived_at <= seconds

    def silent_for(self) -> float:
        """Return for how many seconds neither was heard."""
        return time.monotonic() - self._heard_at

    def silence(self) -> str:
        """Return what is to be told when neither has been heard for a while; else ""."""
        if self.news is not None or self.silent_for() < _SILENCE_SECONDS:
            return ""
        since = datetime.fromtimestamp(self._heard_clock)
        return f"{NOT_HEARD} {self._name} since {since:%Y-%m-%d %H:%M:%S}"

    def _listen_to_step(self) -> None:
        life = self._folder.sign_of_life()
        if life != self._life:
            self._life, self._lived_at = life, time.monotonic()
            self._heard()

    def _heard(self) -> None:
        self._heard_at, self._heard_clock = time.monotonic(), time.time()


def is_known(news: JobNews | None) -> bool:
    """Say whether the place answered that it has the job, or had it."""
    return news is not None and news.state is not JobState.UNKNOWN
