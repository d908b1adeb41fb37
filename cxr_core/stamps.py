"""What changes when a file does, so that what was made of it is made anew: also when it is written in place.

A file that another one is renamed to has another inode; one that is written in place (as pandas, R and `cp` do) has
another time, and often another size. The kernel's clock ticks every few milliseconds, so two writes may have one time:
a file that was written a moment ago is looked at again a moment later, and a third write would be seen.
"""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Stamp = tuple[Hashable, ...]

#: Longer than a tick of any kernel's clock (at most 10 ms).
_TICK_SECONDS = 0.02
_MOST_LOOKS = 5
#: What was found within `one_look`.
_FOUND: ContextVar[dict[Hashable, Any] | None] = ContextVar("found", default=None)


def file_stamp(path: Path | str) -> Stamp:
    """Return a file's device, inode, size and times (ns) of its content's and its own last change; () for none."""
    for _ in range(_MOST_LOOKS):
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return ()
        if not 0 <= time.time() - status.st_mtime < _TICK_SECONDS:
            break
        time.sleep(_TICK_SECONDS)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def changed_at(stamp: Stamp) -> float | None:
    """Return when a file's content was changed last, in seconds since 1970, by its stamp; None for no file."""
    return int(str(stamp[3])) / 1e9 if stamp else None


def file_size(stamp: Stamp) -> int:
    """Return how many bytes a file has, by its stamp; 0 for no file."""
    return int(str(stamp[2])) if stamp else 0


@contextmanager
def one_look() -> Iterator[None]:
    """Look at each thing once for all that is asked within: what is drawn together is of one state."""
    if _FOUND.get() is not None:
        yield
        return
    token = _FOUND.set({})
    try:
        yield
    finally:
        _FOUND.reset(token)


def looked(what: Hashable, look: Callable[[], T]) -> T:
    """Return what `look` finds; within `one_look` it is called once for the same `what`."""
    return looked_at([what], lambda _: {what: look()})[what]


def looked_at(whats: Sequence[K], look: Callable[[list[K]], Mapping[K, T]]) -> dict[K, T]:
    """Return what `look` finds of each of several things; within `one_look` it is asked for those that are new."""
    found = _FOUND.get()
    known: dict[Any, Any] = {} if found is None else found
    if new := [what for what in dict.fromkeys(whats) if what not in known]:
        known.update(dict(look(new)))
    return {what: known[what] for what in whats}


def once_a_look(what: Hashable, do: Callable[[], object]) -> None:
    """Do something at the first time within `one_look`, and never outside of one."""
    if _FOUND.get() is not None:
        looked(what, do)
