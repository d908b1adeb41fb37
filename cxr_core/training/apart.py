"""What a model file says of itself, read by a short-lived process with limits.

HDF5 has known flaws in opening crafted files, and anybody may put a file where a list finds it. So the server of the
pages, which holds the data of everybody, opens none: a process that lives for one file does, with little memory and
time, and says a few words in JSON. What it said is kept until the file changes.
"""

import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from cxr_core.errors import ModelFileError
from cxr_core.processes import child_environment
from cxr_core.stamps import Stamp, file_stamp

MODULE = "cxr_core.training.weights_probe"
MOST_BYTES, MOST_CPU_SECONDS = 2_000_000_000, 20
_MOST_SECONDS = 60.0
_LARGEST_ANSWER = 2_000_000
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
    said = _told(path.absolute(), file_stamp(path))
    if what not in said:
        raise ModelFileError(str(said["error"]))
    return said[what]


@lru_cache(maxsize=1000)
def _told(path: Path, _content: Stamp) -> dict[str, Any]:
    command = [sys.executable, "-m", MODULE, str(path)]
    try:
        done = subprocess.run(
            command,
            env=child_environment(),
            capture_output=True,
            timeout=_MOST_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        said = json.loads(done.stdout[:_LARGEST_ANSWER]) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        said = {}
    if not isinstance(said, dict) or not said.keys() & {"info", "error"}:
        return {"error": f"The model file {path} could not be looked at safely: it may be damaged. Copy it anew."}
    return said
