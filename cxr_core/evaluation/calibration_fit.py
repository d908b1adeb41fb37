"""Are probabilities too extreme, or too high altogether? Calibration slope, intercept, and observed to expected.

The slope is that of a logistic regression of the truth on the logit of the probability (Cox 1958): below 1 they are too
extreme, above 1 too timid. The intercept is that of the regression with the slope held at 1, calibration in the large:
below 0 they are too high. O:E is the number of positives over the sum of the probabilities. Intervals are Student's t
by patient: the sandwich variance of summed scores (Liang & Zeger 1986), for O:E of its logarithm.
"""

from dataclasses import dataclass, field
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy.special import expit

from cxr_core.arrays import FloatArray, IntArray, inner
from cxr_core.evaluation.defined import class_patients, why_no_ranking
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.simultaneous import Difference

_STEPS, _CLOSE = 100, 1e-13
FIGURES = ("slope", "intercept", "observed_to_expected")
_SEPARATED = "the fit has no end: the predictions separate the classes, or are all equal"


@dataclass(frozen=True)
class CalibrationFit:
    """Each figure with its 95 % interval, None where undefined; `why` tells the reason by figure."""

    slope: float | None = None
    slope_ci: Bounds | None = None
    intercept: float | None = None
    intercept_ci: Bounds | None = None
    observed_to_expected: float | None = None
    observed_to_expected_ci: Bounds | None = None
    why: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        document: dict[str, Any] = {}
        for name in FIGURES:
            document |= {name: getattr(self, name), f"{name}_ci": bounds_as_json(getattr(self, f"{name}_ci"))}
        return document | {"why": self.why}


def calibration_fit(y: Any, logits: Any, clusters: IntArray, minimum: int) -> CalibrationFit:
    """Fit the figures to truth `y` (n,), 0 or 1, and finite `logits` (n,) of the probabilities.

    Args:
        y: (n,) truth.
        logits: (n,) log odds of the probabilities.
        clusters: (n,) each row's patient, numbered from 0.
        minimum: fewest patients of each class for which an interval is given.
    """
    y, x = np.asarray(y, dtype=np.float64), np.asarray(logits, dtype=np.float64)
    why = why_no_ranking(y.astype(np.int64))
    if why:
        return CalibrationFit(why=dict.fromkeys(FIGURES, why))
    few = class_patients(y.astype(np.int64), clusters).why_no_interval(max(minimum, 2))
    both = _fitted(y, np.stack([np.ones_like(x), x], axis=1), np.zeros_like(x))
    one = _fitted(y, np.ones((x.size, 1)), x)
    p = expit(x)
    ratio = float(y.sum() / p.sum())
    reasons = {} if both is not None else {"slope": _SEPARATED}
    if few:
        reasons |= {f"{name}_ci": few for name in FIGURES if name not in reasons}
    patients = int(np.unique(clusters).size)

    def around(value: float, error: float) -> Bounds | None:
        return None if few else Difference(value, error, patients - 1).interval()

    slope = None if both is None else (float(both[0][1]), _error(*both, y, clusters, patients, 1))
    intercept = None if one is None else (float(one[0][0]), _error(*one, y, clusters, patients, 0))
    added = sum_by_patient((y - ratio * p) / p.sum(), clusters) / ratio
    bounds = around(log(ratio), sqrt(inner(added, added) * patients / max(patients - 1, 1)))
    return CalibrationFit(
        slope=slope[0] if slope else None,
        slope_ci=around(*slope) if slope else None,
        intercept=intercept[0] if intercept else None,
        intercept_ci=around(*intercept) if intercept else None,
        observed_to_expected=ratio,
        observed_to_expected_ci=None if bounds is None else (exp(bounds[0]), exp(bounds[1])),
        why=reasons,
    )


def logistic_line(y: FloatArray, x: FloatArray) -> tuple[float, float] | None:
    """Return intercept and slope of the logistic regression of truth (n,) on `x` (n,); None where it has no end."""
    both = _fitted(y, np.stack([np.ones_like(x), x], axis=1), np.zeros_like(x))
    return None if both is None else (float(both[0][0]), float(both[0][1]))


def _fitted(y: FloatArray, columns: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return the coefficients (k,) by Newton's steps, the columns (n, k) and the offset; None without an end."""
    coefficients = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        p = expit(columns @ coefficients + offset)
        information = columns.T @ (columns * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, columns.T @ (y - p))
        except np.linalg.LinAlgError:
            return None
        # Half a step where a whole one would leave the region in which the fit is safe.
        largest = float(np.abs(step).max())
        coefficients = coefficients + step * min(1.0, 4.0 / largest if largest else 1.0)
        if not np.isfinite(coefficients).all():
            return None
        if largest <= _CLOSE * max(1.0, float(np.abs(coefficients).max())):
            return coefficients, columns, offset
    return (coefficients, columns, offset) if largest < 1e-10 else None


def _error(
    coefficients: FloatArray,
    columns: FloatArray,
    offset: FloatArray,
    y: FloatArray,
    clusters: IntArray,
    patients: int,
    place: int,
) -> float:
    """Return the standard error of a coefficient by patient."""
    p = expit(columns @ coefficients + offset)
    bread = np.linalg.inv(columns.T @ (columns * (p * (1 - p))[:, None]))
    scores = np.stack([sum_by_patient(column * (y - p), clusters) for column in columns.T], axis=1)
    spread = bread @ (scores.T @ scores) @ bread
    return sqrt(float(spread[place, place]) * patients / max(patients - 1, 1))
