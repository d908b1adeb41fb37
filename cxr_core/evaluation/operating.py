"""One operating point: what calling every score at or above a threshold positive does on the certain rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import as_scores
from cxr_core.evaluation.curves import roc_curve
from cxr_core.evaluation.proportions import wilson_interval
from cxr_core.evaluation.results import Bounds


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % Wilson interval; or None with a reason in `why`."""

    value: float | None
    ci: Bounds | None
    why: str | None = None


@dataclass(frozen=True)
class OperatingPoint:
    """Confusion matrix and shares at `threshold`: rows with score >= threshold are called positive."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int

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


def operating_point(y: Any, scores: Any, threshold: float) -> OperatingPoint:
    """Return the confusion matrix of truth `y` (n,) and predictions `scores` (n,) at a threshold on the stored scale.

    Raises:
        DataError: a score is NaN or infinite.
    """
    positive, called = np.asarray(y) == 1, as_scores(scores) >= threshold
    fn, tp = np.bincount(called[positive], minlength=2).tolist()
    tn, fp = np.bincount(called[~positive], minlength=2).tolist()
    return OperatingPoint(float(threshold), tp, fp, fn, tn)


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


def _share(count: int, n: int, why: str) -> Share:
    return Share(count / n, wilson_interval(count, n)) if n else Share(None, None, why)


def _f1_of(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
