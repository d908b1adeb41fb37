"""Answers that were had already: one cache for a whole process, shared by all sessions of the dashboard.

An answer is kept under its question together with the stamp of everything that it came from, and is good as long as
the stamp is the same; one of another stamp takes its place. A question that two ask at once is asked once, and both
hear how far it is. What is kept takes no more memory than the setting `kept_memory` allows: what was not asked for
longest goes first. A failure is told to all who waited for it and is not kept. Answers are handed out as they are, to
many at once: nobody changes them.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cxr_core.cache.give_back import give_back
from cxr_core.cache.memory import Memory, memory_of
from cxr_core.progress import News, noting_news
from cxr_core.settings import settings

#: Seconds after which an answer is asked for again: a view of BigQuery does not say when what is behind it changed.
MOST_SECONDS = 24 * 3600.0
#: How often who waits for another's question hears how far it is, and may give up.
_LISTEN_SECONDS = 0.2
_WORTH_GIVING_BACK = 100_000_000


class Question(NamedTuple):
    """What is asked, and `owner`, whose question it is: who may have its answers forgotten."""

    owner: Hashable
    what: Hashable


class Found(NamedTuple):
    """An answer, and whether it had been found before."""

    value: Any
    kept: bool


@dataclass(frozen=True)
class _Entry:
    value: Any
    stamp: Hashable
    memory: Memory
    since: float


@dataclass
class _Asking:
    """A question that is being asked: the first asks, the others wait."""

    done: threading.Event = field(default_factory=threading.Event)
    has_answer: bool = False
    value: Any = None
    error: Exception | None = None
    forgotten: bool = False
    news: News = field(default_factory=News)


class KeptAnswers:
    """A cache of answers that is safe between threads; see the module.

    Args:
        most_bytes: most that it keeps; None for what the settings say.
        most_seconds: how long it keeps an answer whose stamp stays the same.
    """

    def __init__(self, most_bytes: int | None = None, most_seconds: float = MOST_SECONDS) -> None:
        self._most_bytes, self._most_seconds = most_bytes, most_seconds
        self._kept: OrderedDict[Question, _Entry] = OrderedDict()
        self._asking: dict[tuple[Question, Hashable], _Asking] = {}
        self._refreshes: Counter[Hashable] = Counter()
        self._buffers: dict[int, list[int]] = {}
        self._bytes = self._dropped = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """How much memory the kept answers take together; what several share counts once."""
        return self._bytes

    def answer(self, question: Question, stamp: Hashable, ask: Callable[[], Any]) -> Found:
        """Return the kept answer of this stamp, else that of the one who is asking just now, else that of `ask`.

        The stamp must have been taken before: what changes while it is asked has another stamp then.
        """
        while True:
            with self._lock:
                if (entry := self._fresh(question, stamp)) is not None:
                    return Found(entry.value, True)
                asking = self._asking.get((question, stamp))
                first = asking is None
                if asking is None:
                    asking = self._asking[question, stamp] = _Asking()
            if first:
                return Found(self._ask(question, stamp, asking, ask), False)
            heard = 0
            while not asking.done.wait(_LISTEN_SECONDS):
                heard = asking.news.pass_on(heard)
            if asking.error is not None:
                raise asking.error
            if asking.has_answer:
                return Found(asking.value, True)
            # Who asked was interrupted: ask oneself.

    def peek(self, question: Question, stamp: Hashable) -> Found | None:
        """Return the kept answer of this stamp, None when there is none; nothing is asked."""
        with self._lock:
            entry = self._fresh(question, stamp)
            return None if entry is None else Found(entry.value, True)

    def forget(self, owner: Hashable) -> None:
        """Forget the answers of an owner; what is being asked just now is not kept either."""
        with self._lock:
            self._refreshes[owner] += 1
            for question in [question for question in self._kept if question.owner == owner]:
                self._drop(question)
            for key in [key for key in self._asking if key[0].owner == owner]:
                self._asking.pop(key).forgotten = True

    def refreshes(self, owner: Hashable) -> int:
        """Return how often an owner's answers were forgotten."""
        return self._refreshes[owner]

    def _ask(self, question: Question, stamp: Hashable, asking: _Asking, ask: Callable[[], Any]) -> Any:
        memory, most = None, 0
        try:
            with noting_news(asking.news):
                asking.value = ask()
            asking.has_answer = True
            memory, most = memory_of(asking.value), self._most()
        except Exception as error:
            asking.error = error
            raise
        finally:
            with self._lock:
                if self._asking.get((question, stamp)) is asking:
                    del self._asking[question, stamp]
                if memory is not None and not asking.forgotten:
                    self._keep(question, _Entry(asking.value, stamp, memory, time.monotonic()), most)
            asking.done.set()
        return asking.value

    def _fresh(self, question: Question, stamp: Hashable) -> _Entry | None:
        entry = self._kept.get(question)
        if entry is None or entry.stamp != stamp:
            return None
        if self._is_old(entry):
            self._drop(question)
            return None
        self._kept.move_to_end(question)
        return entry

    def _is_old(self, entry: _Entry) -> bool:
        return time.monotonic() - entry.since > self._most_seconds

    def _most(self) -> int:
        return settings().kept_memory if self._most_bytes is None else self._most_bytes

    def _keep(self, question: Question, entry: _Entry, most: int) -> None:
        for gone in [question, *(asked for asked, other in self._kept.items() if self._is_old(other))]:
            self._drop(gone)
        if entry.memory.total <= most:
            self._kept[question] = entry
            self._count(entry.memory, 1)
        while self._bytes > most:
            self._drop(next(iter(self._kept)))
        if self._dropped > _WORTH_GIVING_BACK:
            self._dropped = 0
            give_back()

    def _drop(self, question: Question) -> None:
        entry = self._kept.pop(question, None)
        if entry is not None:
            self._count(entry.memory, -1)
            self._dropped += entry.memory.total

    def _count(self, memory: Memory, times: int) -> None:
        """Count an answer's memory once more or once less; a buffer that several answers share counts once."""
        self._bytes += times * memory.own
        for address, size in memory.buffers.items():
            held = self._buffers.setdefault(address, [0, size])
            before = held[1] if held[0] else 0
            held[:] = [held[0] + times, max(held[1], size)]
            self._bytes += (held[1] if held[0] else 0) - before
            if not held[0]:
                del self._buffers[address]


#: The answers of this process.
ANSWERS = KeptAnswers()
