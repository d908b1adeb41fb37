"""One operating point: what calling every score at or above a threshold positive does on the certain rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray, as_scores
from cxr_core.errors import UsageError
from cxr_core.evaluation.defined import (
    NO_NEGATIVES,
    NO_POSITIVES,
    NO_ROWS,
    NOTHING_CALLED_NEGATIVE,
    NOTHING_CALLED_POSITIVE,
    ClassPatients,
)
from cxr_core.evaluation.intervals import Interval
from cxr_core.evaluation.patient_sums import ratio
from cxr_core.evaluation.proportions import share_interval, square_and_add
from cxr_core.evaluation.results import Bounds

# The kinds of rows, in the order of the confusion matrix.
_TP, _FP, _FN, _TN = range(4)
#: The classes that each share of an operating point is made of: both must have enough patients for its interval.
SHARES: dict[str, tuple[str, ...]] = {
    "sensitivity": ("positive",),
    "specificity": ("negative",),
    **dict.fromkeys(("ppv", "npv", "f1", "alarms", "false_alarms"), ("positive", "negative")),
}


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % interval by patient.

    What is undefined is None: `why` says why there is no share, `why_no_ci` why there is no interval.
    """

    value: float | None
    ci: Bounds | None
    why: str | None = None
    why_no_ci: str | None = None


@dataclass(frozen=True)
class PredictiveValues:
    """What PPV, NPV and F1 would be at `prevalence`, sensitivity and specificity being those of the data.

    Intervals combine those of sensitivity and specificity by the square-and-add rule (Newcombe 1998; Zou & Donner
    2008), which takes the two as independent; the prevalence is taken as given.
    """

    prevalence: float
    ppv: Share
    npv: Share
    f1: Share


@dataclass(frozen=True, eq=False)
class ByPatient:
    """Images of each patient by truth and call: `counts` (4, patients) are those of tp, fp, fn and tn.

    An interval is given where each class that a share is made of has `minimum` patients.
    """

    counts: FloatArray
    minimum: int

    @cached_property
    def classes(self) -> ClassPatients:
        """How many patients have a positive image, and how many a negative one."""
        tp, fp, fn, tn = self.counts
        positive, negative = tp + fn > 0, fp + tn > 0
        return ClassPatients(*(int(np.count_nonzero(has)) for has in (positive, negative, positive | negative)))


@dataclass(frozen=True)
class OperatingPoint:
    """Confusion matrix and shares at `threshold`: rows with score >= threshold are called positive.

    `by_patient` holds what the intervals are made of; None where the patients are not known, then there are none. How
    the threshold was found is no part of the intervals.
    """

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    by_patient: ByPatient | None = field(default=None, compare=False, repr=False)

    @property
    def n(self) -> int:
        """The certain rows."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def prevalence(self) -> float | None:
        """Share of positives among the certain rows, at which `ppv`, `npv` and `f1` hold; None without rows."""
        return (self.tp + self.fn) / self.n if self.n else None

    @cached_property
    def sensitivity(self) -> Share:
        """Share of the positives that are called positive (recall, true positive rate)."""
        return self._share("sensitivity", [_TP], [_TP, _FN], NO_POSITIVES)

    @cached_property
    def specificity(self) -> Share:
        """Share of the negatives that are called negative (1 - false positive rate)."""
        return self._share("specificity", [_TN], [_TN, _FP], NO_NEGATIVES)

    @cached_property
    def ppv(self) -> Share:
        """Positive predictive value: share of those called positive that are positive (precision)."""
        return self._share("ppv", [_TP], [_TP, _FP], NOTHING_CALLED_POSITIVE)

    @cached_property
    def npv(self) -> Share:
        """Negative predictive value: share of those called negative that are negative."""
        return self._share("npv", [_TN], [_TN, _FN], NOTHING_CALLED_NEGATIVE)

    @cached_property
    def f1(self) -> Share:
        """Harmonic mean of sensitivity and PPV, 2 TP / (2 TP + FP + FN).

        It is no share of images, but a rising function 2 J / (1 + J) of one: J = TP / (TP + FP + FN), Jaccard's index.
        Its interval is that of J, mapped by that function.
        """
        jaccard = self._share("f1", [_TP], [_TP, _FP, _FN], f"{NO_POSITIVES} and none is called positive")
        if jaccard.value is None:
            return jaccard
        ci = None if jaccard.ci is None else (_f1_of(jaccard.ci[0]), _f1_of(jaccard.ci[1]))
        return replace(jaccard, value=_f1_of(jaccard.value), ci=ci)

    @cached_property
    def alarms(self) -> Share:
        """Share of all certain rows that are called positive, rightly or not."""
        return self._share("alarms", [_TP, _FP], [_TP, _FP, _FN, _TN], NO_ROWS)

    @cached_property
    def false_alarms(self) -> Share:
        """Share of all certain rows that are called positive and are negative."""
        return self._share("false_alarms", [_FP], [_TP, _FP, _FN, _TN], NO_ROWS)

    def at_prevalence(self, prevalence: float) -> PredictiveValues:
        """Return PPV, NPV and F1 where a share `prevalence` of the patients has the finding (Bayes' rule).

        Raises:
            UsageError: the prevalence is not above 0 and below 1.
        """
        if not 0 < prevalence < 1:
            raise UsageError(f"A prevalence must lie between 0 and 1, both excluded. Received: {prevalence:g}.")
        shares = [_at_prevalence(self.sensitivity, self.specificity, prevalence, rule) for rule in _BAYES.values()]
        return PredictiveValues(prevalence, *shares)

    def _share(self, name: str, counting: Sequence[int], among: Sequence[int], why: str) -> Share:
        """Return the share of the rows of the kinds `counting` among those of the kinds `among`."""
        counts = (self.tp, self.fp, self.fn, self.tn)
        n = sum(counts[kind] for kind in among)
        if not n:
            return Share(None, None, why, why)
        interval = self._interval(name, counting, among)
        return Share(sum(counts[kind] for kind in counting) / n, interval.ci, None, interval.why)

    def _interval(self, name: str, counting: Sequence[int], among: Sequence[int]) -> Interval:
        if self.by_patient is None:
            return Interval(None, "the patients are not known", 0)
        few = self.by_patient.classes.why_no_interval(max(self.by_patient.minimum, 2), SHARES[name])
        if few:
            return Interval(None, few, 0)
        each = self.by_patient.counts
        return share_interval(*(reduce(np.add, [each[kind] for kind in kinds]) for kinds in (counting, among)))


def operating_point(
    y: Any, scores: Any, threshold: float, clusters: IntArray | None = None, minimum: int = 2
) -> OperatingPoint:
    """Return what a threshold on the stored scale does to truth `y` (n,) and predictions `scores` (n,).

    Args:
        y: (n,) truth, 0 or 1.
        scores: (n,) predictions as stored.
        threshold: on the stored scale.
        clusters: (n,) each row's patient, numbered from 0; without them there are no intervals.
        minimum: fewest patients of each class for which an interval is given.

    Raises:
        DataError: a score is NaN or infinite.
    """
    positive, called = np.asarray(y) == 1, as_scores(scores) >= threshold
    kind = np.where(positive, np.where(called, _TP, _FN), np.where(called, _FP, _TN))
    if clusters is None:
        return OperatingPoint(float(threshold), *np.bincount(kind, minlength=4).tolist())
    patients = int(clusters.max()) + 1 if clusters.size else 0
    each = np.bincount(clusters * 4 + kind, minlength=4 * patients).reshape(patients, 4).T
    return point_of_patients(threshold, ByPatient(np.ascontiguousarray(each, dtype=np.float64), minimum))


def point_of_patients(threshold: float, by_patient: ByPatient) -> OperatingPoint:
    """Return the operating point at which each patient's rows are called so."""
    tp, fp, fn, tn = (int(count) for count in by_patient.counts.sum(axis=1))
    return OperatingPoint(float(threshold), tp, fp, fn, tn, by_patient)


def _f1_of(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)


def _ppv(sensitivity: FloatArray, specificity: FloatArray, prevalence: float) -> FloatArray:
    true, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return ratio(true, true + false)


def _npv(sensitivity: FloatArray, specificity: FloatArray, prevalence: float) -> FloatArray:
    return _ppv(specificity, sensitivity, 1 - prevalence)


def _f1(sensitivity: FloatArray, specificity: FloatArray, prevalence: float) -> FloatArray:
    true, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return ratio(2 * true, true + false + prevalence)


_BAYES: dict[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = {"ppv": _ppv, "npv": _npv, "f1": _f1}


def _at_prevalence(
    sensitivity: Share,
    specificity: Share,
    prevalence: float,
    rule: Callable[[FloatArray, FloatArray, float], FloatArray],
) -> Share:
    for share in (sensitivity, specificity):
        if share.value is None:
            return Share(None, None, share.why, share.why)
    assert sensitivity.value is not None and specificity.value is not None, "shares without a value were left above"

    def figure(first: float, second: float) -> float:
        return float(rule(np.array(first), np.array(second), prevalence))

    value = figure(sensitivity.value, specificity.value)
    if np.isnan(value):
        why = NOTHING_CALLED_POSITIVE if rule is _ppv else NOTHING_CALLED_NEGATIVE
        return Share(None, None, why, why)
    if sensitivity.ci is None or specificity.ci is None:
        return Share(value, None, None, sensitivity.why_no_ci or specificity.why_no_ci)
    intervals = sensitivity.ci, specificity.ci
    return Share(value, square_and_add(figure, (sensitivity.value, specificity.value), intervals))
