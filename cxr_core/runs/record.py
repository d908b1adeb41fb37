"""What a supervising process writes of its run: signs of life, and the end; the work goes on when that fails."""

import time
from collections.abc import Callable

from cxr_core.errors import RunError, UnknownNameError
from cxr_core.runs import log
from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore

#: How long the end of a run is tried to be written when the store cannot be used, as on a full disk.
_END_PATIENCE_SECONDS = 600.0


class RunRecord:
    """The row of one run, as the process that looks after it sees and writes it."""

    def __init__(self, store: RunStore, run_id: str, identity: ProcessIdentity, heartbeat: float) -> None:
        self._store = store
        self._run_id = run_id
        self._identity = identity
        self._heartbeat = heartbeat
        self._beaten = 0.0

    def mine(self, *statuses: str) -> Run | None:
        """Return the run, if it has one of these statuses and is still looked after by this process."""
        try:
            run = self._store.get(self._run_id)
        except UnknownNameError:
            return None
        return run if run.status in statuses and run.supervisor == self._identity else None

    def beat(self) -> None:
        """Write a sign of life when one is due."""
        if time.monotonic() - self._beaten < self._heartbeat:
            return
        self._beaten = time.monotonic()
        self.told(lambda: self._store.beat(self._run_id))

    def told(self, write: Callable[[], object]) -> None:
        """Write to the store; the work goes on when that fails."""
        try:
            write()
        except RunError as error:
            log.note(str(error))

    def end(self, status: str, reason: str | None) -> bool:
        """Write the end of the run, again and again while the store cannot be written; False when it is another's."""
        log.note(f"{status}{'' if reason is None else ': ' + reason}")
        deadline = time.monotonic() + _END_PATIENCE_SECONDS
        while True:
            try:
                return self._store.end(self._run_id, status, reason, self._identity)
            except RunError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1.0)
