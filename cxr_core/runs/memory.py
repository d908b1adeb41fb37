"""Whether a process ended because the memory ran out: what the kernel counts, and what was written last."""

import re
from pathlib import Path

from cxr_core.runs.identity import PROC

HOST_MEMORY = "The memory of the machine ran out. Choose a smaller batch size or image size, or free some memory."
GPU_MEMORY = "The memory of the GPU ran out. Choose a smaller batch size or image size."

_CGROUPS = Path("/sys/fs/cgroup")
#: Python, C++, the loader of shared objects, threads, TensorFlow: how each says that it was refused memory.
_SIGNS = re.compile(
    r"MemoryError|bad_alloc|[Cc]annot allocate memory|failed to map segment|pthread_create\S* failed|[Oo]ut of memory"
    r"|ResourceExhausted|OOM when allocating|can't start new thread"
)
_GPU_SIGNS = re.compile(r"CUDA_ERROR_OUT_OF_MEMORY|(?:OOM|[Oo]ut of memory|ResourceExhausted).*GPU|GPU.*OOM")


def memory_reason(words: str) -> str | None:
    """Return the reason that the last words of a process give away, if they tell of memory."""
    if _GPU_SIGNS.search(words):
        return GPU_MEMORY
    return HOST_MEMORY if _SIGNS.search(words) else None


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
