"""All labels of one model or of several at once: figures, their intervals, and means over labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.areas import FIGURES, Area
from cxr_core.evaluation.intervals import Interval, resampled_area_interval
from cxr_core.evaluation.judged_labels import JudgedLabel, judge_labels
from cxr_core.evaluation.means import LabelsOfFigure, labels_of_figure
from cxr_core.evaluation.results import AUTO, BOOTSTRAP, FORMULA, LabelEvaluation, MeanFigure
from cxr_core.progress import hand_over

__all__ = ["FIGURES", "Figures", "evaluate_labels", "evaluate_models", "figures_of"]


@dataclass(frozen=True)
class Figures:
    """The evaluation of each label, and the mean AUC and AP over the labels on which they are defined.

    `each` holds what means are made of, by figure.
    """

    labels: dict[str, LabelEvaluation]
    each: dict[str, LabelsOfFigure] = field(repr=False, compare=False)

    @property
    def mean_roc_auc(self) -> MeanFigure:
        """The mean AUC over all labels that have one."""
        return self.mean("roc_auc")

    @property
    def mean_average_precision(self) -> MeanFigure:
        """The mean average precision over all labels that have one."""
        return self.mean("average_precision")

    def mean(self, figure: str = "roc_auc", labels: Sequence[str] | None = None) -> MeanFigure:
        """Return the mean of a figure of `FIGURES` over chosen labels, or over all, with its interval.

        Raises:
            UnknownNameError: there is no such figure, or the model lacks a label.
        """
        if figure not in FIGURES:
            raise UnknownNameError("figure", figure, list(FIGURES))
        names = list(self.labels)
        chosen = names if labels is None else list(labels)
        for label in chosen:
            if label not in self.labels:
                raise UnknownNameError("label of this model", label, names)
        return self.each[figure].mean(chosen)


def evaluate_labels(
    values: Mapping[str, Any],
    scores: Mapping[str, Any],
    patients: Any,
    resamples: int,
    minimum: int,
    method: str = AUTO,
) -> Figures:
    """Evaluate predictions on every label that a model has.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing; may hold labels that the model lacks.
        scores: label -> predictions (n,) as stored, on any scale.
        patients: (n,) the patient of each row, of any type that sorts.
        resamples: number of resamples, where intervals are the bootstrap's.
        minimum: fewest patients with a positive, and with a negative row, for which an interval is given.
        method: of the intervals, `AUTO`, `FORMULA` or `BOOTSTRAP`.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    return evaluate_models(values, {"": scores}, patients, resamples, minimum, method)[""]


def evaluate_models(
    values: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    patients: Any,
    resamples: int,
    minimum: int,
    method: str = AUTO,
) -> dict[str, Figures]:
    """Evaluate several models that predict the same n rows; arguments as of `evaluate_labels`, the models by name.

    The models may have different labels. Where patients are resampled, all models and labels share the resamples.
    Each `LabelEvaluation` that needs no resamples is handed over as soon as it is there (`progress.hand_over`).

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """

    def found(label: str, of_models: Mapping[str, JudgedLabel]) -> None:
        for one in of_models.values():
            hand_over(label_evaluation(label, one, minimum))

    judged = judge_labels(values, models, patients, resamples, minimum, method, found)
    return {model: figures_of(of_model, minimum) for model, of_model in judged.items()}


def figures_of(judged: Mapping[str, JudgedLabel], minimum: int) -> Figures:
    """Return the figures of one model from its judged labels."""
    return Figures(
        {label: label_evaluation(label, one, minimum) for label, one in judged.items()},
        {figure: labels_of_figure(figure, position, judged, minimum) for position, figure in enumerate(FIGURES)},
    )


def label_evaluation(label: str, judged: JudgedLabel, minimum: int) -> LabelEvaluation:
    """Return the figures of one judged label."""
    refused = judged.why or judged.counted.why_no_interval(max(minimum, 2))
    auc, ap = (_interval(judged, figure, refused) for figure in FIGURES)
    reasons = {
        "roc_auc": judged.why,
        "roc_auc_ci": auc.why,
        "average_precision": judged.why,
        "average_precision_ci": ap.why,
    }
    return LabelEvaluation(
        label=label,
        n=judged.n,
        n_positive=judged.n_positive,
        n_uncertain_dropped=judged.uncertain,
        n_patients=judged.counted.all,
        roc_auc=_value(judged, "roc_auc"),
        roc_auc_ci=auc.ci,
        average_precision=_value(judged, "average_precision"),
        average_precision_ci=ap.ci,
        n_positive_patients=judged.counted.positive,
        n_missing=judged.missing,
        first_missing=judged.first_missing,
        unusable_resamples=_unusable(judged.replicates),
        why={figure: reason for figure, reason in reasons.items() if reason},
        ci_method=None if auc.ci is None and ap.ci is None else BOOTSTRAP if judged.replicates is not None else FORMULA,
    )


def _value(judged: JudgedLabel, figure: str) -> float | None:
    return judged.areas[figure].value if figure in judged.areas else None


def _unusable(replicates: FloatArray | None) -> int:
    return 0 if replicates is None else int(np.count_nonzero(np.isnan(replicates[:, 0])))


def _interval(judged: JudgedLabel, figure: str, refused: str | None) -> Interval:
    why = refused or (judged.why_no_auc_interval if figure == "roc_auc" else None)
    if why:
        return Interval(None, why, 0)
    area: Area = judged.areas[figure]
    if judged.replicates is None:
        return area.interval()
    replicates = judged.replicates[:, list(FIGURES).index(figure)]
    return resampled_area_interval(area.value, replicates, judged.counted.rarer, area.freedom)
