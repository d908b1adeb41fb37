"""What a model file says of itself, read by a short-lived process with limits.

HDF5 has known flaws in opening crafted files, and anybody may put a file where a list finds it. So the server of the
pages, which holds the data of everybody, opens none: a process that lives for one file does, with little memory and
time, and says a few words in JSON. What it said is kept until the file changes. The command line asks it as well,
of files that it lists or is to load: where HDF5 loops in such a file, a sentence comes.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_core.errors import ModelFileError
from cxr_core.processes import child_environment
from cxr_core.stamps import Stamp, file_stamp

MODULE = "cxr_core.training.weights_probe"
MOST_BYTES, MOST_CPU_SECONDS = 2_000_000_000, 20
_MOST_SECONDS = 60.0
_LARGEST_ANSWER = 2_000_000
_MOST_TOGETHER, _MOST_KEPT = 500, 1000
_Said = dict[str, Any]
_kept: dict[tuple[Path, Stamp], _Said] = {}
_on: list[bool] = []


def open_files_apart() -> None:
    """Let this process open no model file itself from now on."""
    _on[:] = [True]


def is_on() -> bool:
    """Say whether this process opens no model file itself."""
    return bool(_on)


def told(path: Path, what: str) -> Any:
    """Return what a file says: `info`, the fields of its `ModelInfo`, or `tells`, whether they stand in it.

    Raises:
        ModelFileError: why the process could not tell that of the file, or that it crashed or took too long.
    """
    (said,) = _looked_at([path])
    if what not in said:
        raise ModelFileError(str(said["error"]))
    return said[what]


def look_at(paths: Sequence[Path]) -> None:
    """Look at many files in one process, which is quicker than a process for each that is asked for later."""
    _looked_at(paths)


def _looked_at(paths: Sequence[Path]) -> list[_Said]:
    keys = [(path.absolute(), file_stamp(path)) for path in paths]
    found = {key: _kept[key] for key in keys if key in _kept}
    rest = [key for key in dict.fromkeys(keys) if key not in found]
    while rest:
        said = _said([path for path, _ in rest[:_MOST_TOGETHER]])
        found.update(zip(rest, said, strict=False))
        rest = rest[len(said) :]
    if len(_kept) > _MOST_KEPT:
        _kept.clear()
    _kept.update(found)
    return [found[key] for key in keys]


def _said(paths: Sequence[Path]) -> list[_Said]:
    """Return what the first files say; the one at which the process ended is the last."""
    command = [sys.executable, "-m", MODULE, *map(str, paths)]
    try:
        lines = subprocess.run(
            command,
            env=child_environment(),
            capture_output=True,
            timeout=_MOST_SECONDS + len(paths),
            check=False,
            stdin=subprocess.DEVNULL,
        ).stdout.splitlines()
    except subprocess.TimeoutExpired as error:
        lines = (error.stdout or b"").splitlines()
    # One more line than came is of the file that nothing came of.
    return [_answer(path, line) for path, line in zip(paths, [*lines, b""], strict=False)]


def _answer(path: Path, line: bytes) -> _Said:
    try:
        said = json.loads(line[:_LARGEST_ANSWER])
    except ValueError:
        said = {}
    if not isinstance(said, dict) or not said.keys() & {"info", "error"}:
        return {"error": f"The model file {path} could not be looked at safely: it may be damaged. Copy it anew."}
    return said
