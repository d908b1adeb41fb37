"""Answers that were had already: a question that is asked again, or by two at once, is answered by one query.

An answer is kept under the SQL text, its parameters and what the engine says of the identity of its tables (for local
files their inode, size and time; BigQuery's tables tell nothing, so those are kept for a day, as BigQuery's own cache
is, or until `forget`). A failure is told to all who waited for it and is not kept.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pyarrow as pa

from cxr_core.warehouse.answers import Answer

#: Most bytes of rows that are kept; the answer that was not asked for longest goes first.
MOST_BYTES = 256 * 1024 * 1024
#: Seconds after which an answer is asked for again.
MOST_SECONDS = 24 * 3600.0

Found = tuple[pa.Table, Answer]


class Key(NamedTuple):
    """What makes two questions the same; `owner` is whose they are, and who may have them forgotten."""

    owner: Hashable
    identity: Hashable
    sql: str
    parameters: tuple[tuple[str, int], ...]


@dataclass
class _Asking:
    """A question that is being asked: the first asks, the others wait."""

    done: threading.Event = field(default_factory=threading.Event)
    found: Found | None = None
    error: Exception | None = None
    forgotten: bool = False


class KeptAnswers:
    """A cache of answers that is safe between threads; see the module."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS) -> None:
        self._most_bytes, self._most_seconds = most_bytes, most_seconds
        self._kept: OrderedDict[Key, tuple[Found, float]] = OrderedDict()
        self._asking: dict[Key, _Asking] = {}
        self._refreshes: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def answer(self, key: Key, ask: Callable[[], Found]) -> Found:
        """Return the kept answer, else that of the one who is asking just now, else that of `ask`."""
        while True:
            with self._lock:
                if (found := self._fresh(key)) is not None:
                    return _as_kept(found)
                asking = self._asking.get(key)
                first = asking is None
                if asking is None:
                    asking = self._asking[key] = _Asking()
            if first:
                return self._ask(key, asking, ask)
            asking.done.wait()
            if asking.error is not None:
                raise asking.error
            if asking.found is not None:
                return _as_kept(asking.found)
            # Who asked was interrupted: ask oneself.

    def peek(self, key: Key) -> Found | None:
        """Return the kept answer, None when there is none; nothing is asked."""
        with self._lock:
            return self._fresh(key)

    def forget(self, owner: Hashable) -> None:
        """Forget the answers of an owner; what is being asked just now is not kept either."""
        with self._lock:
            self._refreshes[owner] += 1
            for key in [key for key in self._kept if key.owner == owner]:
                del self._kept[key]
            for key in [key for key in self._asking if key.owner == owner]:
                self._asking.pop(key).forgotten = True

    def refreshes(self, owner: Hashable) -> int:
        """Return how often an owner's answers were forgotten."""
        return self._refreshes[owner]

    def _ask(self, key: Key, asking: _Asking, ask: Callable[[], Found]) -> Found:
        try:
            asking.found = ask()
        except Exception as error:
            asking.error = error
            raise
        finally:
            with self._lock:
                if self._asking.get(key) is asking:
                    del self._asking[key]
                if asking.found is not None and not asking.forgotten:
                    self._keep(key, asking.found)
            asking.done.set()
        return asking.found

    def _fresh(self, key: Key) -> Found | None:
        if key not in self._kept:
            return None
        found, since = self._kept[key]
        if time.monotonic() - since > self._most_seconds:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return found

    def _keep(self, key: Key, found: Found) -> None:
        self._kept[key] = (found, time.monotonic())
        while len(self._kept) > 1 and sum(table.nbytes for (table, _), _ in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)


#: The answers of this process.
ANSWERS = KeptAnswers()


def _as_kept(found: Found) -> Found:
    table, answer = found
    return table, replace(answer, kept=True)
