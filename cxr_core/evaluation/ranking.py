"""The one sort of a label of a model, from which curves, areas, operating points and influences all are read."""

from dataclasses import dataclass
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

    def of_rows(self, positives: FloatArray, negatives: FloatArray) -> FloatArray:
        """Return for each row (n,), in the order in which rows were given, what its score and its class say.

        Args:
            positives: (k,) what a positive with each distinct score is given.
            negatives: (k,) what a negative is given.
        """
        if self.ends.size < self.order.size:
            sizes = np.diff(self.ends, prepend=-1)
            positives, negatives = np.repeat(positives, sizes), np.repeat(negatives, sizes)
        found = np.empty(self.order.size)
        found[self.order] = np.where(self.positive, positives, negatives)
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
