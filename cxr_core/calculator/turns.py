"""One question at a time, in the order in which they came; whoever waits hears how many are before his."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cxr_core.errors import UsageError
from cxr_core.progress import tell_place

#: Seconds between two looks at whether anybody still waits.
_LOOK_SECONDS = 0.2


class Turns:
    """A line of at most `most` who wait, besides the one whose turn it is; safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._line: list[object] = []
        self._moved = threading.Condition()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until all who came before have ended, and let nobody else in meanwhile.

        Raises:
            UsageError: as many wait as may.
        """
        own = object()
        with self._moved:
            if len(self._line) > self._most:
                raise UsageError(
                    f"{self._most} long questions wait for this server already, and no more may. Ask again in a minute."
                )
            self._line.append(own)
        try:
            while before := self._before(own):
                tell_place(before)
                with self._moved:
                    self._moved.wait(_LOOK_SECONDS)
            yield
        finally:
            with self._moved:
                self._line.remove(own)
                self._moved.notify_all()

    def _before(self, own: object) -> int:
        with self._moved:
            return self._line.index(own)
