"""How many trainings one action starts: the values of a sweep, and the seeds that each is repeated with."""

from collections.abc import Sequence

from cxr_core.errors import UsageError
from cxr_core.training.options import LARGEST_SEED, TrainOptions
from cxr_core.uncertainty import uniform_policy

MOST_TRAININGS = 100


def grid_axis(letter: str, values: Sequence[float]) -> list[float]:
    """Return the values without repetitions, each checked to lie in [0, 1]."""
    if not values:
        raise UsageError(f"A sweep needs at least one {letter}. Received: none.")
    for value in values:
        uniform_policy(value, 0) if letter == "u" else uniform_policy(0, value)
    return [float(value) for value in dict.fromkeys(values)]


def checked_repeat(repeat: int) -> int:
    """Return the number of seeds, or raise `UsageError`."""
    if isinstance(repeat, bool) or not isinstance(repeat, int) or not 1 <= repeat <= MOST_TRAININGS:
        raise UsageError(f"The seeds to repeat over must number from 1 to {MOST_TRAININGS}. Received: {repeat!r}.")
    return repeat


def check_count(count: int) -> None:
    """Raise `UsageError` where one action would start too many trainings."""
    if count > MOST_TRAININGS:
        raise UsageError(f"One action starts at most {MOST_TRAININGS} trainings. Received: {count}. Take fewer values.")


def seeds_of(options: TrainOptions, repeat: int) -> list[int]:
    """Return the seed of the options and those that follow it, from 0 again after the largest."""
    options.validated()
    return [(options.seed + number) % (LARGEST_SEED + 1) for number in range(repeat)]
