"""What each person's questions were billed today, in bytes: a file a day, a line a question, only ever appended to.

A question counts with its estimate before it runs, so that two at once cannot both pass, and with what it was billed
once that is known. The day is that of UTC, and what is kept of the days before is nobody's concern.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cxr_core.atomic import disk_errors
from cxr_core.caller import caller, logged_in
from cxr_core.errors import UsageError
from cxr_core.settings import settings
from cxr_core.workspace import make_folder

FOLDER = "billed"


@contextlib.contextmanager
def billed_to_caller(estimated: int) -> Iterator[Callable[[int], None]]:
    """Let a question run that is estimated to be billed so many bytes; what it yields is told what it was billed.

    One that fails counts with its estimate, since it may have been billed.

    Raises:
        UsageError: whoever acts logged in and would be above the setting `bytes_billed_per_day`.
        CxrError: the disk is full, or the file may not be written.
    """
    limit = settings().bytes_billed_per_day
    if not limit or not logged_in():
        yield lambda billed: None
        return
    who, file = caller().name, settings().home / FOLDER / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
    with _held(file) as descriptor:
        before = sum(said["bytes"] for said in _lines(descriptor) if said["who"] == who)
        if before + estimated > limit:
            raise UsageError(
                f"The questions of one person may be billed {limit:,} bytes a day (setting bytes_billed_per_day). "
                f"Yours were {before:,} today, and this one would read {estimated:,}. Go on tomorrow, or ask an admin."
            )
        _append(descriptor, who, estimated)

    def was(billed: int) -> None:
        with _held(file) as descriptor:
            _append(descriptor, who, billed - estimated)

    yield was


@contextlib.contextmanager
def _held(file: Path) -> Iterator[int]:
    """Hold the file of a day for this process alone."""
    with disk_errors(file):
        make_folder(file.parent)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _append(descriptor: int, who: str, n_bytes: int) -> None:
    os.write(descriptor, json.dumps({"who": who, "bytes": n_bytes}).encode() + b"\n")


def _lines(descriptor: int) -> Iterator[dict[str, Any]]:
    """Yield what stands in the file; a line that a crash has torn counts for nobody."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        for line in file:
            with contextlib.suppress(ValueError):
                yield json.loads(line)
