"""Who did what and when, in one file that is only ever appended to.

Each line is JSON with a seal: the SHA-256 of the seal before it and of its own text. A line that is changed, left out
or put elsewhere breaks the chain at that place, and `broken_at` tells where; that the last lines are gone cannot be
told from the file. Names of things stand in it (a source, a run, a model), no patient and no path of an image.
"""

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cxr_core.atomic import disk_errors
from cxr_core.caller import caller
from cxr_core.settings import settings
from cxr_core.workspace import make_folder

JOURNAL_FILE = "journal.jsonl"
_SEAL = "seal"
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True)
class Deed:
    """One line: when (ISO 8601, UTC), who, on which machine, what was done, and to what."""

    when: str
    who: str
    host: str
    what: str
    about: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints."""
        return {"when": self.when, "who": self.who, "host": self.host, "what": self.what, "about": self.about}


def note_deed(what: str, **about: Any) -> None:
    """Append what the caller does now.

    Args:
        what: as in "run started".
        about: names of what it was done to, as JSON values.

    In a workspace that is read-only nothing is done that would have to be noted, and nothing is noted.

    Raises:
        CxrError: the disk is full, or the file may not be written.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    deed = Deed(now, caller().name, socket.gethostname(), what, about)
    path = _path()
    if path.parent.exists() and not os.access(path.parent, os.W_OK):
        return
    with disk_errors(path):
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, _line(descriptor, deed))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def deeds(who: str = "", what: str = "", since: str = "", text: str = "") -> Iterator[Deed]:
    """Yield what was done, the oldest first.

    Args:
        who: only by this person.
        what: only what begins with these words, as "run" or "run deleted".
        since: only at this time or later; the beginning of an ISO 8601 time in UTC will do, as "2026-11".
        text: words that must all occur somewhere in the line.
    """
    words = text.lower().split()
    for line in _lines():
        if words and not all(word in line.decode(errors="replace").lower() for word in words):
            continue
        deed = _deed(line)
        if deed is not None and who in ("", deed.who) and deed.what.startswith(what) and deed.when >= since:
            yield deed


def broken_at() -> int | None:
    """Return the number of the first line, from 1, that is not as it was written; None where all are."""
    before = ""
    for number, line in enumerate(_lines(), start=1):
        said = _parsed(line)
        if said is None or said.pop(_SEAL, None) != (before := _sealed(before, said)):
            return number
    return None


def _path() -> Path:
    return settings().home / JOURNAL_FILE


def _line(descriptor: int, deed: Deed) -> bytes:
    """Return a deed as the line that follows the last; a last line that a crash has torn is ended first."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    torn = bool(tail) and not tail.endswith(b"\n")
    last = _parsed(tail.splitlines()[-1]) if tail else None
    said = deed.as_json()
    seal = _sealed(str((last or {}).get(_SEAL, "")), said)
    line = json.dumps(said | {_SEAL: seal}, ensure_ascii=False).encode() + b"\n"
    return b"\n" + line if torn else line


def _sealed(before: str, said: dict[str, Any]) -> str:
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _lines() -> Iterator[bytes]:
    try:
        with _path().open("rb") as file:
            yield from (line for line in file if line.strip())
    except FileNotFoundError:
        return


def _deed(line: bytes) -> Deed | None:
    said = _parsed(line)
    try:
        return None if said is None else Deed(*(said[name] for name in ("when", "who", "host", "what", "about")))
    except KeyError:
        return None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
