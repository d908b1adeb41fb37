"""In which order films are read: as they stand, at random, or spread over the scores within each value of the report.

Spread: the values of the report take turns, since each has a share of its own to be told. Within a value the films are
ranked by the model's score and taken systematically, each next one in the middle of the widest gap that is left, from a
start that is drawn at random (systematic sampling, Madow & Madow 1944; circular, as Lahiri did, after Cochran 1977,
chapter 8; the places by van der Corput's sequence, 1935). Whenever somebody stops, each film of a value was as likely
to be among those read as any other, so the share among them is that of a random sample, and where the score tells of
the finding it scatters less, as by strata of equal shares. Reading the films whose scores are nearest to a threshold
would tell less of the share, and what is left would be no sample of anything.
"""

from collections.abc import Iterator

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import UnknownNameError

AS_LISTED, RANDOM, SPREAD = "listed", "random", "spread"
#: The orders; all but the first look at nothing that is said of a single film.
ORDERS = (SPREAD, RANDOM, AS_LISTED)


def reading_order(order: str, rows: IntArray, values: IntArray, scores: FloatArray, seed: int) -> IntArray:
    """Return the rows (m,) in the order in which they are read.

    Args:
        order: one of `ORDERS`.
        rows: (m,) in the order of their list.
        values: (n,) label codes of all rows; -1 where nothing is stated, which stand last where values take turns.
        scores: (n,) of all rows, NaN where there is none.
        seed: of the order; the same rows, values and scores have the same order.

    Raises:
        UnknownNameError: there is no such order.
    """
    if order not in ORDERS:
        raise UnknownNameError("order", order, ORDERS)
    if order == AS_LISTED or not rows.size:
        return rows
    random, known = np.random.default_rng(seed), np.sort(rows)
    if order == RANDOM:
        return random.permutation(known)
    turns = [_spread(known[values[known] == value], scores, random) for value in np.unique(values[known])]
    stated = [turn for turn in turns if values[turn[0]] >= 0]
    rest = [turn for turn in turns if values[turn[0]] < 0]
    return np.array([*_by_turns(stated, random), *_by_turns(rest, random)], np.int64)


def _by_turns(lists: list[IntArray], random: np.random.Generator) -> Iterator[int]:
    """Yield the first of each list, the second of each, …; each round in an order of its own, so none is foreseen."""
    for place in range(max((one.size for one in lists), default=0)):
        yield from random.permutation([one[place] for one in lists if one.size > place])


def _spread(rows: IntArray, scores: FloatArray, random: np.random.Generator) -> IntArray:
    """Return rows such that the first few, however many, lie evenly among the ranks of all scores."""
    shuffled = random.permutation(rows)
    ranked = shuffled[np.argsort(scores[shuffled], kind="stable")]
    places = (np.arange(rows.size) + random.integers(rows.size)) % rows.size
    return np.asarray(ranked[np.argsort(_reversed_bits(places))], np.int64)


def _reversed_bits(places: IntArray) -> IntArray:
    """Return numbers with their bits from right to left, all taken as equally long."""
    bits, left, found = int(places.size - 1).bit_length(), places.copy(), np.zeros_like(places)
    for _ in range(bits):
        found, left = found << 1 | left & 1, left >> 1
    return found
