"""The folder of a job that lies on an object store, as this side has it: a mirror on the disk here.

Order and flag go there as objects of their own, the goods as a folder. What comes back is that of the one process whose
claim lies there: each writes below names of its own, so that one which was thought dead writes over nothing.
"""

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from cxr_core.errors import CxrError, StorageError
from cxr_core.runs.metrics import METRICS_FILE
from cxr_core.runs.places.definition import MIRROR_NOTES
from cxr_core.runs.places.job_folder import ORDER_FILE, STOP_FILE, JobFolder
from cxr_core.runs.places.listing import Listing, StoredFile, from_bytes
from cxr_core.runs.places.object_folder import ObjectFolder
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.receiving import Receiver
from cxr_core.runs.places.sending import Sender
from cxr_core.runs.run import Run

_LOOK_SECONDS = 1.0
#: Larger files come at the end, but for the figures and the log.
_SMALL_BYTES = 1_000_000
_NONCE = re.compile(r"[0-9a-f]{8,64}")


def goods_listing(leg: int) -> str:
    """Return the name of the listing of what a leg takes along."""
    return f"goods-{leg}.json"


def work_listing(leg: int, nonce: str) -> str:
    """Return the name of the listing of what a process leaves, which has the leg under this nonce."""
    return f"work-{leg}-{nonce}.json"


def claim_name(leg: int) -> str:
    """Return the name of the object that tells which process has a leg."""
    return f"claim-{leg}"


class CloudJobFolder(JobFolder):
    """The folder of one leg of a run on an object store; its `path` is the mirror here."""

    def __init__(self, job: Job) -> None:
        """Take a job that has a location; `PlaceError` when what reads it is not installed."""
        super().__init__(job)
        self._store = ObjectFolder(job.location)
        self._receiver = Receiver(self._store, self.path, self.path.with_name(MIRROR_NOTES))
        self._looked = -_LOOK_SECONDS
        self._trouble = ""

    def write_order(self, run: Run, version: str) -> None:
        """Send the goods, and the order last: what begins there has all that it needs."""
        super().write_order(run, version)
        Sender(self.path, self._store, goods_listing(self.job.leg)).send()
        self._store.write(ORDER_FILE, (self.path / ORDER_FILE).read_bytes())

    def ask_to_stop(self) -> bool:
        """Ask this leg to stop; False when the store does not take the flag now."""
        try:
            self._store.write(STOP_FILE, str(self.job.leg).encode())
        except CxrError:
            return False
        return super().ask_to_stop()

    def refresh(self) -> str:
        """Bring what is small, the figures and the log, about once a second; return what hindered it, "" if nothing."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            try:
                self._receiver.receive(self._listing(), _is_wanted_soon)
                self._trouble = ""
            except CxrError as error:
                self._trouble = str(error)
            self._looked = time.monotonic()
        return self._trouble

    def bring_all(self, beat: Callable[[], None]) -> None:
        """Bring all that the work has left; raises `CxrError` where that is not to be had now."""
        listing = self._listing()
        self._receiver.receive(listing, lambda path, _file: not _is_ours(path), beat)
        if listing:
            self._receiver.drop_others(listing)

    def remove(self) -> None:
        """Remove what is left of the run on the store, then the mirror."""
        with contextlib.suppress(StorageError):
            self._store.remove(self._store.names())
        super().remove()

    def _listing(self) -> Listing:
        """Return what the process that has the leg leaves; an empty listing before it has begun."""
        claim = self._store.read(claim_name(self.job.leg))
        if claim is None:
            return {}
        nonce = claimed_by(claim)
        self.path_there = str(object_of(claim).get("workspace"))
        if nonce is None:
            raise StorageError(f"{self._store.location}/{claim_name(self.job.leg)} is no claim of a run.")
        name = work_listing(self.job.leg, nonce)
        return from_bytes(self._store.read(name), f"{self._store.location}/{name}")


def claimed_by(claim: bytes | None) -> str | None:
    """Return the nonce of the process whose claim this is; None where it is none."""
    nonce = object_of(claim).get("nonce", "")
    return nonce if isinstance(nonce, str) and _NONCE.fullmatch(nonce) else None


def object_of(content: bytes | None) -> dict[str, Any]:
    """Return the JSON object that was read; an empty one where there was none, or something else."""
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_ours(path: str) -> bool:
    """Say whether only this side writes a file."""
    return path in (ORDER_FILE, STOP_FILE)


def _is_wanted_soon(path: str, file: StoredFile) -> bool:
    is_grown = PurePosixPath(path).name in (METRICS_FILE, "job.log")
    return not _is_ours(path) and (is_grown or file.size <= _SMALL_BYTES)
