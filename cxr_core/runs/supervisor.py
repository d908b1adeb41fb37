"""The process that looks after one run: waits for its turn, starts the step, gives signs of life, writes the end."""

import shutil
import signal
import time
from types import FrameType

from cxr_core.errors import RunError
from cxr_core.runs import leftovers, log, reasons
from cxr_core.runs.identity import own_identity
from cxr_core.runs.lanes import GPU_PREFIX
from cxr_core.runs.outcome import Outcome, outcome
from cxr_core.runs.places.here import Here
from cxr_core.runs.places.place import JobState
from cxr_core.runs.queue import Turn
from cxr_core.runs.reconcile import reconcile
from cxr_core.runs.record import RunRecord
from cxr_core.runs.run import CANCELLED, FAILED, QUEUED, RUNNING, Run
from cxr_core.runs.store import RunStore
from cxr_core.settings import Settings
from cxr_core.words import counted

_POLL_SECONDS = 0.25
#: The farther back in the queue, the less often a run asks whether it is its turn.
_LONGEST_POLL_SECONDS = 2.0


class Supervisor:
    """Looks after one run until it has ended."""

    def __init__(self, store: RunStore, run_id: str, settings: Settings) -> None:
        self._store = store
        self._run_id = run_id
        self._settings = settings
        self._folder = store.run_folder(run_id)
        self._log = self._folder / log.LOG_FILE
        self._identity = own_identity()
        self._record = RunRecord(store, run_id, self._identity, settings.heartbeat)
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
                ended = self._step(devices)
            except OSError as error:
                ended = FAILED, f"The process of the run could not be started: {error}."
            self._record.end(*ended)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = number

    def _await_turn(self) -> tuple[str, ...] | None:
        """Return the devices of the run once it is running; None when it was cancelled or removed before."""
        together = self._settings.runs_per_device
        while True:
            poll = _POLL_SECONDS
            try:
                if self._signal is not None:
                    self._record.end(CANCELLED, self._signal_reason())
                run = self._record.mine(QUEUED)
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
            self._record.beat()
            time.sleep(poll)

    def _wait_behind(self, turn: Turn, run: Run) -> None:
        """See that whoever is before this run lives, and say for what it waits."""
        for other in turn.watched:
            reconcile(self._store, other)
        ahead = turn.queued + turn.running
        message = f"waiting for {_awaited(run)}: {counted(ahead, 'run')} ahead"
        if ahead and message != run.message:
            self._store.progress(self._run_id, {"message": message})

    def _step(self, devices: tuple[str, ...]) -> Outcome:
        """Do the work in another process, and return the status and the reason of the run.

        TensorFlow leaves temporary files when its process is killed or ends at once: they go with their folder.
        """
        scratch = leftovers.scratch_folder(self._run_id)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        try:
            return self._accompany(Here(self._run_id, self._log, scratch, devices))
        finally:
            leftovers.remove(self._store.home, self._run_id)

    def _accompany(self, step: Here) -> Outcome:
        """Wait for the step, and return the status and the reason of the run."""
        identity = step.identity
        if identity is not None:
            self._record.told(lambda: self._store.set_process(self._run_id, identity))
        log.note_start(step.group)
        stopped_by = None
        while step.state().state is JobState.RUNNING:
            stopped_by = self._why_stop()
            if stopped_by is not None:
                self._stop(step)
                break
            self._record.beat()
            self._keep_log_short()
            time.sleep(_POLL_SECONDS)
        self._empty(step)
        code = step.status()
        return outcome(code, self._folder, stopped_by, step.out_of_memory(code))

    def _why_stop(self) -> str | None:
        """Return the reason to stop the step, or None."""
        if self._signal is not None:
            return self._signal_reason()
        try:
            run = self._record.mine(RUNNING)
        except RunError as error:
            log.note(str(error))
            return None
        if run is None:
            return reasons.REMOVED
        return reasons.CANCELLED_BY_USER if run.cancel_requested else None

    def _signal_reason(self) -> str:
        return f"Stopped by {signal.Signals(self._signal or 0).name}, sent to its supervising process."

    def _stop(self, step: Here) -> None:
        """Ask the step to stop, and give it time for a checkpoint."""
        log.note("asking the process to stop")
        step.ask_to_stop()
        deadline = time.monotonic() + self._settings.cancel_grace
        while step.state().state is JobState.RUNNING and time.monotonic() < deadline:
            self._record.beat()
            time.sleep(_POLL_SECONDS)

    def _empty(self, step: Here) -> None:
        """Kill what is left of the step; the device is free only when nothing is."""
        while not step.stop():
            log.note(f"waiting for the processes of group {step.group}, which cannot be killed")
            self._record.beat()

    def _keep_log_short(self) -> None:
        try:
            log.cut(self._log)
        except OSError as error:
            log.note(f"the log cannot be cut: {error}")


def _awaited(run: Run) -> str:
    """Return what a queued run waits for: its one GPU by name, else the accelerator."""
    devices = () if run.need is None else run.need.devices
    return devices[0] if len(devices) == 1 and devices[0].startswith(GPU_PREFIX) else f"the {run.device}"
