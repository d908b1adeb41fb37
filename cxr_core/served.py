"""Whether a dashboard serves a workspace from this machine: each holds a lock on one file as long as it does."""

import fcntl
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path


@contextmanager
def serving(home: Path) -> Iterator[None]:
    """Let it be known meanwhile that the workspace is served; several may serve it, and a kill ends it as well."""
    with ExitStack() as held:
        with suppress(OSError):  # a workspace that can only be read has no runs at work
            file = held.enter_context(_file(home).open("a"))
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_served(home: Path) -> bool:
    """Say whether somebody serves the workspace from this machine now."""
    with suppress(OSError), _file(home).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _file(home: Path) -> Path:
    # A file for each machine: the lock of a shared disk may reach to others.
    return home / f"served-{socket.gethostname()}.lock"
