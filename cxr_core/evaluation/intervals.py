"""95 % intervals by patient, or the reason why there is none.

**Areas** (AUC, average precision, their means) lie in [0, 1] and are skewed near its ends: theirs is a Student's t
interval on the logit scale (Pepe 2003, section 5.2.5; the delta method). The standard error follows by formula from
what each patient adds (`areas`) or, where a class has few patients or on request, from resamples: n patients drawn with
replacement vary like n - 1, n being those of the rarer class, so their standard deviation is widened by
sqrt(n / (n - 1)). The degrees of freedom are n - 1, or fewer where few patients make up most of the variance
(`influence.degrees_of_freedom`).

**Differences of means, and sums without such bounds,** have the percentile interval, a little widened where a class
stands on few patients: a normal tail is too thin for so few, so the percentiles are taken at the levels of Student's t
with n - 1 degrees of freedom, times sqrt(n / (n - 1)) ("expanded percentile", Hesterberg 2015, section 5.3). With 30
patients the interval is about 6 % wider than without, with 1,000 it is the same.

How often all these cover is measured in `benchmarks/coverage.py`, which also sets the fewest patients for which an
interval is given.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.special import expit, logit, ndtr, stdtrit

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.defined import ClassPatients, class_patients, why_no_variance
from cxr_core.evaluation.results import Bounds

__all__ = [
    "CONFIDENCE",
    "ClassPatients",
    "Interval",
    "area_interval",
    "class_patients",
    "percentile_interval",
    "resampled_area_interval",
    "resampled_error",
]

#: Fewest patients of the rarer class from which on the formula's intervals are as wide as the bootstrap's, within 3 %,
#: and cover 93 to 97 % (`benchmarks/formula_intervals.py`).
FEWEST_FOR_FORMULA = 100
#: Share of resamples inside an interval, before it is widened.
CONFIDENCE = 0.95
#: An interval is refused when more than this share of the resamples lack a class: what is left is not a fair sample.
LARGEST_UNUSABLE_SHARE = 0.05

# Resamples that differ by rounding alone are the same.
_SAME = 1e-12
_ONE_CLASS = "have one class only: one class is of few patients"


@dataclass(frozen=True)
class Interval:
    """An interval, or None with the reason; `unusable` counts the resamples without both classes."""

    ci: Bounds | None
    why: str | None
    unusable: int


def area_interval(area: float, error: float, freedom: float) -> Interval:
    """Return the 95 % interval of an area in [0, 1].

    Args:
        area: the figure.
        error: its standard error.
        freedom: degrees of freedom of Student's t, above 0.

    Returns:
        logit(area) -+ t * error / (area (1 - area)), as an interval of the area. None where the area is the same
        whichever patients are drawn: then it says nothing of other patients.
    """
    if error < _SAME or not 0 < area < 1:
        return Interval(None, why_no_variance(area), 0)
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error / (area * (1 - area))
    return Interval((float(expit(logit(area) - half)), float(expit(logit(area) + half))), None, 0)


def resampled_area_interval(
    area: float, replicates: FloatArray, patients: int, freedom: float, unusable_because: str = _ONE_CLASS
) -> Interval:
    """Return the 95 % interval of an area whose standard error is that of its `replicates` (resamples,).

    Args:
        area: the figure of the data.
        replicates: the figure of each resample, NaN for unusable resamples.
        patients: patients of the rarer class, two or more.
        freedom: degrees of freedom of Student's t, above 0.
        unusable_because: what unusable resamples do, in words, for the reason of a refusal.
    """
    usable, refused = _usable(replicates, unusable_because)
    if refused:
        return refused
    return replace(area_interval(area, _error(usable, patients), freedom), unusable=replicates.size - usable.size)


def resampled_error(replicates: FloatArray, patients: int) -> tuple[float | None, str | None]:
    """Return the standard error of a figure of these `replicates` (resamples,), or None with the reason.

    Args:
        replicates: the figure of each resample, NaN for unusable resamples.
        patients: patients of the rarer class, two or more.
    """
    usable, refused = _usable(replicates, _ONE_CLASS)
    return (None, refused.why) if refused else (_error(usable, patients), None)


def _error(usable: FloatArray, patients: int) -> float:
    return 0.0 if np.ptp(usable) < _SAME else float(usable.std(ddof=1)) * sqrt(patients / (patients - 1))


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
    usable, refused = _usable(replicates, unusable_because)
    if refused:
        return refused
    unusable = replicates.size - usable.size
    tail = float(ndtr(stdtrit(patients - 1, (1 - CONFIDENCE) / 2) * sqrt(patients / (patients - 1))))
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval((float(low), float(high)), None, unusable)


def _usable(replicates: FloatArray, unusable_because: str) -> tuple[FloatArray, Interval | None]:
    """Return the replicates that are numbers, and a refusal where too few are."""
    usable = replicates[~np.isnan(replicates)]
    unusable = replicates.size - usable.size
    if unusable <= LARGEST_UNUSABLE_SHARE * replicates.size:
        return usable, None
    return usable, Interval(None, f"{unusable} of {replicates.size} resamples {unusable_because}", unusable)
