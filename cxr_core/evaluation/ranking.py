"""The one sort of a label of a model, from which curves, areas, operating points and influences all are read."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray, as_scores


@dataclass(frozen=True, eq=False)
class Ranking:
    """The n rows of one label, sorted by falling score and put together where scores are equal.

    `truth` (n,) says which rows are positive, in the order in which they were given. `order` (n,) are the rows from the
    largest score down, in any order within a tie; `positive` (n,) their truth in that order. `ends` (k,) is the place
    at which each of the k distinct scores ends, and `thresholds` (k,) are these scores; `tp` and `fp` (k,) count the
    positives and the negatives with such a score or a larger one.
    """

    truth: BoolArray
    order: IntArray
    positive: BoolArray
    ends: IntArray
    thresholds: FloatArray
    tp: IntArray
    fp: IntArray

    @property
    def positives(self) -> int:
        """How many rows are positive."""
        return int(self.tp[-1])

    @property
    def negatives(self) -> int:
        """How many rows are negative."""
        return int(self.fp[-1])

    @cached_property
    def classes(self) -> tuple[IntArray, IntArray]:
        """Where the positives (P,) and the negatives (N,) stand in `order`."""
        return np.flatnonzero(self.positive), np.flatnonzero(~self.positive)

    @cached_property
    def scores(self) -> tuple[IntArray, IntArray]:
        """Which of the distinct scores each positive (P,) and each negative (N,) has, from the largest score down."""
        if not self._tied:
            return self.classes
        of_places = np.repeat(np.arange(self.ends.size), np.diff(self.ends, prepend=-1))
        return of_places[self.classes[0]], of_places[self.classes[1]]

    def above(self, counts: IntArray, scores: IntArray, own: int) -> IntArray:
        """Return how many rows of one class have a larger score than rows of another, or of the same, have.

        Args:
            counts: `tp` or `fp`, of the class that is counted.
            scores: (m,) which distinct score each row has.
            own: 1 where the rows are of the class that is counted, else 0.
        """
        if not self._tied:
            return counts[scores] - own
        return np.concatenate([[0], counts])[scores]

    @property
    def _tied(self) -> bool:
        return self.ends.size < self.order.size

    def of_rows(self, positives: FloatArray, negatives: FloatArray) -> FloatArray:
        """Return for each row (n,), in the order in which rows were given, what it is given here.

        Args:
            positives: (P,) what each positive is given, from the largest score down.
            negatives: (N,) what each negative is given.
        """
        found = np.empty(self.order.size)
        found[self.order[self.classes[0]]], found[self.order[self.classes[1]]] = positives, negatives
        return found


def ranking(y: Any, scores: Any) -> Ranking:
    """Sort truth `y` (n,), 0 or 1, by predictions `scores` (n,); n is 1 or more.

    Raises:
        DataError: a score is NaN or infinite.
    """
    truth, scores = np.asarray(y) == 1, as_scores(scores)
    order = np.argsort(scores)[::-1]
    ranked, positive = scores[order], truth[order]
    new = ranked[1:] != ranked[:-1]
    ends = np.arange(order.size) if new.all() else np.flatnonzero(np.append(new, True))
    tp = np.cumsum(positive)
    if ends.size < order.size:
        ranked, tp = ranked[ends], tp[ends]
    return Ranking(truth, order, positive, ends, ranked, tp, ends + 1 - tp)
