"""What the tables were asked, noted for whoever shows it, and what a question will read, told before it runs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from cxr_core.warehouse.answers import AskedQuery

#: Is told a question's name and the bytes that it will read.
TellEstimate = Callable[[str, int], None]

_noting: ContextVar[list[AskedQuery] | None] = ContextVar("noting", default=None)
_telling: ContextVar[TellEstimate | None] = ContextVar("telling", default=None)


@contextmanager
def noting() -> Iterator[list[AskedQuery]]:
    """Note what is asked within, also what fails later; what notes around it hears of it too."""
    found: list[AskedQuery] = []
    token = _noting.set(found)
    try:
        yield found
    finally:
        _noting.reset(token)
        note(found)


def note(asked: Iterable[AskedQuery]) -> None:
    """Note questions that were asked, now or before."""
    if (found := _noting.get()) is not None:
        found += asked


@contextmanager
def telling_estimates(tell: TellEstimate) -> Iterator[None]:
    """Tell what each question within is going to read."""
    token = _telling.set(tell)
    try:
        yield
    finally:
        _telling.reset(token)


def tell_estimate(question: str, n_bytes: int) -> None:
    """Tell whoever wants to know what a question is going to read."""
    if (tell := _telling.get()) is not None:
        tell(question, n_bytes)
