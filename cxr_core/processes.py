"""Worker processes: how many a machine bears, what they inherit, and that none outlives the one that started it."""

import multiprocessing
import os
import threading
from pathlib import Path

import cxr_core
from cxr_core.settings import CONFIG_VARIABLE, config_path, settings


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """Let this worker end when its parent is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def child_environment() -> dict[str, str]:
    """Return this process's environment, with what depends on the working directory made absolute, for a child."""
    packages = str(Path(cxr_core.__file__).absolute().parents[1])
    pinned = {
        "CXR_HOME": str(settings().home),
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
        "PYTHONSAFEPATH": "1",  # a file in the working directory must not shadow a module
        "PYTHONUNBUFFERED": "1",
    }
    if config_path().exists():
        pinned[CONFIG_VARIABLE] = str(config_path())
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # what the user set wins
    return quiet | dict(os.environ) | pinned
