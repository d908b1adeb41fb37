"""On whose behalf something is done: on the command line the operating system's user, in a run who started it."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_caller: ContextVar[str | None] = ContextVar("caller", default=None)
_finders: list[Callable[[], str | None]] = []


def caller() -> str:
    """Return who acts in this thread: as handed in, else as the face that serves persons knows, else the user."""
    handed_in = _caller.get()
    if handed_in is not None:
        return handed_in
    found = (find() for find in _finders)
    return next((name for name in found if name), None) or system_user()


@contextmanager
def acting_for(name: str) -> Iterator[None]:
    """Let what is done within be done by `name`."""
    before = _caller.set(name)
    try:
        yield
    finally:
        _caller.reset(before)


def found_by(find: Callable[[], str | None]) -> None:
    """Ask `find` who acts wherever nobody was handed in; it returns None where it does not know."""
    _finders[:] = [find]


def system_user() -> str:
    """Return the name of the user as whom this process runs."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"
