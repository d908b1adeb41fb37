"""How far long work is, told to whoever waits for it.

Whoever waits says so by `telling`; the work says `tell` between its parts, in the thread of the one who waits. What he
is told with may raise: so work ends that nobody waits for any more, and its parts that have not begun never do.
Whoever shows figures before all are there says so by `receiving`; the work hands over each that is final.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cxr_core.processes import cores
from cxr_core.words import counted, duration

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Progress:
    """How far work is: `done` of `total` parts of `what`, begun `seconds` ago.

    `before` says how many others are computed first, None where nothing stands in line.
    """

    what: str
    done: int
    total: int
    seconds: float
    before: int | None = None

    @property
    def share(self) -> float:
        """The share that is done, from 0 to 1."""
        if self.before is not None:
            return 0.0
        return self.done / self.total if self.total else 1.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes if it goes on so; None before the first part is done."""
        return self.seconds * (self.total - self.done) / self.done if self.done else None

    @property
    def words(self) -> str:
        """Say it: "Labels: 3 of 14 done, about 2 s left", or "2 questions before yours"."""
        if self.before is not None:
            return f"{counted(self.before, 'question')} before yours" if self.before else "Computed now"
        left = "" if self.seconds_left is None else f", about {duration(self.seconds_left)} left"
        return f"{self.what}: {self.done} of {self.total} done{left}"


Tell = Callable[[Progress], None]
Receive = Callable[[Any], None]
_tell: ContextVar[Tell | None] = ContextVar("tell", default=None)
_receive: ContextVar[Receive | None] = ContextVar("receive", default=None)


@contextmanager
def telling(told: Tell) -> Iterator[None]:
    """Let the work within say to `told` how far it is."""
    before = _tell.set(told)
    try:
        yield
    finally:
        _tell.reset(before)


def tell_done(what: str, done: int, total: int, since: float) -> None:
    """Tell whoever waits, if anybody does, that `done` of `total` parts are done since a reading of the clock."""
    tell(Progress(what, done, total, time.monotonic() - since))


def tell_place(before: int) -> None:
    """Tell whoever waits, if anybody does, how many others are computed before."""
    tell(Progress("", 0, 0, 0.0, before))


def tell(progress: Progress) -> None:
    """Tell whoever waits, if anybody does, how far it is."""
    told = _tell.get()
    if told is not None:
        told(progress)


@contextmanager
def receiving(receive: Receive) -> Iterator[None]:
    """Let the work within hand over to `receive` what is final before all is."""
    before = _receive.set(receive)
    try:
        yield
    finally:
        _receive.reset(before)


def hand_over(part: Any) -> None:
    """Give a part of the answer that does not change any more to whoever shows it, if anybody does."""
    receive = _receive.get()
    if receive is not None:
        receive(part)


@dataclass
class News:
    """What work has said so far: how far it was last, and the `parts` that it handed over."""

    last: Progress | None = None
    parts: list[Any] = field(default_factory=list)

    def pass_on(self, heard: int) -> int:
        """Tell whoever waits, who has `heard` so many parts; return how many he has heard now."""
        if self.last is not None:
            tell(self.last)
        parts = self.parts[heard:]
        for part in parts:
            hand_over(part)
        return heard + len(parts)


@contextmanager
def noting_news(news: News) -> Iterator[None]:
    """Note what the work within says, which whoever waits hears as before."""
    receive, outer = _receive.get(), _tell.get()

    def noted(progress: Progress) -> None:
        news.last = progress
        if outer is not None:
            outer(progress)

    def received(part: Any) -> None:
        news.parts.append(part)
        if receive is not None:
            receive(part)

    with telling(noted), receiving(received):
        yield


def each_told(
    what: str, work: Callable[[T], R], parts: Iterable[T], found: Callable[[T, R], None] = lambda part, result: None
) -> list[R]:
    """Do `work` on all `parts`, in as many threads as there are cores, and tell after each how many are done.

    `found` hears of each part with its result, in the order of the parts and in the thread that waits.
    """
    waiting, start = list(parts), time.monotonic()
    results: list[R] = []
    pool = ThreadPoolExecutor(max(1, min(cores(), len(waiting))))
    try:
        for part, future in [(part, pool.submit(work, part)) for part in waiting]:
            tell_done(what, len(results), len(waiting), start)
            results.append(future.result())
            found(part, results[-1])
    finally:
        pool.shutdown(cancel_futures=True)
    return results
