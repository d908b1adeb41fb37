"""95 % intervals and tests by the patient-cluster bootstrap, or the reason why there is none.

The interval is the percentile interval, a little widened where a class stands on few patients: drawn with replacement,
n patients vary like n - 1, and a normal tail is too thin for so few, so the percentiles are taken at the levels of
Student's t with n - 1 degrees of freedom, times sqrt(n / (n - 1)) ("expanded percentile", Hesterberg 2015, section
5.3). n is the number of patients of the rarer class. With 30 patients the interval is about 6 % wider than without,
with 1,000 it is the same. How often it covers is measured in `benchmarks/coverage.py`, which also sets the fewest
patients for which an interval is given.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.results import Bounds

#: Share of resamples inside an interval, before it is widened.
CONFIDENCE = 0.95
#: An interval is refused when more than this share of the resamples lack a class: what is left is not a fair sample.
LARGEST_UNUSABLE_SHARE = 0.05

_ONE_CLASS = "have one class only: one class is of few patients"


@dataclass(frozen=True)
class Interval:
    """A percentile interval, or None with the reason; `unusable` counts the resamples without both classes."""

    ci: Bounds | None
    why: str | None
    unusable: int


@dataclass(frozen=True)
class ClassPatients:
    """How many patients have a positive row, and how many a negative one (a patient can have both)."""

    positive: int
    negative: int

    @property
    def rarer(self) -> int:
        """Patients of the class that fewer patients have: what an interval rests on."""
        return min(self.positive, self.negative)

    def why_no_interval(self, minimum: int) -> str | None:
        """Return why these are too few for an interval (fewer than `minimum` patients of a class), or None."""
        found = {"positive": self.positive, "negative": self.negative}
        few = [f"{count} patients with a {what} label" for what, count in found.items() if count < minimum]
        return f"only {' and '.join(few)}; an interval needs at least {minimum}" if few else None


def class_patients(y: IntArray, clusters: IntArray) -> ClassPatients:
    """Count the patients of each class from truth (n,), 0 or 1, and each row's patient (n,)."""
    return ClassPatients(np.unique(clusters[y == 1]).size, np.unique(clusters[y != 1]).size)


def percentile_interval(replicates: FloatArray, patients: int, unusable_because: str = _ONE_CLASS) -> Interval:
    """Return the 95 % interval of a figure's `replicates` (resamples,), NaN for unusable resamples.

    Args:
        replicates: the figure of each resample.
        patients: patients of the rarer class, by which the interval is widened; two or more.
        unusable_because: what unusable resamples do, in words, for the reason of a refusal.

    Returns:
        Quantiles of the usable replicates with linear interpolation (Efron & Tibshirani 1993, section 13.3), at the
        levels that the module's text states.
    """
    usable = replicates[~np.isnan(replicates)]
    unusable = replicates.size - usable.size
    if unusable > LARGEST_UNUSABLE_SHARE * replicates.size:
        why = f"{unusable} of {replicates.size} resamples {unusable_because}"
        return Interval(None, why, unusable)
    tail = float(ndtr(stdtrit(patients - 1, (1 - CONFIDENCE) / 2) * sqrt(patients / (patients - 1))))
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval((float(low), float(high)), None, unusable)


def bootstrap_p(replicates: FloatArray, patients: int) -> float:
    """Return the two-sided p of "no difference" from the usable replicates (k,) of a difference.

    The percentile interval inverted: 2 min(#(d <= 0) + 1, #(d >= 0) + 1) / (k + 1), at most 1, where the + 1 (Davison &
    Hinkley 1997, section 4.2) keeps it above 0, and then the same widening for few `patients` as that of the interval.
    With k = 2,000 and many patients the smallest possible p is 0.001.
    """
    below, above = np.count_nonzero(replicates <= 0), np.count_nonzero(replicates >= 0)
    plain = min(1.0, 2 * (min(below, above) + 1) / (replicates.size + 1))
    return float(min(1.0, 2 * stdtr(patients - 1, ndtri(plain / 2) * sqrt((patients - 1) / patients))))
