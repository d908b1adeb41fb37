"""A bound on the memory that this process may take for a piece of work, so that it ends with a sentence in good time.

The system refuses address space far beyond the bound, which ends what asks for it at once; a thread watches what is
really used and ends the process at the bound, since libraries that are given no memory often die without a word.
"""

import contextlib
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator

import psutil

from cxr_core.errors import TableError
from cxr_core.settings import settings

#: What libraries reserve and do not use: arenas, stacks of threads.
_RESERVED = 2_000_000_000
_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def import_memory(end: Callable[[str], object]) -> Iterator[None]:
    """Do an import within the setting `import_memory`.

    Args:
        end: called in another thread with the reason when the bound is passed; it ends the process.

    Raises:
        TableError: memory was refused.
    """
    most, process, done = settings().import_memory, psutil.Process(), threading.Event()
    before = process.memory_info()
    reason = (
        f"The import needs more than {most / 1e9:,.1f} GB of memory, and was given up; nothing was changed. Import the "
        "file in parts, or allow more with CXR_IMPORT_MEMORY."
    )

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if process.memory_info().rss - before.rss > most:
                end(reason)
                return

    threading.Thread(target=watch, name="memory of the import", daemon=True).start()
    try:
        with _address_space(before.vms + most + _RESERVED):
            yield
    except MemoryError as error:
        raise TableError(reason) from error
    finally:
        done.set()


def end_with_line(reason: str) -> None:
    """End a command as a mistake of the user ends it: with one line, and exit status 2."""
    sys.stderr.write(reason + "\n")
    sys.stderr.flush()
    os._exit(2)


@contextlib.contextmanager
def _address_space(most: int) -> Iterator[None]:
    """Let this process take no more address space; a stricter limit of the system's stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = [limit for limit in (soft, hard, most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(*allowed, 2**62), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
