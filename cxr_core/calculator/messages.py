"""What the process that computes and its owner say to each other: pickled, between two processes of this very code."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cxr_core.caller import Caller
from cxr_core.progress import Progress


@dataclass(frozen=True)
class Ask:
    """A question: what is to be computed, and on whose behalf."""

    number: int
    task: Callable[..., Any]
    arguments: tuple[Any, ...]
    who: Caller


@dataclass(frozen=True)
class TakeBack:
    """Nobody waits for the answer to this question any more."""

    number: int


@dataclass(frozen=True)
class Done:
    """How far the work on a question is."""

    number: int
    progress: Progress


@dataclass(frozen=True)
class FinalPart:
    """What is final before all of an answer is."""

    number: int
    part: Any


@dataclass(frozen=True)
class Answered:
    """An answer; where `error` is there, it is that."""

    number: int
    value: Any = None
    error: "Failure | None" = None


@dataclass(frozen=True)
class Failure:
    """An exception taken apart: to make one anew from its text alone, its class would have to take nothing else."""

    kind: type[Exception]
    texts: tuple[Any, ...]
    held: dict[str, Any]

    @classmethod
    def of(cls, error: Exception) -> "Failure":
        """Take an exception apart; one that cannot be sent is sent as its text."""
        found = cls(type(error), error.args, dict(vars(error)))
        try:
            pickle.dumps(found)
        except Exception:
            return cls(RuntimeError, (f"{type(error).__name__}: {error}",), {})
        return found

    def error(self) -> Exception:
        """Put the exception together again."""
        made = self.kind.__new__(self.kind)
        made.args = self.texts
        vars(made).update(self.held)
        return made
