"""The metric rows of a run: JSON lines, one write a line, so that a reader sees whole rows while the run goes on."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_core.atomic import disk_errors

METRICS_FILE = "metrics.jsonl"


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append one row. Figures that are not finite are written as null, since JSON knows no NaN.

    Raises:
        CxrError: the disk is full, or the file may not be written.
    """
    line = json.dumps({key: finite(value) for key, value in row.items()}, allow_nan=False) + "\n"
    with disk_errors(path), path.open("ab", buffering=0) as file:
        file.write(line.encode())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return all whole rows; a last line that is still being written, or was torn by a crash, is left out."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    rows = (_parsed(line) for line in content.split(b"\n")[:-1])
    return [row for row in rows if row is not None]


def cut_metrics(path: Path, step: int, epoch: int) -> None:
    """Drop the rows that a checkpoint does not know, and a last half row, from a file with one JSON object a line.

    These are the rows after `step`, and validation rows of epochs beyond the `epoch` complete ones. The file is
    shortened in place, because whoever appends to it may hold it open.
    """
    if not path.exists():
        return
    kept = 0
    with path.open("rb") as file:
        for line in file:
            if not _is_known(line, step, epoch):
                break
            kept += len(line)
    os.truncate(path, kept)


def tail(path: Path, most_bytes: int) -> str:
    """Return the end of a text file, from a line's start, reading at most `most_bytes` of it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most_bytes))
            content = file.read()
    except FileNotFoundError:
        return ""
    if size > most_bytes:
        content = content.partition(b"\n")[2] or content
    return content.decode(errors="replace")


def finite(value: Any) -> Any:
    """Return a float that JSON can hold, None for NaN and infinities, a list of such, and anything else as it is."""
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _is_known(line: bytes, step: int, epoch: int) -> bool:
    try:
        row = json.loads(line)
        validated = any(name.endswith("val_loss") for name in row)
        return line.endswith(b"\n") and row["step"] <= step and (not validated or row["epoch"] <= epoch)
    except (ValueError, KeyError, TypeError):
        return False
