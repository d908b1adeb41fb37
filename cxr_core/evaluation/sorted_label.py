"""The rows of one label sorted once, so that a threshold that a slider moves is looked up and not searched for.

Whatever is answered here is what the functions on whole columns answer: `operating.operating_point`,
`thresholds.written_threshold`, `thresholds.threshold_for_sensitivity` and `threshold_for_specificity`.
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_core.arrays import FloatArray, IntArray, as_scores
from cxr_core.evaluation.curves import just_above
from cxr_core.evaluation.operating import ByPatient, OperatingPoint, point_of_patients
from cxr_core.evaluation.thresholds import fewest_found, most_alarms, written_between
from cxr_core.evaluation.uncertain import ShareAbove, share_above
from cxr_core.schema import Value

_NEGATIVE, _CERTAIN = (Value.not_mentioned, Value.negative), (Value.not_mentioned, Value.negative, Value.positive)


@dataclass(frozen=True, eq=False)
class SortedLabel:
    """The stated rows of one label by its value: their `scores` from the smallest up, and the patient of each.

    `scores` and `patients` are by label code; patients are numbered from 0 to `n_patients` - 1.
    """

    scores: tuple[FloatArray, ...]
    patients: tuple[NDArray[np.int32], ...]
    n_patients: int

    @property
    def certain(self) -> int:
        """Number of certain rows."""
        return sum(self.scores[value].size for value in _CERTAIN)

    @property
    def positives(self) -> int:
        """Number of positive rows."""
        return self.scores[Value.positive].size

    @property
    def range(self) -> tuple[float, float]:
        """The smallest and the largest score of the certain rows; there must be some."""
        stated = [self.scores[value] for value in _CERTAIN if self._any(value)]
        return min(float(scores[0]) for scores in stated), max(float(scores[-1]) for scores in stated)

    @cached_property
    def certain_by_patient(self) -> FloatArray:
        """How many negatives and how many positives each patient has (2, patients), up to the last who has any."""
        negatives = sum(self._by_patient(value) for value in _NEGATIVE)
        both = np.stack([negatives, self._by_patient(Value.positive)])
        known = np.flatnonzero(both.any(axis=0))
        return both[:, : known[-1] + 1 if known.size else 0]

    def operating_point(self, threshold: float, minimum: int) -> OperatingPoint:
        """Return what a threshold does to the certain rows; `minimum` patients of a class have an interval."""
        negatives, positives = self.certain_by_patient
        called = [self._by_patient(value, threshold)[: positives.size] for value in _CERTAIN]
        fp, tp = called[0] + called[1], called[2]
        counts = np.stack([tp, fp, positives - tp, negatives - fp])
        return point_of_patients(threshold, ByPatient(counts, minimum))

    def shares_above(self, threshold: float) -> dict[str, ShareAbove]:
        """Return, for each label value, the share of its rows that score >= threshold."""
        rows = [self._by_patient(value) for value in Value]
        known = np.logical_or.reduce([of_value > 0 for of_value in rows])
        return {
            value.name: share_above(value.name, self._by_patient(value, threshold)[known], of_value[known])
            for value, of_value in zip(Value, rows, strict=True)
        }

    def threshold_for_sensitivity(self, wanted: float) -> float:
        """Return the largest score at which the sensitivity is at least `wanted`; there must be positives."""
        positives = self.scores[Value.positive]
        return float(positives[positives.size - fewest_found(positives.size, wanted)])

    def threshold_for_specificity(self, wanted: float) -> float:
        """Return the smallest threshold with a specificity of at least `wanted`; there must be negatives."""
        negatives = np.concatenate([self.scores[value] for value in _NEGATIVE])
        place = negatives.size - 1 - most_alarms(negatives.size, wanted)
        _, above = self._around(float(np.partition(negatives, place)[place]), _CERTAIN, "right")
        return above if above < inf else just_above(max(float(self.scores[v][-1]) for v in _CERTAIN if self._any(v)))

    def written_threshold(self, threshold: float) -> float:
        """Return the number with the fewest decimals that calls the same rows, the uncertain too, positive."""
        return written_between(threshold, *self._around(threshold, tuple(Value), "left"))

    def _any(self, value: Value) -> bool:
        return self.scores[value].size > 0

    def _around(self, threshold: float, values: tuple[Value, ...], side: str) -> tuple[float, float]:
        """Return the largest score on one side of a threshold and the smallest on the other, infinite for none."""
        least, most = -inf, inf
        for value in values:
            scores = self.scores[value]
            place = int(np.searchsorted(scores, threshold, side))  # type: ignore[call-overload]
            least = max(least, float(scores[place - 1])) if place else least
            most = min(most, float(scores[place])) if place < scores.size else most
        return least, most

    def _by_patient(self, value: Value, threshold: float = -inf) -> FloatArray:
        """Count the rows of a value with such a score or a larger one, patient by patient."""
        called = self.patients[value][np.searchsorted(self.scores[value], threshold) :]
        return np.bincount(called, minlength=self.n_patients).astype(np.float64)


def sorted_label(values: Any, scores: Any, patients: IntArray, n_patients: int) -> SortedLabel:
    """Sort the stated rows of a label.

    Args:
        values: (n,) label codes, 0 to 3; rows with another one are left out.
        scores: (n,) predictions as stored.
        patients: (n,) each row's patient, numbered from 0.
        n_patients: how many patients there are.

    Raises:
        DataError: a score is NaN or infinite.
    """
    codes, scores = np.asarray(values), as_scores(scores)
    rows = [np.flatnonzero(codes == value) for value in Value]
    orders = [of_value[np.argsort(scores[of_value])] for of_value in rows]
    of_rows = patients.astype(np.int32)
    return SortedLabel(tuple(scores[order] for order in orders), tuple(of_rows[order] for order in orders), n_patients)
