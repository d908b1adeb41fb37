"""Calibration before and after a recalibration that was fitted elsewhere."""

from dataclasses import dataclass
from typing import Any

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.calibration import calibration
from cxr_core.evaluation.calibration_fit import calibration_fit
from cxr_core.evaluation.probabilities import logit
from cxr_core.evaluation.recalibration import Recalibration, recalibration
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.tasks.details import label_fit, why_no_fit
from cxr_core.tasks.label_curves import LabelCurves

FIGURES = ("slope", "intercept", "observed_to_expected", "brier", "ece")
Figure = tuple[float | None, Bounds | None]


@dataclass(frozen=True)
class Recalibrated:
    """The figures of calibration before and after, each with its interval; `why` says why there are none."""

    method: str
    before: dict[str, Figure]
    after: dict[str, Figure]
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "method": self.method,
            "before": _as_json(self.before),
            "after": _as_json(self.after),
            "why": self.why,
        }


def fitted_recalibration(curves: LabelCurves, method: str) -> tuple[Recalibration | None, str | None]:
    """Fit a recalibration to the certain rows of a label; None with the reason where there is none."""
    why = why_no_fit(curves)
    return (None, why) if why else recalibration(method, curves.rows.y, _logits(curves))


def judged_recalibration(curves: LabelCurves, fitted: Recalibration) -> Recalibrated:
    """Return the calibration of a label on its certain rows before and after a recalibration."""
    why = why_no_fit(curves)
    if why:
        return Recalibrated(fitted.method, {}, {}, why)
    drawn, rows = curves.resampling(), curves.rows
    p = fitted.probabilities(_logits(curves))
    after = calibration_fit(rows.y, logit(p), drawn.clusters, drawn.minimum)
    reliability = calibration(rows.y, p, "probability", drawn=drawn)
    return Recalibrated(fitted.method, _figures(label_fit(curves), curves.calibration()), _figures(after, reliability))


def _logits(curves: LabelCurves) -> FloatArray:
    return curves.rows.scores if curves.scale == "logit" else logit(curves.rows.scores)


def _figures(*found: Any) -> dict[str, Figure]:
    each = ((name, next(one for one in found if hasattr(one, name))) for name in FIGURES)
    return {name: (getattr(one, name), getattr(one, f"{name}_ci")) for name, one in each}


def _as_json(figures: dict[str, Figure]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, (value, ci) in figures.items():
        document |= {name: value, f"{name}_ci": bounds_as_json(ci)}
    return document
