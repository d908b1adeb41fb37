"""The process that looks after one run: waits for its turn, starts the step, gives signs of life, writes the end."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType

from cxr_core.errors import RunError, UnknownNameError
from cxr_core.runs.group import kill_group, send
from cxr_core.runs.identity import identity_of, own_identity
from cxr_core.runs.launch import LOG_FILE, start_step
from cxr_core.runs.metrics import tail
from cxr_core.runs.queue import ahead_of
from cxr_core.runs.reconcile import reconcile
from cxr_core.runs.step import DISK_FULL, EXIT_CANCELLED, EXIT_COMPLETED, EXIT_DISK_FULL, EXIT_FAILED, REASON_FILE
from cxr_core.runs.store import CANCELLED, COMPLETED, FAILED, QUEUED, Run, RunStore

CANCELLED_BY_USER = "Cancelled by the user."

_POLL_SECONDS = 0.25
#: How long the end of a run is tried to be written when the store cannot be used, as on a full disk.
_END_PATIENCE_SECONDS = 600.0


class Supervisor:
    """Looks after one run until it has ended."""

    def __init__(self, store: RunStore, run_id: str, heartbeat: float, cancel_grace: float) -> None:
        self._store = store
        self._run_id = run_id
        self._heartbeat = heartbeat
        self._grace = cancel_grace
        self._identity = own_identity()
        self._beaten = 0.0
        self._signal: int | None = None

    def supervise(self) -> None:
        """Wait for the turn of the run, do its work in another process, and write how it ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        if not self._store.adopt(self._run_id, self._identity) or not self._await_turn():
            return
        try:
            outcome = self._step()
        except OSError as error:
            outcome = FAILED, f"The process of the run could not be started: {error}."
        self._end(*outcome)

    def _step(self) -> tuple[str, str | None]:
        """Do the work in another process, and return the status and the reason of the run.

        TensorFlow leaves temporary files when its process is killed or ends at once: they go with their folder.
        """
        with tempfile.TemporaryDirectory(prefix="cxr-run-", ignore_cleanup_errors=True) as scratch:
            return self._accompany(start_step(self._run_id, self._folder / LOG_FILE, scratch))

    @property
    def _folder(self) -> Path:
        return self._store.run_folder(self._run_id)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _await_turn(self) -> bool:
        """Return True once the run is running; False when it was cancelled or removed before."""
        while True:
            try:
                if self._store.start(self._run_id):
                    return True
                if not self._is_still_waiting():
                    return False
            except RunError as error:  # the store is busy or the disk full, maybe only for now
                _log(str(error))
            self._beat()
            time.sleep(_POLL_SECONDS)

    def _is_still_waiting(self) -> bool:
        """Say for what the run waits; False when it is no longer queued."""
        run = self._look()
        if run is None or run.status != QUEUED:
            return False
        if self._signal is not None:
            self._end(CANCELLED, self._signal_reason())
            return False
        ahead = [other for other in ahead_of(self._store, run) if reconcile(self._store, other).is_active]
        message = _waiting_message(run, len(ahead))
        if message != run.message:
            self._store.progress(self._run_id, {"message": message})
        return True

    def _accompany(self, process: subprocess.Popen[bytes]) -> tuple[str, str | None]:
        """Wait for the step, and return the status and the reason of the run."""
        identity = identity_of(process.pid)
        if identity is not None:
            self._told(lambda: self._store.set_process(self._run_id, identity))
        _log(f"started process {process.pid}")
        stopped_by = None
        while process.poll() is None:
            stopped_by = self._why_stop()
            if stopped_by is not None:
                self._stop(process)
                break
            self._beat()
            time.sleep(_POLL_SECONDS)
        kill_group(process.pid, session=os.getsid(0))
        return self._outcome(process.wait(), stopped_by)

    def _why_stop(self) -> str | None:
        """Return the reason to stop the step, or None."""
        if self._signal is not None:
            return self._signal_reason()
        try:
            return CANCELLED_BY_USER if self._store.get(self._run_id).cancel_requested else None
        except UnknownNameError:
            return "The run was removed from the store."
        except RunError as error:
            _log(str(error))
            return None

    def _signal_reason(self) -> str:
        return f"Stopped by {signal.Signals(self._signal or 0).name}, sent to its supervising process."

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask the group to stop, give it time for a checkpoint, then kill it."""
        _log("asking the process to stop")
        send(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while process.poll() is None and time.monotonic() < deadline:
            self._beat()
            time.sleep(_POLL_SECONDS)
        send(process.pid, signal.SIGKILL)

    def _outcome(self, code: int, stopped_by: str | None) -> tuple[str, str | None]:
        if code == EXIT_COMPLETED:
            return COMPLETED, None
        if stopped_by is not None:
            return CANCELLED, stopped_by
        if code == EXIT_CANCELLED:
            return CANCELLED, "Stopped by a signal from outside."
        if code == EXIT_DISK_FULL:
            return FAILED, DISK_FULL
        return FAILED, self._left_reason() if code == EXIT_FAILED else _died(code, self._last_line())

    def _left_reason(self) -> str:
        try:
            return (self._folder / REASON_FILE).read_text().strip()
        except OSError:
            return self._last_line()

    def _last_line(self) -> str:
        lines = tail(self._folder / LOG_FILE, 4000).strip().splitlines()
        return lines[-1] if lines else "the log is empty"

    def _look(self) -> Run | None:
        try:
            return self._store.get(self._run_id)
        except UnknownNameError:
            return None

    def _beat(self) -> None:
        """Write a sign of life when one is due."""
        if time.monotonic() - self._beaten < self._heartbeat:
            return
        self._beaten = time.monotonic()
        self._told(lambda: self._store.beat(self._run_id))

    def _told(self, write: Callable[[], None]) -> None:
        """Write to the store; the work goes on when that fails."""
        try:
            write()
        except RunError as error:
            _log(str(error))

    def _end(self, status: str, reason: str | None) -> None:
        """Write the end of the run, again and again while the store cannot be written."""
        _log(f"{status}{'' if reason is None else ': ' + reason}")
        deadline = time.monotonic() + _END_PATIENCE_SECONDS
        while True:
            try:
                self._store.end(self._run_id, status, reason, self._identity)
                return
            except RunError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)


def _waiting_message(run: Run, ahead: int) -> str:
    return f"waiting for the {run.device}: {ahead} {'run' if ahead == 1 else 'runs'} ahead"


def _died(code: int, last_line: str) -> str:
    if code == -signal.SIGKILL:
        return "Its process was killed by signal 9 (SIGKILL), maybe because the memory ran out."
    if code < 0:
        return (
            f"Its process was ended by signal {-code} ({signal.Signals(-code).name}). Last line of the log: {last_line}"
        )
    return f"Its process ended with status {code}. Last line of the log: {last_line}"


def _log(text: str) -> None:
    """Write a line to the log of the run, which is this process's standard output."""
    try:
        sys.stdout.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} [run] {text}\n")
        sys.stdout.flush()
    except OSError:  # a full disk must not keep the end of the run from being written
        return
