"""95 % intervals by the patient-cluster bootstrap: percentiles of the resamples, or the reason why there is none."""

from dataclasses import dataclass

import numpy as np

from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.results import Bounds

#: Share of resamples inside an interval.
CONFIDENCE = 0.95
#: An interval is refused when more than this share of the resamples lack a class: what is left is not a fair sample.
LARGEST_UNUSABLE_SHARE = 0.05


@dataclass(frozen=True)
class Interval:
    """A percentile interval, or None with the reason; `unusable` counts the resamples without both classes."""

    ci: Bounds | None
    why: str | None
    unusable: int


def why_no_interval(y: IntArray, clusters: IntArray, minimum: int) -> str | None:
    """Return why the rows are too few for an interval (fewer than `minimum` of a class, or patients), or None."""
    found = {"positives": int(y.sum()), "negatives": int(y.size - y.sum()), "patients": np.unique(clusters).size}
    few = [f"{count} {what}" for what, count in found.items() if count < minimum]
    return f"only {' and '.join(few)}; an interval needs at least {minimum} of each" if few else None


def percentile_interval(replicates: FloatArray) -> Interval:
    """Return the 95 % percentile interval of a figure's `replicates` (resamples,), NaN for unusable resamples.

    Bounds are the 2.5 % and 97.5 % quantiles with linear interpolation (Efron & Tibshirani 1993, section 13.3).
    """
    usable = replicates[~np.isnan(replicates)]
    unusable = replicates.size - usable.size
    if unusable > LARGEST_UNUSABLE_SHARE * replicates.size:
        why = f"{unusable} of {replicates.size} resamples have one class only: one class is of few patients"
        return Interval(None, why, unusable)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval((float(low), float(high)), None, unusable)
