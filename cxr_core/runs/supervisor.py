"""The process that looks after one run: waits for its turn, starts the step, gives signs of life, writes the end."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType

from cxr_core.errors import RunError, UnknownNameError
from cxr_core.runs import leftovers, log, reasons
from cxr_core.runs.identity import identity_of, own_identity
from cxr_core.runs.lanes import GPU_PREFIX
from cxr_core.runs.launch import start_step
from cxr_core.runs.memory import MemoryWatch
from cxr_core.runs.queue import Turn
from cxr_core.runs.reconcile import reconcile
from cxr_core.runs.run import CANCELLED, COMPLETED, FAILED, QUEUED, RUNNING, Run
from cxr_core.runs.session import kill, terminate
from cxr_core.runs.step import EXIT_CANCELLED, EXIT_COMPLETED, EXIT_DISK_FULL, EXIT_FAILED, REASON_FILE
from cxr_core.runs.store import RunStore
from cxr_core.settings import Settings
from cxr_core.words import counted

_POLL_SECONDS = 0.25
#: The farther back in the queue, the less often a run asks whether it is its turn.
_LONGEST_POLL_SECONDS = 2.0
#: How long the end of a run is tried to be written when the store cannot be used, as on a full disk.
_END_PATIENCE_SECONDS = 600.0


class Supervisor:
    """Looks after one run until it has ended."""

    def __init__(self, store: RunStore, run_id: str, settings: Settings) -> None:
        self._store = store
        self._run_id = run_id
        self._settings = settings
        self._folder = store.run_folder(run_id)
        self._log = self._folder / log.LOG_FILE
        self._identity = own_identity()
        self._beaten = 0.0
        self._signal: int | None = None

    def supervise(self) -> None:
        """Wait for the turn of the run, do its work in another process, and write how it ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        with self._store.kept_open():
            if not self._store.adopt(self._run_id, self._identity):
                return
            devices = self._await_turn()
            if devices is None:
                return
            try:
                outcome = self._step(devices)
            except OSError as error:
                outcome = FAILED, f"The process of the run could not be started: {error}."
            self._end(*outcome)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _await_turn(self) -> tuple[str, ...] | None:
        """Return the devices of the run once it is running; None when it was cancelled or removed before."""
        together = self._settings.runs_per_device
        while True:
            poll = _POLL_SECONDS
            try:
                if self._signal is not None:
                    self._end(CANCELLED, self._signal_reason())
                run = self._mine(QUEUED)
                if run is None:
                    return None
                turn = self._store.turn(self._run_id, together)
                if turn.devices is not None:
                    devices = self._store.start(self._run_id, together)
                    if devices is not None:
                        return devices
                self._wait_behind(turn, run)
                poll = min(_LONGEST_POLL_SECONDS, _POLL_SECONDS * (1 + turn.queued))
            except RunError as error:  # the store is busy or the disk full, maybe only for now
                log.note(str(error))
            self._beat()
            time.sleep(poll)

    def _wait_behind(self, turn: Turn, run: Run) -> None:
        """See that whoever is before this run lives, and say for what it waits."""
        for other in turn.watched:
            reconcile(self._store, other)
        ahead = turn.queued + turn.running
        message = f"waiting for {_awaited(run)}: {counted(ahead, 'run')} ahead"
        if ahead and message != run.message:
            self._store.progress(self._run_id, {"message": message})

    def _step(self, devices: tuple[str, ...]) -> tuple[str, str | None]:
        """Do the work in another process, and return the status and the reason of the run.

        TensorFlow leaves temporary files when its process is killed or ends at once: they go with their folder.
        """
        scratch = leftovers.scratch_folder(self._run_id)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        try:
            return self._accompany(start_step(self._run_id, self._log, scratch, devices))
        finally:
            leftovers.remove(self._store.home, self._run_id)

    def _accompany(self, process: subprocess.Popen[bytes]) -> tuple[str, str | None]:
        """Wait for the step, and return the status and the reason of the run."""
        identity = identity_of(process.pid)
        if identity is not None:
            self._told(lambda: self._store.set_process(self._run_id, identity))
        log.note_start(process.pid)
        memory = MemoryWatch(process.pid)
        stopped_by = None
        while process.poll() is None:
            stopped_by = self._why_stop()
            if stopped_by is not None:
                self._stop(process)
                break
            memory.look()
            self._beat()
            self._keep_log_short()
            time.sleep(_POLL_SECONDS)
        self._empty(process.pid)
        code = process.wait()
        return self._outcome(code, stopped_by, memory.reason(code))

    def _why_stop(self) -> str | None:
        """Return the reason to stop the step, or None."""
        if self._signal is not None:
            return self._signal_reason()
        try:
            run = self._mine(RUNNING)
        except RunError as error:
            log.note(str(error))
            return None
        if run is None:
            return reasons.REMOVED
        return reasons.CANCELLED_BY_USER if run.cancel_requested else None

    def _mine(self, status: str) -> Run | None:
        """Return the run, if it has this status and is still looked after by this process."""
        try:
            run = self._store.get(self._run_id)
        except UnknownNameError:
            return None
        return run if (run.status, run.supervisor) == (status, self._identity) else None

    def _signal_reason(self) -> str:
        return f"Stopped by {signal.Signals(self._signal or 0).name}, sent to its supervising process."

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask the group to stop, and give it time for a checkpoint."""
        log.note("asking the process to stop")
        terminate(process.pid)
        deadline = time.monotonic() + self._settings.cancel_grace
        while process.poll() is None and time.monotonic() < deadline:
            self._beat()
            time.sleep(_POLL_SECONDS)

    def _empty(self, group: int) -> None:
        """Kill what is left of the group; the device is free only when nothing is."""
        while not kill(os.getsid(0), group):
            log.note(f"waiting for the processes of group {group}, which cannot be killed")
            self._beat()

    def _outcome(self, code: int, stopped_by: str | None, no_memory: str | None) -> tuple[str, str | None]:
        if code == EXIT_COMPLETED:
            return COMPLETED, self._remark()
        if stopped_by is not None:
            why = self._failure(code)
            return CANCELLED, stopped_by if why is None else f"{stopped_by} It could not end properly: {why}"
        if code in (EXIT_CANCELLED, -signal.SIGTERM):
            return CANCELLED, reasons.STOPPED_FROM_OUTSIDE
        return FAILED, self._failure(code) or no_memory or reasons.died(code, log.last_words(self._log))

    def _remark(self) -> str | None:
        """Return what the step left to be said of a run that completed; mostly nothing."""
        with contextlib.suppress(OSError):
            return (self._folder / REASON_FILE).read_text().strip() or None
        return None

    def _failure(self, code: int) -> str | None:
        """Return what the step told of its failure by its exit status; None when it told nothing."""
        if code == EXIT_DISK_FULL:
            return reasons.DISK_FULL
        if code != EXIT_FAILED:
            return None
        try:
            return (self._folder / REASON_FILE).read_text().strip()
        except OSError:
            if not self._folder.is_dir():
                return reasons.folder_vanished(self._folder)
            return " | ".join(log.last_words(self._log))

    def _keep_log_short(self) -> None:
        try:
            log.cut(self._log)
        except OSError as error:
            log.note(f"the log cannot be cut: {error}")

    def _beat(self) -> None:
        """Write a sign of life when one is due."""
        if time.monotonic() - self._beaten < self._settings.heartbeat:
            return
        self._beaten = time.monotonic()
        self._told(lambda: self._store.beat(self._run_id))

    def _told(self, write: Callable[[], None]) -> None:
        """Write to the store; the work goes on when that fails."""
        try:
            write()
        except RunError as error:
            log.note(str(error))

    def _end(self, status: str, reason: str | None) -> None:
        """Write the end of the run, again and again while the store cannot be written."""
        log.note(f"{status}{'' if reason is None else ': ' + reason}")
        deadline = time.monotonic() + _END_PATIENCE_SECONDS
        while True:
            try:
                self._store.end(self._run_id, status, reason, self._identity)
                return
            except RunError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)


def _awaited(run: Run) -> str:
    """Return what a queued run waits for: its one GPU by name, else the accelerator."""
    devices = () if run.need is None else run.need.devices
    return devices[0] if len(devices) == 1 and devices[0].startswith(GPU_PREFIX) else f"the {run.device}"
