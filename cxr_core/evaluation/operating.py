"""One operating point: what calling every score at or above a threshold positive does on the certain rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.errors import UsageError
from cxr_core.evaluation.arrays import FloatArray, as_scores
from cxr_core.evaluation.curves import roc_curve
from cxr_core.evaluation.intervals import Interval, class_patients, percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio, resampled_sums
from cxr_core.evaluation.proportions import square_and_add, wilson_interval
from cxr_core.evaluation.results import Bounds

#: How a threshold can be chosen, in words for people.
RULES: dict[str, str] = {
    "youden": "largest sensitivity + specificity (Youden)",
    "sensitivity": "largest threshold that reaches a wanted sensitivity",
    "specificity": "smallest threshold that reaches a wanted specificity",
    "fixed": "a threshold of your own, on the stored scale",
}
#: The shares of an operating point.
SHARES: tuple[str, ...] = ("sensitivity", "specificity", "ppv", "npv", "f1")

_NOTHING_CALLED = "call nothing positive, or nothing negative"


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % Wilson interval; or None with a reason in `why`."""

    value: float | None
    ci: Bounds | None
    why: str | None = None


@dataclass(frozen=True)
class PredictiveValues:
    """What PPV, NPV and F1 would be at `prevalence`, sensitivity and specificity being those of the data.

    Intervals combine the Wilson intervals of sensitivity and specificity by the square-and-add rule (Newcombe 1998;
    Zou & Donner 2008); the prevalence is taken as given.
    """

    prevalence: float
    ppv: Share
    npv: Share
    f1: Share


@dataclass(frozen=True)
class OperatingPoint:
    """Confusion matrix and shares at `threshold`: rows with score >= threshold are called positive."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def prevalence(self) -> float | None:
        """Share of positives among the certain rows, at which `ppv`, `npv` and `f1` hold; None without rows."""
        n = self.tp + self.fp + self.fn + self.tn
        return (self.tp + self.fn) / n if n else None

    @property
    def sensitivity(self) -> Share:
        """Share of the positives that are called positive (recall, true positive rate)."""
        return _share(self.tp, self.tp + self.fn, "there are no positives")

    @property
    def specificity(self) -> Share:
        """Share of the negatives that are called negative (1 - false positive rate)."""
        return _share(self.tn, self.tn + self.fp, "there are no negatives")

    @property
    def ppv(self) -> Share:
        """Positive predictive value: share of those called positive that are positive (precision)."""
        return _share(self.tp, self.tp + self.fp, "nothing is called positive")

    @property
    def npv(self) -> Share:
        """Negative predictive value: share of those called negative that are negative."""
        return _share(self.tn, self.tn + self.fn, "nothing is called negative")

    @property
    def f1(self) -> Share:
        """Harmonic mean of sensitivity and PPV, 2 TP / (2 TP + FP + FN).

        It is no proportion, but a rising function 2 J / (1 + J) of one: J = TP / (TP + FP + FN), Jaccard's index. Its
        interval is Wilson's interval of J, mapped by that function.
        """
        jaccard = _share(self.tp, self.tp + self.fp + self.fn, "there are no positives and none is called positive")
        if jaccard.value is None or jaccard.ci is None:
            return jaccard
        return Share(_f1_of(jaccard.value), (_f1_of(jaccard.ci[0]), _f1_of(jaccard.ci[1])))

    def at_prevalence(self, prevalence: float) -> PredictiveValues:
        """Return PPV, NPV and F1 where a share `prevalence` of the patients has the finding (Bayes' rule).

        Raises:
            UsageError: the prevalence is not above 0 and below 1.
        """
        if not 0 < prevalence < 1:
            raise UsageError(f"A prevalence must lie between 0 and 1, both excluded. Received: {prevalence:g}.")
        shares = [_at_prevalence(self.sensitivity, self.specificity, prevalence, rule) for rule in _BAYES.values()]
        return PredictiveValues(prevalence, *shares)


def operating_point(y: Any, scores: Any, threshold: float) -> OperatingPoint:
    """Return the confusion matrix of truth `y` (n,) and predictions `scores` (n,) at a threshold on the stored scale.

    Raises:
        DataError: a score is NaN or infinite.
    """
    positive, called = np.asarray(y) == 1, as_scores(scores) >= threshold
    fn, tp = np.bincount(called[positive], minlength=2).tolist()
    tn, fp = np.bincount(called[~positive], minlength=2).tolist()
    return OperatingPoint(float(threshold), tp, fp, fn, tn)


def operating_intervals(
    y: Any, scores: Any, threshold: float, drawn: Resampling, prevalence: float | None = None
) -> dict[str, Interval]:
    """Return the patient-cluster bootstrap interval of each of `SHARES` at a fixed threshold.

    Wilson's intervals take images as independent; these do not. How the threshold was found is no part of them.

    Args:
        y: (m,) truth, 0 or 1.
        scores: (m,) predictions as stored.
        threshold: on the stored scale.
        drawn: how the m rows are resampled.
        prevalence: where PPV, NPV and F1 are wanted; that of each resample when it is not given.

    Raises:
        DataError: a score is NaN or infinite.
    """
    y, called = np.asarray(y, dtype=np.int64), as_scores(scores) >= threshold
    counted = class_patients(y, drawn.clusters)
    why = counted.why_no_interval(max(drawn.minimum, 2))
    if why:
        return {name: Interval(None, why, 0) for name in SHARES}
    columns = [(y == 1) & called, (y != 1) & called, (y == 1) & ~called, (y != 1) & ~called]
    tp, fp, fn, tn = resampled_sums(columns, drawn)
    sensitivity, specificity = ratio(tp, tp + fn), ratio(tn, tn + fp)
    if prevalence is None:
        values = [ratio(tp, tp + fp), ratio(tn, tn + fn), ratio(2 * tp, 2 * tp + fp + fn)]
    else:
        values = [rule(sensitivity, specificity, prevalence) for rule in _BAYES.values()]
    each = zip(SHARES, [sensitivity, specificity, *values], strict=True)
    return {name: percentile_interval(replicates, counted.rarer, _NOTHING_CALLED) for name, replicates in each}


def chosen_threshold(y: Any, scores: Any, rule: str, wanted: float | None = None) -> float | None:
    """Return the threshold that a rule of `RULES` chooses on these rows, or None when only one class is there.

    Chosen and judged on the same rows, it looks better than it will be on new ones.

    Args:
        y: (n,) truth, 0 or 1.
        scores: (n,) predictions as stored.
        rule: a key of `RULES`.
        wanted: the sensitivity or specificity that is wanted, above 0 and at most 1, or the fixed threshold.

    Raises:
        DataError: a score is NaN or infinite.
        UsageError: there is no such rule, or `wanted` does not fit it.
    """
    if rule not in RULES:
        raise UsageError(f"A threshold is chosen by one of {', '.join(RULES)}. Received: {rule!r}.")
    if rule == "youden":
        return youden_threshold(y, scores)
    if rule == "fixed":
        if wanted is None or not np.isfinite(wanted):
            raise UsageError(f"A fixed threshold must be a finite number. Received: {wanted}.")
        return float(wanted)
    if wanted is None or not 0 < wanted <= 1:
        raise UsageError(f"A wanted {rule} must be above 0 and at most 1. Received: {wanted}.")
    return (threshold_for_sensitivity if rule == "sensitivity" else threshold_for_specificity)(y, scores, wanted)


def youden_threshold(y: Any, scores: Any) -> float | None:
    """Return the score with the largest sensitivity + specificity - 1 (Youden 1950), the largest one of several.

    None when only one class is there. Chosen and judged on the same rows, it looks better than it will be on new ones.

    Raises:
        DataError: a score is NaN or infinite.
    """
    curve = roc_curve(y, scores)
    if curve is None:
        return None
    # Calling nothing positive (the first vertex) is no better than calling all so (the last).
    return float(curve.thresholds[1:][np.argmax((curve.tpr - curve.fpr)[1:])])


def threshold_for_sensitivity(y: Any, scores: Any, wanted: float) -> float | None:
    """Return the largest score at which the sensitivity is at least `wanted`, None when only one class is there."""
    curve = roc_curve(y, scores)
    return None if curve is None else float(curve.thresholds[np.argmax(curve.tpr >= wanted)])


def threshold_for_specificity(y: Any, scores: Any, wanted: float) -> float | None:
    """Return the smallest threshold with a specificity of at least `wanted`, None when only one class is there.

    It lies just above all scores when even the largest score belongs to too many negatives.
    """
    curve = roc_curve(y, scores)
    if curve is None:
        return None
    return float(curve.thresholds[np.flatnonzero(1 - curve.fpr >= wanted)[-1]])


def _share(count: int, n: int, why: str) -> Share:
    return Share(count / n, wilson_interval(count, n)) if n else Share(None, None, why)


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
        if share.value is None or share.ci is None:
            return Share(None, None, share.why)

    def figure(first: float, second: float) -> float:
        return float(rule(np.array(first), np.array(second), prevalence))

    assert sensitivity.value is not None and specificity.value is not None, "shares without a value were left above"
    assert sensitivity.ci is not None and specificity.ci is not None, "a share with a value has an interval"
    value = figure(sensitivity.value, specificity.value)
    if np.isnan(value):
        return Share(None, None, "nothing is called positive" if rule is _ppv else "nothing is called negative")
    return Share(
        value, square_and_add(figure, (sensitivity.value, specificity.value), (sensitivity.ci, specificity.ci))
    )
