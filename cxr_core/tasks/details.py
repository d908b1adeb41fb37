"""What a paper asks of a label beyond AUC: calibration fit, net benefit, the part of the ROC curve that matters."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.calibration import Calibration, why_no_probabilities
from cxr_core.evaluation.calibration_fit import FIGURES, CalibrationFit, calibration_fit
from cxr_core.evaluation.decision import NetBenefit, net_benefits
from cxr_core.evaluation.partial_auc import RocPart, roc_part
from cxr_core.evaluation.probabilities import logit
from cxr_core.evaluation.results import bounds_as_json
from cxr_core.tasks.judging import joined_predictions
from cxr_core.tasks.label_curves import LabelCurves, curves_of

#: Bins of the histogram of the probabilities, of equal width from 0 to 1.
HISTOGRAM_BINS = 20
#: Where the part of the ROC curve begins where nobody says.
SPECIFICITY = 0.9


@dataclass(frozen=True)
class LabelDetails:
    """One label of one model; `why` says why there are no probabilities, and so no calibration and no net benefit."""

    calibration: CalibrationFit
    reliability: Calibration
    net_benefit: tuple[NetBenefit, ...]
    roc_part: RocPart
    why: str | None = None
    histogram: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        benefits = [
            {
                "threshold": one.threshold,
                "net_benefit": one.model,
                "net_benefit_ci": bounds_as_json(one.ci),
                "treat_all": one.treat_all,
            }
            for one in self.net_benefit
        ]
        return {
            "calibration": self.calibration.as_json(),
            "reliability": _reliability_as_json(self.reliability) | {"histogram": list(self.histogram)},
            "decision_curve": benefits,
            "roc_part": self.roc_part.as_json(),
            "why": self.why,
        }


def all_details(
    source_name: str, model: str, dataset: str, view: str | None, judge: str, specificity: float = SPECIFICITY
) -> dict[str, LabelDetails]:
    """Return the details of every label of a model on one data set; raises as `evaluate` and `label_details` do."""
    joined = joined_predictions(source_name, model, dataset, view, judge)
    return {label: label_details(curves_of(joined, model, label), specificity) for label in joined.labels}


def label_details(curves: LabelCurves, specificity: float = SPECIFICITY) -> LabelDetails:
    """Return the details of a label on its certain rows, at specificities of `specificity` and more.

    Raises:
        UsageError: the specificity is not above 0 and below 1.
    """
    rows, drawn = curves.rows, curves.resampling()
    part = RocPart(specificity, why=rows.why) if rows.why else roc_part(rows.y, rows.scores, specificity, drawn)
    why = why_no_fit(curves)
    fit, reliability = label_fit(curves), curves.calibration()
    if why:
        return LabelDetails(fit, reliability, (), part, why)
    return LabelDetails(fit, reliability, label_benefits(curves), part, histogram=label_histogram(curves))


def label_benefits(curves: LabelCurves) -> tuple[NetBenefit, ...]:
    """Return the decision curve of a label on its certain rows; empty where there are no probabilities."""
    drawn = curves.resampling()
    if why_no_fit(curves):
        return ()
    return net_benefits(curves.rows.y, _probabilities(curves), drawn.clusters, drawn.minimum)


def label_histogram(curves: LabelCurves) -> tuple[int, ...]:
    """Return how many certain images have a probability in each of `HISTOGRAM_BINS` bins; empty without probabilities.

    The last bin holds 1 too.
    """
    if why_no_fit(curves):
        return ()
    counts, _ = np.histogram(_probabilities(curves), HISTOGRAM_BINS, (0, 1))
    return tuple(counts.tolist())


def _probabilities(curves: LabelCurves) -> FloatArray:
    return expit(curves.rows.scores) if curves.scale == "logit" else curves.rows.scores


def label_fit(curves: LabelCurves) -> CalibrationFit:
    """Return calibration slope, intercept and O:E of a label on its certain rows."""
    rows, drawn, why = curves.rows, curves.resampling(), why_no_fit(curves)
    if why:
        return CalibrationFit(why=dict.fromkeys(FIGURES, why))
    logits = rows.scores if curves.scale == "logit" else logit(rows.scores)
    return calibration_fit(rows.y, logits, drawn.clusters, drawn.minimum)


def why_no_fit(curves: LabelCurves) -> str | None:
    """Return why a label has no probabilities to be judged, or None."""
    return curves.left_out.why or why_no_probabilities(curves.rows.scores, curves.scale)


def _reliability_as_json(found: Calibration) -> dict[str, Any]:
    bins = [
        {
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "mean_predicted": one.mean_predicted,
            "observed": one.observed,
            "observed_ci": bounds_as_json(one.observed_ci),
        }
        for one in found.bins
    ]
    figures = {"brier": found.brier, "brier_ci": bounds_as_json(found.brier_ci), "ece": found.ece}
    return figures | {"ece_ci": bounds_as_json(found.ece_ci), "bins": bins, "why": found.why or found.why_no_ci}
