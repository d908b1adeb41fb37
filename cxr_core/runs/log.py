"""The log of a run: written by all its processes, of which any line may be the last, and any may be endless."""

import os
import sys
from datetime import datetime
from pathlib import Path

from cxr_core.runs.metrics import tail

LOG_FILE = "log.txt"

#: A longer log is cut to its beginning and its end.
MOST_BYTES = 32 * 1024 * 1024
_KEPT_HEAD_BYTES = 256 * 1024
_KEPT_TAIL_BYTES = 4 * 1024 * 1024

_MARK = "[run] "
_STARTED = f"{_MARK}started process"
_READ_BYTES = 16_000
_MOST_LINE_CHARACTERS = 300


def note(text: str) -> None:
    """Write a line of the supervisor to the log of its run, which is this process's standard output."""
    try:
        sys.stdout.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {_MARK}{text}\n")
        sys.stdout.flush()
    except OSError:  # a full disk must not keep the end of the run from being written
        return


def note_start(pid: int) -> None:
    """Write that the process of the run has been started: what follows is of this attempt."""
    note(f"{_STARTED.removeprefix(_MARK)} {pid}")


def last_words(log: Path, lines: int = 3) -> list[str]:
    """Return the last lines that the work itself wrote in the attempt before, long ones cut, empty ones left out."""
    text = tail(log, _READ_BYTES)
    if _STARTED in text:
        text = text.rpartition(_STARTED)[2].partition("\n")[2]
    written = [line.strip() for line in text.splitlines() if line.strip() and _MARK not in line]
    return [_clipped(line) for line in written[-lines:]]


def cut(log: Path, most_bytes: int = MOST_BYTES) -> None:
    """Cut a log that has grown beyond `most_bytes` to its beginning and end.

    In place, because its writers hold it open; they append, so that they go on behind what is kept here. What they
    write in between is lost.
    """
    size = log.stat().st_size
    if size <= most_bytes:
        return
    with log.open("r+b") as file:
        file.seek(-_KEPT_TAIL_BYTES, os.SEEK_END)
        end = file.read()
        file.truncate(_KEPT_HEAD_BYTES)
    with log.open("ab") as file:
        left_out = size - _KEPT_HEAD_BYTES - len(end)
        file.write(f"\n{_MARK}{left_out:,} bytes of the log were left out here\n".encode() + end)


def _clipped(line: str) -> str:
    return line if len(line) <= _MOST_LINE_CHARACTERS else line[: _MOST_LINE_CHARACTERS - 1] + "…"
