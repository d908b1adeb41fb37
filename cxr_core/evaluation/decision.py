"""Net benefit: what acting on a probability at or above a threshold is worth (Vickers & Elkin 2006).

Who acts from a probability t on weighs a missed finding (1 - t) / t times as much as a needless action. The net benefit
is the share of true positives less that of false ones times t / (1 - t); acting on nobody has 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import UsageError
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.results import Bounds
from cxr_core.evaluation.simultaneous import clustered

#: Where a curve is drawn: in steps of one percent.
THRESHOLDS: tuple[float, ...] = tuple(percent / 100 for percent in range(1, 100))


@dataclass(frozen=True)
class NetBenefit:
    """At one threshold: of the model with its 95 % interval by patient, and of acting on everybody."""

    threshold: float
    model: float
    ci: Bounds | None
    treat_all: float


def net_benefits(
    y: Any, probabilities: Any, clusters: IntArray, minimum: int, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[NetBenefit, ...]:
    """Return the net benefit at each threshold; empty without rows.

    Args:
        y: (n,) truth, 0 or 1.
        probabilities: (n,) in [0, 1].
        clusters: (n,) each row's patient, numbered from 0.
        minimum: fewest patients of each class for which an interval is given.
        thresholds: probabilities, above 0 and below 1.

    Returns:
        The intervals are Student's t for a mean over rows of which those of a patient go together (Cochran 1977).

    Raises:
        UsageError: a threshold is not above 0 and below 1.
    """
    wrong = [one for one in thresholds if not 0 < one < 1]
    if wrong:
        raise UsageError(f"A threshold of a decision must be above 0 and below 1. Received: {wrong[0]:g}.")
    y, p = np.asarray(y) == 1, np.asarray(probabilities, dtype=np.float64)
    if not y.size:
        return ()
    few = class_patients(y.astype(np.int64), clusters).why_no_interval(max(minimum, 2))
    found = []
    for one in thresholds:
        odds, called = one / (1 - one), p >= one
        worth = (called & y) - odds * (called & ~y)
        everybody = float(np.mean(y) - odds * np.mean(~y))
        ci = None if few else _mean_interval(worth, clusters)
        found.append(NetBenefit(float(one), float(worth.mean()), ci, everybody))
    return tuple(found)


def _mean_interval(values: FloatArray, clusters: IntArray) -> Bounds | None:
    mean = float(values.mean())
    added = sum_by_patient(values - mean, clusters) / values.size
    patients = int(np.unique(clusters).size)
    found = clustered(mean, added, patients)
    return found.interval() if found else None
