"""Cores that the work of a run leaves to the pages while a dashboard serves its workspace on the same machine.

The threads of the work stay as many as they are, on fewer cores: how many there are decides in which order TensorFlow
adds, and so the last bits of what is trained. Hence nothing is left before they are there.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cxr_core.served import is_served

#: Fewer are not shared out: the half of two would halve the work, and `niceness` lets the pages go first.
FEWEST = 4
_LOOK_SECONDS = 10.0
_TASKS = Path("/proc/self/task")


def leave_free(count: int, home: Path, is_at_work: Callable[[], bool]) -> None:
    """Keep so many cores free from now on, as long as the workspace is served and the threads of the work are there."""
    if count and hasattr(os, "sched_setaffinity"):
        own = os.sched_getaffinity(0)
        threading.Thread(target=_keep_free, args=(count, own, home, is_at_work), name="free cores", daemon=True).start()


def left_to_work(own: set[int], count: int, served: bool) -> set[int]:
    """Return which of its cores the work has, when it is to leave so many free, never more than half of them."""
    if not served or len(own) < FEWEST:
        return own
    return set(sorted(own)[: -min(count, len(own) // 2)])


def _keep_free(count: int, own: set[int], home: Path, is_at_work: Callable[[], bool]) -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        if is_at_work():
            put_threads_on(left_to_work(own, count, is_served(home)))


def put_threads_on(cores: set[int]) -> None:
    """Let all threads of this process, and those that they start, run on these cores alone."""
    for task in _TASKS.iterdir():
        with suppress(OSError):  # it has ended
            os.sched_setaffinity(int(task.name), cores)
