"""Whether a process ended because the memory ran out: what the kernel counts, and what was written last."""

import contextlib
import re
import resource
import signal
from pathlib import Path

from cxr_core.runs.identity import PROC

_LESS = "Choose a smaller batch size or image size."
HOST_MEMORY = f"The memory of the machine ran out. {_LESS}"
GPU_MEMORY = f"The memory of the GPU ran out. {_LESS}"

_CGROUPS = Path("/sys/fs/cgroup")
#: Python, C++, the loader of shared objects, threads, TensorFlow: how each says that it was refused memory.
_SIGNS = re.compile(
    r"MemoryError|bad_alloc|[Cc]annot allocate memory|failed to map segment|pthread_create\S* failed|[Oo]ut of memory"
    r"|ResourceExhausted|OOM when allocating|can't start new thread"
)
#: How C++ dies when it is given no memory and does not look.
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)
_NEAR = 0.8
_GPU_SIGNS = re.compile(r"CUDA_ERROR_OUT_OF_MEMORY|(?:OOM|[Oo]ut of memory|ResourceExhausted).*GPU|GPU.*OOM")


def memory_reason(words: str) -> str | None:
    """Return the reason that the last words of a process give away, if they tell of memory."""
    if _GPU_SIGNS.search(words):
        return GPU_MEMORY
    return HOST_MEMORY if _SIGNS.search(words) else None


class MemoryWatch:
    """Looks at the memory of a process from beside, as one that runs out of it often ends without a word."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._kills = kills_for_memory()
        self._limit: int | None = None
        self._peak = 0

    def look(self) -> None:
        """Note how much address space the process has taken and may take; Linux only."""
        with contextlib.suppress(OSError, AttributeError):
            soft, _ = resource.prlimit(self._pid, resource.RLIMIT_AS)
            self._limit = None if soft == resource.RLIM_INFINITY else soft
            peak = re.search(r"^VmPeak:\s+(\d+) kB$", (PROC / str(self._pid) / "status").read_text(), re.MULTILINE)
            self._peak = 1024 * int(peak[1]) if peak else self._peak

    def reason(self, code: int) -> str | None:
        """Return the reason of a process that ended with this exit status (-n: by signal n), if it was memory."""
        if code == -signal.SIGKILL and kills_for_memory() != self._kills:
            return HOST_MEMORY
        if -code in _CRASHES and self._limit is not None and self._peak >= _NEAR * self._limit:
            return f"The memory ran out: {self._limit / 1e9:,.1f} GB are allowed (RLIMIT_AS). {_LESS}"
        return None


def kills_for_memory() -> tuple[int, ...]:
    """Return how many processes the kernel has killed for memory, on this machine and in this process's cgroup.

    Where a figure has risen while a process was killed by SIGKILL, the memory ran out.
    """
    return tuple(_counted(path) for path in (PROC / "vmstat", *_event_files()))


def _event_files() -> list[Path]:
    """Return the files in which version 2 and version 1 of the kernel's control groups count."""
    try:
        lines = (PROC / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    files = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            files.append(_CGROUPS / path.strip("/") / "memory.events")
        elif "memory" in controllers.split(","):
            files.append(_CGROUPS / "memory" / path.strip("/") / "memory.oom_control")
    return files


def _counted(path: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0
