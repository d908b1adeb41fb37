"""What every place where runs work can do: take a job, say how it is, stop it.

A job is one leg of a run: from its start, or a resume, to its end. The run stays a run of the store here, written by
its supervisor alone; a place is asked, and never trusted further than it can prove.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class JobState(Enum):
    """How a job is."""

    WAITING = "waiting"  # the place has it, and has not started it yet
    RUNNING = "running"
    ENDED = "ended"
    UNKNOWN = "unknown"  # the place answered that it knows no such job: it never came, or was forgotten since


@dataclass(frozen=True)
class JobNews:
    """What a place says of a job: its state, and in the place's own words why; the words may be empty."""

    state: JobState
    words: str = ""


@dataclass(frozen=True)
class Job:
    """One leg of a run at a place.

    Attributes:
        run: the ID of the run.
        leg: 1 for its start, one more with each resume.
        workspace: the folder that belongs to this run alone, at the place and here.
        location: where that folder lies for the place when it is on an object store, and the workspace only its mirror
            here; "" where both sides see the workspace.
        workers: how many processes work on it together, each with what the place gives a run.
    """

    run: str
    leg: int
    workspace: Path
    location: str = ""
    workers: int = 1

    @property
    def name(self) -> str:
        """What the place knows the job by: whoever comes back finds it under this name, or knows that it never came."""
        return f"{self.run}.{self.leg}"

    @property
    def log(self) -> Path:
        """Where the place writes what the job prints."""
        return self.workspace / "job.log"


@dataclass(frozen=True)
class PlaceTerms:
    """What is to be known of a place before a run starts there.

    Attributes:
        cost: what a run costs, in words; "" where nobody bills for it.
        reads_paths: whether it may see files under the same path as here, as records; else only what lies on gs://.
    """

    cost: str = ""
    reads_paths: bool = True


class RunPlace(Protocol):
    """A place where runs work. Each of its questions raises `PlaceError` when the place does not answer or refuses."""

    def submit(self, job: Job) -> None:
        """Hand a job over. Whoever is not sure whether it was handed over already asks for its state first."""
        ...

    def state(self, job: Job) -> JobNews:
        """Say how a job is."""
        ...

    def stop(self, job: Job) -> None:
        """End a job at once, be it waiting or running; it was given time for a checkpoint before."""
        ...

    def answer(self, script: str) -> str | None:
        """Return what a shell script prints there: a look at versions, folders and records.

        None where that would have to be paid for: only whether the place answers was asked.
        """
        ...

    def terms(self) -> PlaceTerms:
        """Say what is to be known before a run starts; nobody is asked."""
        ...
