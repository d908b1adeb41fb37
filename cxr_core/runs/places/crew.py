"""Several processes that work on one leg of a run together: what they and the one that leads them tell each other.

The leader has the leg, starts the workers, and starts all anew when one of them is lost. Each start is an *attempt*,
with a folder of its own in the folder of the job. A worker of an attempt that is over ends by itself, wherever it runs.
"""

import json
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cxr_core.atomic import write_text
from cxr_core.runs.places.job_folder import JobFolder, object_in
from cxr_core.runs.run import Run

#: The variables that whoever starts the workers gives each: its number from 0, and the name of its machine.
NUMBER_VARIABLE, HOST_VARIABLE = "CXR_WORKER", "CXR_WORKER_HOST"
#: The role of a worker's process, as `cxr_core.cli` knows it.
WORKER_THERE = "run-worker-there"

_KEY = "crew"
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Crew:
    """How many processes work on a run together, and how often they are started again when one is lost."""

    workers: int = 1
    restarts: int = 0

    def as_config(self) -> dict[str, Any]:
        """Return what the configuration of a run says of it; nothing where one process is enough."""
        return {_KEY: {"workers": self.workers, "restarts": self.restarts}} if self.workers > 1 else {}

    @staticmethod
    def of(run: Run) -> "Crew":
        """Return what the configuration of a run says."""
        return Crew(**run.config.get(_KEY, {}))


class StartedWorkers(Protocol):
    """The workers of one attempt, for whoever started them."""

    def are_over(self) -> bool:
        """Say whether no process of them is left."""
        ...

    def is_one_lost(self) -> bool:
        """Say whether one of them is known to have ended without telling how."""
        ...


class WorkerStarter(Protocol):
    """How the engine of a place starts the workers of a job, from within the job."""

    def await_room(self) -> None:
        """Return once the place has room for all."""
        ...

    def start(self, command: list[str]) -> StartedWorkers:
        """Start the command once for each worker, which finds its number and its machine in its variables."""
        ...


class Attempt:
    """One start of all workers of a leg."""

    def __init__(self, folder: JobFolder, leader: str, number: int) -> None:
        self._folder = folder
        self._name = f"{leader}-{number}"
        self._file = folder.path / "crew.json"
        self.number = number
        self.path = folder.path / "crew" / self._name

    # What the leader does.

    def begin(self) -> None:
        """Make this the attempt that counts: the workers of any other end."""
        former = self.path.parent
        shutil.rmtree(former, ignore_errors=True)
        self.path.mkdir(parents=True)
        self._write(is_asked=False)

    def ask_to_stop(self) -> None:
        """Ask all workers to stop, with a checkpoint."""
        self._write(is_asked=True)

    def end(self) -> None:
        """Let whatever still works on it end at once."""
        write_text(self._file, json.dumps({"attempt": "", "asked": True}))

    def ends(self, workers: int) -> list[int | None]:
        """Return the exit status that each worker told; None of one that told none."""
        told = [object_in(self.path / f"end-{number}.json") for number in range(workers)]
        return [None if end is None else int(end["status"]) for end in told]

    # What a worker does.

    def is_over(self) -> bool:
        """Say whether another attempt counts, as far as the disk tells."""
        found = object_in(self._file)
        return found is not None and found["attempt"] != self._name

    def is_asked_to_stop(self) -> bool:
        """Say whether the workers are asked to stop."""
        return bool((object_in(self._file) or {}).get("asked"))

    def write_end(self, number: int, status: int) -> None:
        """Tell how a worker ended: the last thing that it does."""
        write_text(self.path / f"end-{number}.json", json.dumps({"status": status}))

    def meet(self, number: int, workers: int, host: str, go_on: Callable[[], None]) -> list[str]:
        """Return the addresses of all workers once all are there; `go_on` is called meanwhile, and may raise."""
        write_text(self.path / f"address-{number}", f"{host}:{_free_port()}")
        while True:
            found = [_text(self.path / f"address-{other}") for other in range(workers)]
            if all(found):
                return found
            go_on()
            time.sleep(_LOOK_SECONDS)

    def own_folder(self, number: int, run_id: str) -> Path:
        """Return the folder that a worker has in place of the run's, which the first one alone writes."""
        if number == 0:
            return self._folder.run_folder(run_id)
        return self.path / f"worker-{number}" / run_id

    def _write(self, is_asked: bool) -> None:
        write_text(self._file, json.dumps({"attempt": self._name, "asked": is_asked}))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("", 0))
        return int(found.getsockname()[1])


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
