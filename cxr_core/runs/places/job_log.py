"""What a job prints, brought into the log of its run here, behind what the supervisor notes there."""

import contextlib
import json
from pathlib import Path

from cxr_core.atomic import write_text
from cxr_core.runs.log import LOG_FILE

_OFFSET_FILE = "job-log.json"
#: Of more, at one look, only the end is brought: a log is for its last words.
_MOST_BYTES = 4 * 1024 * 1024


def bring_log(there: Path, folder: Path, leg: int) -> None:
    """Append what a job has printed since the last look to the log of its run; `OSError` on a full disk."""
    if not there.is_file():
        return
    size = there.stat().st_size
    begin = _offset(folder, leg)
    if size <= begin:
        return
    start = max(begin, size - _MOST_BYTES)
    with there.open("rb") as source:
        source.seek(start)
        content = source.read(size - start)
    if start > begin:
        content = f"\n[run] {start - begin:,} bytes of the log were left out here\n".encode() + content
    with (folder / LOG_FILE).open("ab") as log:
        log.write(content)
    write_text(folder / _OFFSET_FILE, json.dumps({"leg": leg, "offset": size}))


def _offset(folder: Path, leg: int) -> int:
    """Return up to where the log of this leg was brought."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads((folder / _OFFSET_FILE).read_text())
        return int(kept["offset"]) if kept["leg"] == leg else 0
    return 0
