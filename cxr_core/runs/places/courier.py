"""The process at a place that shares no disk with here: it carries a job's folder between an object store and the step.

The step works on a disk of its own as if it were shared. The courier loads little, so that it goes on while the step is
inside TensorFlow, tells of a step that was killed, and outlives a store that is away for a while.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cxr_core.errors import CxrError
from cxr_core.runs.places.cloud_folder import claim_name, claimed_by, goods_listing, object_of, work_listing
from cxr_core.runs.places.job_folder import END_FILE, ORDER_FILE, STOP_FILE
from cxr_core.runs.places.listing import Listing, from_bytes
from cxr_core.runs.places.object_folder import ObjectFolder
from cxr_core.runs.places.receiving import Receiver
from cxr_core.runs.places.script import COURIER_VARIABLE, JOB_VARIABLE, STEP_THERE
from cxr_core.runs.places.sending import Sender
from cxr_core.runs.places.step_there import EXIT_NOT_MINE

_LOOK_SECONDS, _SEND_SECONDS = 1.0, 3.0
#: For how long the last of a run is tried to be sent: what is not sent is lost.
_LAST_SECONDS = 900.0


def carry(run_id: str, leg: str, location: str) -> int:
    """Take a leg of a run, let a step do it, and return the exit status of the step."""
    courier = _Courier(run_id, int(leg), ObjectFolder(location))
    try:
        return courier.work()
    except CxrError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        shutil.rmtree(courier.scratch, ignore_errors=True)


class _Courier:
    def __init__(self, run_id: str, leg: int, store: ObjectFolder) -> None:
        self._run_id = run_id
        self._leg = leg
        self._store = store
        self._nonce = os.urandom(8).hex()
        self.scratch = Path(tempfile.mkdtemp(prefix=f"cxr-{run_id}-"))
        self._folder = self.scratch / run_id
        self._folder.mkdir()
        self._sender = Sender(self._folder, store, work_listing(leg, self._nonce))
        self._said = ""

    def work(self) -> int:
        """Claim the leg, bring what it needs, and look after its step until that has ended."""
        if not self._began():
            sys.stdout.write(
                f"Another job has leg {self._leg} of run {self._run_id}, or it is over: nothing is done.\n"
            )
            return EXIT_NOT_MINE
        command = [sys.executable, "-m", "cxr_core", STEP_THERE, self._run_id, str(self._leg), str(self._folder)]
        step = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"CXR_HOME": str(self._folder), COURIER_VARIABLE: str(os.getpid())},
            process_group=0,
        )
        signal.signal(signal.SIGTERM, lambda *_: _tell(step, signal.SIGTERM))
        reader = threading.Thread(target=self._print, args=(step,), daemon=True)
        reader.start()
        sent_at = 0.0
        while step.poll() is None:
            if not self._looked():
                _tell(step, signal.SIGKILL)
                return EXIT_NOT_MINE
            if time.monotonic() - sent_at >= _SEND_SECONDS:
                sent_at = time.monotonic()
                self._tried(lambda: self._sender.send({END_FILE}))
            with contextlib.suppress(subprocess.TimeoutExpired):
                step.wait(_LOOK_SECONDS)
        reader.join(_LOOK_SECONDS)  # a worker of the step may hold the pipe open
        _tell(step, signal.SIGKILL)
        self._send_last()
        return step.returncode if step.returncode >= 0 else 128 - step.returncode

    def _began(self) -> bool:
        """Take the leg, and bring what it needs; False when another job of the engine has it, or it is over."""
        order = object_of(self._store.read(ORDER_FILE))
        if order.get("leg") != self._leg:
            return False
        job = os.environ.get(JOB_VARIABLE, "")
        claim = json.dumps({"job": job, "nonce": self._nonce, "workspace": str(self._folder)}).encode()
        goods = self._listing(goods_listing(self._leg))
        if self._store.create(claim_name(self._leg), claim):
            self._receive(goods)
            self._sender.knows(goods)
            self._sender.send()
            return True
        other = self._store.read(claim_name(self._leg))
        if object_of(other).get("job", job) != job:
            return False
        # The engine has started its job again, as after the loss of its machine: the leg goes on where that was.
        left = self._listing(work_listing(self._leg, claimed_by(other) or ""))
        self._receive(left or goods)
        self._sender.knows({path: file for path, file in left.items() if goods.get(path) == file} if left else goods)
        self._sender.send({END_FILE})
        self._store.write(claim_name(self._leg), claim)
        return True

    def _receive(self, listing: Listing) -> None:
        notes = self.scratch / "received.json"
        Receiver(self._store, self._folder, notes).receive(listing, lambda path, _file: path != END_FILE)

    def _listing(self, name: str) -> Listing:
        return from_bytes(self._store.read(name), f"{self._store.location}/{name}")

    def _looked(self) -> bool:
        """Hand on the flag to stop, and say whether the leg is still this process's, as far as the store tells."""
        with contextlib.suppress(CxrError, OSError):
            flag = self._store.read(STOP_FILE)
            if flag is not None:
                (self._folder / STOP_FILE).write_bytes(flag)
            claim, order = self._store.read(claim_name(self._leg)), object_of(self._store.read(ORDER_FILE))
            return claimed_by(claim) in (None, self._nonce) and order.get("leg", self._leg) == self._leg
        return True

    def _print(self, step: "subprocess.Popen[bytes]") -> None:
        """Write what the step prints to the log of the job, and to that of the engine; a full disk stops neither."""
        assert step.stdout is not None
        for line in step.stdout:
            with contextlib.suppress(OSError), (self._folder / "job.log").open("ab") as log:
                log.write(line)
            with contextlib.suppress(OSError):
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()

    def _send_last(self) -> None:
        """Send all that the step has left, its end among it; for a store that is away it is tried for some time."""
        deadline = time.monotonic() + _LAST_SECONDS
        while not self._tried(self._sender.send) and time.monotonic() < deadline and self._looked():
            time.sleep(_SEND_SECONDS)

    def _tried(self, send: Callable[[], object]) -> bool:
        try:
            send()
        except (CxrError, OSError) as error:
            if str(error) != self._said:
                self._said = str(error)
                sys.stderr.write(f"{error}\n")
            return False
        return True


def _tell(step: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to the step and to all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(step.pid, number)
