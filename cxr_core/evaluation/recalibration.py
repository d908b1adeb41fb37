"""Probabilities made right on one set, to be judged on others: Platt's line on the logit, or an isotonic step.

Platt (1999) fits a logistic regression of the truth on the logit; here by maximum likelihood, without his smoothing of
the targets. Isotonic regression (Zadrozny & Elkan 2002) is the rising function with the least squared error. Neither
changes who scores above whom (isotonic steps make ties), so a threshold on the stored scale stays what it is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from cxr_core.arrays import FloatArray
from cxr_core.errors import UsageError
from cxr_core.evaluation.calibration_fit import logistic_line
from cxr_core.evaluation.defined import why_no_ranking

PLATT, ISOTONIC = "platt", "isotonic"
METHODS = (PLATT, ISOTONIC)
NO_END = "the fit has no end: the predictions separate the classes, or are all equal"


@dataclass(frozen=True)
class Recalibration:
    """A rising function of the logit of a probability.

    Of `platt` the probability is sigmoid(intercept + slope * logit); of `isotonic` it is that of the straight lines
    between the points (`x`, `y`), x being logits, and constant beyond them.
    """

    method: str
    intercept: float = 0.0
    slope: float = 1.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Return the recalibrated probabilities (n,) of logits (n,)."""
        if self.method == PLATT:
            return expit(self.intercept + self.slope * logits)
        return np.interp(logits, self.x, self.y)

    def as_json(self) -> dict[str, Any]:
        """Return what a card keeps."""
        if self.method == PLATT:
            return {"method": PLATT, "intercept": self.intercept, "slope": self.slope}
        return {"method": ISOTONIC, "x": list(self.x), "y": list(self.y)}

    @staticmethod
    def from_json(kept: dict[str, Any]) -> "Recalibration":
        """Return what `as_json` described; raises KeyError, TypeError or ValueError where it is something else."""
        if kept["method"] == PLATT:
            return Recalibration(PLATT, float(kept["intercept"]), float(kept["slope"]))
        x, y = (tuple(float(one) for one in kept[name]) for name in ("x", "y"))
        if kept["method"] != ISOTONIC or len(x) != len(y) or not x or list(x) != sorted(x):
            raise ValueError("a recalibration must be platt, or isotonic with rising points")
        return Recalibration(ISOTONIC, x=x, y=y)


def recalibration(method: str, y: Any, logits: FloatArray) -> tuple[Recalibration | None, str | None]:
    """Fit a method to truth `y` (n,), 0 or 1, and finite logits (n,); None with the reason where there is no fit.

    Raises:
        UsageError: there is no such method.
    """
    if method not in METHODS:
        raise UsageError(f"A recalibration is one of {', '.join(METHODS)}. Received: {method!r}.")
    truth = np.asarray(y, dtype=np.float64)
    why = why_no_ranking(truth.astype(np.int64))
    if why:
        return None, why
    if method == PLATT:
        line = logistic_line(truth, logits)
        return (None, NO_END) if line is None else (Recalibration(PLATT, *line), None)
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logits, truth)
    x, steps = (tuple(float(one) for one in values) for values in (fitted.X_thresholds_, fitted.y_thresholds_))
    return Recalibration(ISOTONIC, x=x, y=steps), None
