"""The folder of a job: what the process there and the supervisor here tell each other through a shared disk.

It is a workspace of its own, with `runs/<run>/` and `sources/<source>/`, so that the work there finds everything where
it would here. Each file is replaced as a whole, by one side alone. Times are never compared: the clocks may differ.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxr_core.atomic import write_text
from cxr_core.errors import CxrError, PlaceError
from cxr_core.runs.places.place import Job
from cxr_core.runs.run import Run

ORDER_FILE, STOP_FILE, BEAT_FILE, END_FILE = "order.json", "stop", "beat", "end.json"
PROGRESS_FILE, RESULT_FILE = "progress.json", "result.json"

#: What is shown of a run: whoever can write to the shared folder writes nothing else to the store here.
_SHOWN_NUMBERS = ("step", "steps", "epoch", "loss", "val_loss", "val_auc", "eta_seconds")
_MOST_NUMBER, _MOST_LETTERS = 2.0**53, 500


class JobFolder:
    """The folder of one leg of a run at a place."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.path = job.workspace
        #: Under which path the work there has it.
        self.path_there = str(job.workspace)
        self._shown: dict[str, Any] = {}

    # What the step has there, as a run's own folder and the store are here.

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of the run."""
        return self.path / "runs" / run_id

    def progress(self, _run_id: str, values: dict[str, Any]) -> None:
        """Keep what is shown of the run; a disk that is full or away for now does not end the work."""
        self._shown |= values
        with contextlib.suppress(OSError):
            _replace(self.path / PROGRESS_FILE, json.dumps(self._shown, allow_nan=False))

    def set_result(self, _run_id: str, result: dict[str, Any]) -> None:
        """Keep what the run came to."""
        write_text(self.path / RESULT_FILE, json.dumps(result, allow_nan=False))

    def is_asked_to_stop(self) -> bool:
        """Say whether the supervisor asked this leg, or one before it, to stop."""
        leg = _number(self.path / STOP_FILE)
        return leg is not None and leg >= self.job.leg

    def claim(self, engine_job: str, nonce: str) -> bool:
        """Take the leg for a process; False when another job of the engine has it.

        A job that the engine starts again, as after the loss of its machine, takes its leg from the process before.
        """
        file = self._claim()
        text = json.dumps({"job": engine_job, "nonce": nonce})
        try:
            with file.open("x") as new:
                new.write(text)
        except FileExistsError:
            if (object_in(file) or {}).get("job", engine_job) != engine_job:
                return False
            _replace(file, text)
        (self.path / END_FILE).unlink(missing_ok=True)
        return True

    def is_mine(self, nonce: str) -> bool:
        """Say whether the leg is still this process's, as far as the disk tells."""
        claim = object_in(self._claim())
        order = object_in(self.path / ORDER_FILE)
        newer = order is not None and order["leg"] > self.job.leg
        return not newer and (claim is None or claim["nonce"] == nonce)

    def beat(self, text: str) -> None:
        """Write a sign of life, which differs from the one before."""
        with contextlib.suppress(OSError):
            _replace(self.path / BEAT_FILE, text)

    def write_end(self, status: int) -> None:
        """Write how the step ended: the last thing that it does."""
        write_text(self.path / END_FILE, json.dumps({"leg": self.job.leg, "status": status}))

    # What the supervisor has here.

    def refresh(self) -> str:
        """See what is new; return what hindered it: nothing, on a disk that both sides see."""
        return ""

    def bring_all(self, beat: Callable[[], None]) -> None:
        """Have all that the work has left here, large files too; on a disk that both sides see, it is."""

    def order(self) -> dict[str, Any] | None:
        """Return the order that lies there: `leg`, `version` and the `run` as a row; None where there is none."""
        return object_in(self.path / ORDER_FILE)

    def write_order(self, run: Run, version: str) -> None:
        """Leave the order for the process there."""
        write_text(self.path / ORDER_FILE, json.dumps({"leg": run.leg, "version": version, "run": run.as_row()}))

    def ask_to_stop(self) -> bool:
        """Ask this leg to stop, which looks for the flag about once a second; False when it cannot be written now."""
        try:
            write_text(self.path / STOP_FILE, str(self.job.leg))
        except (CxrError, OSError):
            return False
        return True

    def look_anew(self) -> None:
        """List the folder: a shared disk may go on saying that a file is missing which it was asked for before."""
        with contextlib.suppress(OSError):
            os.listdir(self.path)  # noqa: PTH208 - the listing itself is wanted

    def check_seen(self, is_needed: bool) -> None:
        """Raise `PlaceError`, where it is needed, unless the folder can be seen: nothing in it proves nothing then."""
        if is_needed and self.order() is None:
            raise PlaceError(
                f"The folder {self.path} cannot be seen from here, so that nobody knows how the run ended."
            )

    def holds(self, path: Path) -> bool:
        """Say whether a path is below this folder, and no link on the way to it leads elsewhere."""
        return path.resolve() == self.path.resolve() / path.relative_to(self.path)

    def remove(self) -> None:
        """Remove what is left of the run at its place: at once out of the way of a next leg, then file by file."""
        gone = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self.path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def has_begun(self) -> bool:
        """Say whether a process there has taken this leg."""
        return self._claim().exists()

    def sign_of_life(self) -> str:
        """Return the newest sign of life; "" before the first."""
        with contextlib.suppress(OSError):
            return (self.path / BEAT_FILE).read_text()
        return ""

    def shown(self) -> dict[str, Any]:
        """Return what the step wants to be shown of the run: figures, and a message."""
        found = object_in(self.path / PROGRESS_FILE) or {}
        figures = {name: found[name] for name in _SHOWN_NUMBERS if name in found and _is_figure(found[name])}
        if "message" not in found:
            return figures
        message = found["message"]
        return figures | {"message": _plain(message) if isinstance(message, str) else None}

    def result(self) -> dict[str, Any] | None:
        """Return what the run came to; None where it came to nothing yet."""
        return object_in(self.path / RESULT_FILE)

    def ended_with(self) -> int | None:
        """Return the exit status of this leg's step; None while it has not ended properly."""
        end = object_in(self.path / END_FILE) or {}
        status = end.get("status")
        return status if isinstance(status, int) and end.get("leg") == self.job.leg else None

    def _claim(self) -> Path:
        return self.path / f"claim-{self.job.leg}"


def _replace(path: Path, text: str) -> None:
    """Replace a small file as a whole, without waiting for the disk: it is written every second or so."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def object_in(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none, or something else."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _is_figure(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST_NUMBER
    return value is None or is_number


def _plain(text: str) -> str:
    return text[:_MOST_LETTERS].encode(errors="replace").decode()
