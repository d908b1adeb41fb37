"""Which labels are most likely wrong, and how often such a list is right where somebody knows better.

A label is in doubt where confident learning (`confident`) expects another value of its image than is given, and the
two contradict each other: one says that the finding is present, the other that it is not. Not mentioned beside
negative is no contradiction, and uncertain says nothing that could be wrong. The less probable the given value is, the
earlier a label stands: a probability means the same for all labels, so that their lists can be merged.

It is a ranking, not a verdict. Its precision at k is the share of wrong labels among the first k, by a judge who knows
better, with an interval by patient (`proportions`) for the list as it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.confident import (
    class_thresholds,
    confident_joint,
    expected_classes,
    normalised_margin,
    self_confidence,
)
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.value_heads import value_probabilities
from cxr_core.schema import VALUES, Value
from cxr_core.words import percent

#: How far down a list its precision is told; and at its end.
DEPTHS: tuple[int, ...] = (10, 25, 50, 100)
_ABSENT = (Value.not_mentioned, Value.negative)


@dataclass(frozen=True, eq=False)
class LabelDoubt:
    """The labels in doubt of one label.

    Of `n` rows that take part (`taking_part`), the rows (m,) are in doubt, the most doubtful first: of the `given`
    value the `probability` is the smallest, its `margin` over the likeliest other mostly negative, and `expected` is
    the other value. `thresholds` (4,) are the classes' own, NaN where a value takes no part; `joint` (4, 4) counts rows
    by given and expected value. Nothing is in doubt where `why` says that nothing could be told.
    """

    taking_part: IntArray
    rows: IntArray
    given: IntArray
    expected: IntArray
    probability: FloatArray
    margin: FloatArray
    thresholds: FloatArray
    joint: IntArray
    why: str | None = None

    @property
    def n(self) -> int:
        """How many rows take part."""
        return int(self.taking_part.size)

    def words(self) -> list[str]:
        """Say of each row in doubt why it is."""
        names = [name.replace("_", " ") for name in VALUES]
        told = zip(self.given, self.expected, self.probability, strict=True)
        return [f"{names[other]} is expected; {names[own]} has a chance of {percent(p)}" for own, other, p in told]


@dataclass(frozen=True)
class Precision:
    """Of the first `k` labels of a list, `n_judged` were judged and `n_wrong` of these are wrong.

    `precision` is the share of wrong ones, with its 95 % interval; what is None has its reason in `why`.
    """

    k: int
    n_judged: int
    n_wrong: int
    precision: float | None
    ci: Bounds | None
    why: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "k": self.k,
            "n_judged": self.n_judged,
            "n_wrong": self.n_wrong,
            "precision": self.precision,
            "precision_ci": bounds_as_json(self.ci),
            "why": dict(self.why),
        }


def label_doubt(values: IntArray, features: FloatArray, patients: IntArray) -> LabelDoubt:
    """Return which rows of a label are in doubt, the most doubtful first; rows that are alike keep their order.

    Args:
        values: (n,) label codes 0 to 3, -1 where nothing is stated.
        features: (n, m) numbers that tell of the images, out of sample; rows that lack one take no part.
        patients: (n,) whose rows they are.
    """
    found = value_probabilities(values, features, patients)
    if found.why:
        return no_doubt(found.why)
    given, probabilities = values[found.rows], found.probabilities
    thresholds = class_thresholds(given, probabilities)
    expected = expected_classes(probabilities, thresholds)
    own = self_confidence(given, probabilities)
    doubted = np.flatnonzero(contradicts(given, expected))
    order = doubted[np.argsort(own[doubted], kind="stable")]
    return LabelDoubt(
        taking_part=found.rows,
        rows=found.rows[order],
        given=given[order],
        expected=expected[order],
        probability=own[order],
        margin=normalised_margin(given, probabilities)[order],
        thresholds=thresholds,
        joint=confident_joint(given, expected, len(VALUES)),
    )


def no_doubt(why: str) -> LabelDoubt:
    """Return the doubts of a label of which nothing can be told, with the reason."""
    none, numbers = np.empty(0, np.int64), np.empty(0)
    joint = np.zeros((len(VALUES), len(VALUES)), np.int64)
    return LabelDoubt(none, none, none, none, numbers, numbers, np.full(len(VALUES), np.nan), joint, why)


def contradicts(given: IntArray, other: IntArray) -> BoolArray:
    """Return where one of two values says present and the other says not, as (n,) codes; -1 contradicts nothing."""
    present, absent = given == Value.positive, np.isin(given, _ABSENT)
    return (present & np.isin(other, _ABSENT)) | (absent & (other == Value.positive))


def precision_at(wrong: IntArray, patients: IntArray, depths: Sequence[int] = DEPTHS) -> list[Precision]:
    """Return the precision of a list at each depth that it reaches, and at its end.

    Args:
        wrong: (m,) 1 where the label is wrong, 0 where it is right, -1 where nobody says; the most doubtful first.
        patients: (m,) whose rows they are.
        depths: rising.
    """
    reached = [k for k in depths if k < wrong.size]
    return [_precision(wrong[:k], patients[:k]) for k in [*reached, *([wrong.size] if wrong.size else [])]]


def _precision(wrong: IntArray, patients: IntArray) -> Precision:
    judged = wrong >= 0
    of_judged = wrong[judged]
    counts = (wrong.size, int(judged.sum()), int(of_judged.sum()))
    if not of_judged.size:
        return Precision(*counts, None, None, {"precision": "nobody judged these images"})
    clusters = np.unique(patients[judged], return_inverse=True)[1]
    images = sum_by_patient(np.ones(of_judged.size), clusters)
    found = share_interval(sum_by_patient(of_judged, clusters), images, FEWEST_FOR_A_SHARE)
    why = {"precision_ci": found.why} if found.why else {}
    return Precision(*counts, float(of_judged.mean()), found.ci, why)
