"""What stands in a policy for a label: its kind, what its numbers must be, and the table by value that they make."""

import math

import numpy as np
import numpy.typing as npt

from cxr_core.errors import UsageError
from cxr_core.schema import LABELS, NAME_PATTERN, VALUES, Value

THREE_CLASS, SOFT, SELF_TRAINED = "three-class", "soft", "self-trained"


def check_unit(letter: str, number: float, where: str = "") -> None:
    """Raise `UsageError` unless it is a number from 0 to 1."""
    if not (
        isinstance(number, (int, float)) and not isinstance(number, bool) and math.isfinite(number) and 0 <= number <= 1
    ):
        raise UsageError(f"{letter} must be a number from 0 to 1{where}. Received: {number!r}.")


def check_ranges(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    """Raise `UsageError` unless `high` is empty, or ends each range of u in [0, 1] at or above its beginning."""
    if high and len(high) != len(LABELS):
        raise UsageError(f"A policy with ranges needs {len(LABELS)} upper ends. Received: {len(high)}.")
    for label, one, other in zip(LABELS, low, high, strict=True) if high else ():
        check_unit("u", other, f" for {label}")
        if one > other:
            raise UsageError(f"A range of u must not end below its beginning, for {label}. Received: {one} to {other}.")


def check_kinds(kinds: tuple[str, ...], u: tuple[float, ...], w: tuple[float, ...], learned: bool) -> None:
    """Raise `UsageError` unless each kind is one, and no label of a kind has numbers or is learned."""
    if kinds and len(kinds) != len(LABELS):
        raise UsageError(f"A policy with kinds needs {len(LABELS)} of them. Received: {len(kinds)}.")
    for label, kind, *numbers in zip(LABELS, kinds, u, w, strict=True) if kinds else ():
        if not is_kind(kind):
            raise UsageError(
                f"The kind of a label must be {THREE_CLASS}, {SOFT}, {SELF_TRAINED} or {SELF_TRAINED}:MODEL, "
                f"for {label}. Received: {kind!r:.60}."
            )
        if kind and any(numbers):
            said = " and ".join(f"{number:g}" for number in numbers)
            raise UsageError(f"A label that is {kind} has no u and w of its own, for {label}. Received: {said}.")
    if kinds and learned:
        raise UsageError("A learned policy leaves no label to a kind. Choose one of the two.")


def is_kind(text: str) -> bool:
    """Say whether a text is a kind, or "" for none."""
    name, colon, model = text.partition(":")
    if colon:
        return name == SELF_TRAINED and NAME_PATTERN.fullmatch(model) is not None
    return name in ("", THREE_CLASS, SOFT, SELF_TRAINED)


def value_table(negative: float, blank: tuple[float, ...], uncertain: tuple[float, ...]) -> npt.NDArray[np.float32]:
    """Return a (4, 14) table, row = label value, column = label; positive is 1."""
    table = np.empty((len(VALUES), len(LABELS)), np.float32)
    table[Value.not_mentioned] = blank
    table[Value.negative] = negative
    table[Value.uncertain] = uncertain
    table[Value.positive] = 1.0
    return table
