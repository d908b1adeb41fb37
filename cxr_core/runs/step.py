"""The process that does the work of a run: what it is given, and how it tells of progress and of its end.

It tells its end to the supervisor by its exit status and, when it failed, by a reason file: the supervisor alone writes
the status, so that there is one way to end however the process dies.
"""

import contextlib
import errno
import math
import os
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from cxr_core.caller import acting_for
from cxr_core.errors import CxrError, RunError
from cxr_core.runs.free_cores import leave_free
from cxr_core.runs.leftovers import scratch_folder
from cxr_core.runs.memory import memory_reason
from cxr_core.runs.metrics import METRICS_FILE, append_row, cut_metrics, finite
from cxr_core.runs.orphan import end_with_supervisor
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings

EXIT_COMPLETED, EXIT_CANCELLED, EXIT_FAILED, EXIT_DISK_FULL = 0, 10, 11, 12
REASON_FILE = "reason.txt"

_STORE_EVERY_SECONDS = 1.0
_SHOWN_FIGURES = ("step", "epoch", "loss", "val_loss", "val_auc")
_NO_SPACE = os.strerror(errno.ENOSPC)


class Cancelled(Exception):  # noqa: N818 - no error: the user asked for it
    """Raised by the work of a run to say that it stopped because it was asked to."""


class StepDesk(Protocol):
    """Where a step has its run's folder and tells how far it is: the store, or the folder of its job at a place."""

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of the run."""
        ...

    def progress(self, run_id: str, values: dict[str, Any]) -> None:
        """Keep what is shown of the run."""
        ...

    def set_result(self, run_id: str, result: dict[str, Any]) -> None:
        """Keep what the run came to."""
        ...


class StepContext:
    """What the work of a run is given: its folder and configuration, and where to tell how far it is."""

    def __init__(self, desk: StepDesk, run: Run, is_asked: Callable[[], bool] = lambda: False) -> None:
        """Take the run, and `is_asked`, which says whether it is to stop where no signal reaches it."""
        self._desk = desk
        self._run = run
        self._is_asked = is_asked
        self._latest: dict[str, Any] = {}
        self._stored_at = -math.inf
        self._message: str | None = None
        self._told_first: int | None = None
        self._paced_from: tuple[float, int] | None = None
        self._stop = False
        self._listens = False
        self._parent = os.getppid()

    @property
    def run(self) -> str:
        """The ID of the run."""
        return self._run.run

    @property
    def name(self) -> str:
        """The name of the run: for training, that of the model."""
        return self._run.name

    @property
    def source(self) -> str:
        """The name of the source that the run works on."""
        return self._run.source

    @property
    def config(self) -> dict[str, Any]:
        """The configuration, as it was submitted."""
        return self._run.config

    @property
    def is_at_pace(self) -> bool:
        """Whether steps are done: all that is prepared for them is there."""
        return self._paced_from is not None

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self._desk.run_folder(self._run.run)

    def metrics(self, row: dict[str, Any]) -> None:
        """Append a row of figures to the metrics and show its step, epoch, loss, val_loss and val_auc."""
        append_row(self.folder / METRICS_FILE, row)
        self._show({name: finite(row[name]) for name in _SHOWN_FIGURES if row.get(name) is not None})

    def resumed(self, step: int, epoch: int) -> None:
        """Drop the rows after `step`, and of validations beyond the `epoch` complete epochs: they come again."""
        cut_metrics(self.folder / METRICS_FILE, step, epoch)

    def progress(self, step: int, steps: int, epoch: int | None = None, message: str = "") -> None:
        """Tell that `step` of `steps` is done; the time left follows from the pace so far."""
        shown: dict[str, Any] = {"step": step, "steps": steps, "message": message or None}
        if epoch is not None:
            shown["epoch"] = epoch
        self._show(shown | {"eta_seconds": self._seconds_left(step, steps)})

    def result(self, values: dict[str, Any]) -> None:
        """Keep what the run came to, as JSON values."""
        self._desk.set_result(self.run, values)

    def remark(self, text: str) -> None:
        """Leave what people must know of a run that completes; it stands where the reason of a failure would."""
        with contextlib.suppress(OSError):  # a run does not fail for want of it
            (self.folder / REASON_FILE).write_text(text)

    def cancelled(self) -> bool:
        """Say whether the run was asked to stop.

        The first call comes when there is something to save. Until then SIGTERM ends the process at once, be it inside
        TensorFlow, as there is nobody to hear of it.
        """
        if not self._listens and threading.current_thread() is threading.main_thread():
            self._listens = True
            signal.signal(signal.SIGTERM, self.ask_to_stop)
        if not self._stop and self._is_asked():  # a signal may come while it is asked
            self._stop = True
        return self._stop

    def abandoned(self) -> bool:
        """Say whether the supervisor was killed: the work is then to save what it has and to end, and no more."""
        return os.getppid() != self._parent

    def stop_if_cancelled(self) -> None:
        """Raise `Cancelled` when the run was asked to stop."""
        if self.cancelled():
            raise Cancelled

    def ask_to_stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Make `cancelled` true; fit to be a signal handler."""
        self._stop = True

    def flush(self) -> None:
        """Write what is shown of the run to the store now; a store that is busy or full does not end the work."""
        self._message = self._latest.get("message", self._message)
        with contextlib.suppress(RunError):
            if self._latest:
                self._desk.progress(self.run, self._latest)
                self._latest = {}
                self._stored_at = time.monotonic()

    def _show(self, values: dict[str, Any]) -> None:
        """Update the store at once when the message is new, else about once a second: a step may take a millisecond."""
        self._latest |= values
        is_news = values.get("message", self._message) != self._message
        if is_news or time.monotonic() - self._stored_at >= _STORE_EVERY_SECONDS:
            self.flush()

    def _seconds_left(self, step: int, steps: int) -> float | None:
        """Return the time left at the pace since the first step that was done: what comes before is preparation."""
        now = time.monotonic()
        if self._told_first is None:
            self._told_first = step
        if step <= self._told_first:
            return None
        if self._paced_from is None:
            self._paced_from = (now, step)
        since, first = self._paced_from
        return (now - since) / (step - first) * max(0, steps - step) if step > first else None


def run_step(store: RunStore, run_id: str, kinds: Mapping[str, Callable[[StepContext], None]]) -> int:
    """Do the work of a run in this process and return its exit status; `kinds` maps a kind to its work.

    The process stands back for others: pages are slow where a training takes every core that they share.
    """
    os.nice(settings().niceness)
    end_with_supervisor(settings().cancel_grace, _own_scratch(run_id))
    run = store.get(run_id)
    context = StepContext(store, run)
    leave_free(settings().cores_left_free, store.home, lambda: context.is_at_pace)
    return carried_out(context, run, kinds[run.kind])


def carried_out(context: StepContext, run: Run, work: Callable[[StepContext], None]) -> int:
    """Do the work of a run, leave the reason of a failure in its folder, and return the exit status."""
    (context.folder / REASON_FILE).unlink(missing_ok=True)
    try:
        with acting_for(run.user):
            work(context)
    except Cancelled:
        return EXIT_CANCELLED
    except Exception as error:
        return _failed(context, error)
    finally:
        context.flush()
    return EXIT_COMPLETED


def _own_scratch(run_id: str) -> Path | None:
    """Return the folder for temporary files, if it was made for this run."""
    folder = Path(tempfile.gettempdir())
    return folder if folder.name == scratch_folder(run_id).name else None


def _failed(context: StepContext, error: Exception) -> int:
    """Leave the reason for the supervisor; the traceback of what nobody foresaw goes to the log."""
    if not isinstance(error, CxrError):
        traceback.print_exc()
    if _is_disk_full(error):
        return EXIT_DISK_FULL
    try:
        (context.folder / REASON_FILE).write_text(_reason(error))
    except FileNotFoundError:  # the supervisor sees as well that the folder is gone
        return EXIT_FAILED
    except OSError as second:
        return EXIT_DISK_FULL if second.errno == errno.ENOSPC else EXIT_FAILED
    return EXIT_FAILED


def _is_disk_full(error: Exception) -> bool:
    """TensorFlow reports a full disk as an error of its own, with the system's words in it."""
    return not isinstance(error, CxrError) and _NO_SPACE in str(error)


def _reason(error: Exception) -> str:
    if isinstance(error, CxrError):
        return str(error)
    lines = str(error).strip().splitlines()
    told = f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
    return memory_reason(told) or told
