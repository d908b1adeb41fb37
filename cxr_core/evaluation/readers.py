"""Readers beside a model's curves: each reader is a point, judged by others, and the curve runs above it or not.

A reader of the set that judges is judged by the majority of its other readers, for nobody may be his own judge; a
reader of another set by the judge. Counting the readers whose point lies below the curve is how the CheXpert
competition ranked models ("readers under the ROC", Irvin et al. 2019).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.curves import Curves
from cxr_core.evaluation.verdicts import ABSENT, NO_VERDICT, PRESENT, majority_of_others, own_verdicts


@dataclass(frozen=True)
class ReaderPoint:
    """How a reader does on one label: on `n` rows that the reader and the judge of this reader both call.

    `sensitivity`, `specificity` and `precision` lie in [0, 1]; `under_roc` (`under_pr`) says that the reader's point
    lies below the model's curve. What is undefined is None, with its reason in `why`.
    """

    reader: str
    set: str
    n: int
    sensitivity: float | None
    specificity: float | None
    precision: float | None
    under_roc: bool | None
    under_pr: bool | None
    why: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the point under the names that scripts rely on."""
        return {
            "reader": self.reader,
            "set": self.set,
            "sensitivity": self.sensitivity,
            "specificity": self.specificity,
            "n": self.n,
            "under_roc": self.under_roc,
            "under_pr": self.under_pr,
            "why": dict(self.why),
        }


def points_of_judges(votes: IntArray, names: Sequence[str], set_name: str, curves: Curves | None) -> list[ReaderPoint]:
    """Return the points of the readers of the judging set, votes (rows, readers), each judged by the others."""
    each = ((name, own_verdicts(votes, place), majority_of_others(votes, place)) for place, name in enumerate(names))
    return [_point(name, set_name, said, judged, curves) for name, said, judged in each]


def points_of_others(
    votes: IntArray, names: Sequence[str], set_name: str, judged: IntArray, curves: Curves | None
) -> list[ReaderPoint]:
    """Return the points of the readers of another set, votes (rows, readers), judged by verdicts `judged` (rows,)."""
    return [_point(name, set_name, own_verdicts(votes, place), judged, curves) for place, name in enumerate(names)]


def _point(name: str, set_name: str, said: IntArray, judged: IntArray, curves: Curves | None) -> ReaderPoint:
    both = (said != NO_VERDICT) & (judged != NO_VERDICT)
    said, judged = said[both], judged[both]
    hits = int(np.count_nonzero((said == PRESENT) & (judged == PRESENT)))
    alarms = int(np.count_nonzero((said == PRESENT) & (judged == ABSENT)))
    positives, negatives = int(np.count_nonzero(judged == PRESENT)), int(np.count_nonzero(judged == ABSENT))
    sensitivity = hits / positives if positives else None
    specificity = 1 - alarms / negatives if negatives else None
    precision = hits / (hits + alarms) if hits + alarms else None
    roc, pr = (curves.roc, curves.pr) if curves else (None, None)
    under_roc = under_pr = None
    if roc is not None and sensitivity is not None and specificity is not None:
        under_roc = sensitivity < _highest(alarms / negatives, roc.fpr, roc.tpr)
    if pr is not None and sensitivity is not None and precision is not None:
        under_pr = precision < _highest(sensitivity, pr.recall[::-1], pr.precision[::-1])
    why = _why(positives, negatives, precision)
    return ReaderPoint(name, set_name, both.sum().item(), sensitivity, specificity, precision, under_roc, under_pr, why)


def _highest(place: float, x: FloatArray, y: FloatArray) -> float:
    """Return the highest point of a curve at `place`, linear between vertices whose `x` (k,) never fall.

    Where the curve is upright the model reaches the upper end without losing anything.
    """
    at = y[x == place]
    if at.size:
        return float(at.max())
    right = int(np.searchsorted(x, place))
    left = right - 1
    share = (place - x[left]) / (x[right] - x[left])
    return float(y[left] + share * (y[right] - y[left]))


def _why(positives: int, negatives: int, precision: float | None) -> dict[str, str]:
    reasons = {
        "sensitivity": None if positives else "the judge calls nothing present that the reader judged",
        "specificity": None if negatives else "the judge calls nothing absent that the reader judged",
        "precision": None if precision is not None else "the reader calls nothing present",
    }
    return {name: reason for name, reason in reasons.items() if reason}
