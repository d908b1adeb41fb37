"""How good is a model? All its labels with intervals, and the curves of one label in detail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import TableError, UnknownNameError
from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import CertainRows, certain_rows, label_codes
from cxr_core.evaluation.calibration import Calibration, calibration
from cxr_core.evaluation.curves import (
    PrCurve,
    RocCurve,
    average_precision,
    drawn_vertices,
    pr_curve,
    roc_auc,
    roc_curve,
    why_no_pr,
    why_no_roc,
)
from cxr_core.evaluation.intervals import Interval
from cxr_core.evaluation.labels import Figures, evaluate_labels
from cxr_core.evaluation.operating import (
    OperatingPoint,
    chosen_threshold,
    operating_intervals,
    operating_point,
    youden_threshold,
)
from cxr_core.evaluation.patient_sums import Resampling, resampling_of
from cxr_core.evaluation.probabilities import look_like_probabilities
from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.evaluation.uncertain import ShareAbove, scores_by_value, shares_above
from cxr_core.schema import check_label
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on one data set.

    `scale` says what its stored predictions are; AUC and AP rank them as stored. `n_images` counts the images that
    have both predictions and labels, `unmatched` the predicted ones without labels, which are left out, `duplicated`
    the paths that stand more than once in a table (none of them among the `n_images`, see `joined_predictions`).
    `doubt` is a sentence where the stored predictions do not look like their scale: AUC and AP do not depend on it,
    probabilities do. `figures` also gives means over chosen labels. Of a model whose rows are whole studies, the images
    are studies, and `disagreeing` counts those whose images state different codes of a label (the largest counts).
    """

    model: str
    source: str
    dataset: str
    view: str | None
    scale: str
    labels: dict[str, LabelEvaluation]
    mean_roc_auc: MeanFigure
    mean_average_precision: MeanFigure
    n_images: int
    unmatched: int
    duplicated: int
    figures: Figures
    doubt: str | None = None
    disagreeing: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate --json` prints."""
        return {
            "model": self.model,
            "source": self.source,
            "dataset": self.dataset,
            "view": self.view,
            "scale": self.scale,
            "labels": {label: figures.as_json() for label, figures in self.labels.items()},
        }


@dataclass(frozen=True, eq=False)
class LabelCurves:
    """One label of one model: exact figures, curves thinned for drawing, and answers at a threshold.

    `values`, `scores` and `patients`, each (n,), are the label codes, the stored predictions and the patients of all
    joined images, the uncertain ones included. `roc` and `pr` hold at most 1,600 vertices and draw like all of them;
    they and the figures are None, with the reason in `why` under `roc_auc` or `average_precision`, where they are
    undefined.
    """

    model: str
    label: str
    scale: str
    values: IntArray
    scores: FloatArray
    patients: IntArray
    rows: CertainRows
    roc: RocCurve | None
    pr: PrCurve | None
    roc_auc: float | None
    average_precision: float | None
    why: dict[str, str] = field(default_factory=dict)

    @property
    def prevalence(self) -> float | None:
        """Share of positives among the certain rows, the precision of guessing; None without rows."""
        return self.rows.positives / self.rows.n if self.rows.n else None

    def youden_threshold(self) -> float | None:
        """Return the threshold with the largest sensitivity + specificity, None where ROC is undefined.

        It is chosen on these very rows, so its figures are optimistic.
        """
        return None if self.roc is None else youden_threshold(self.rows.y, self.rows.scores)

    def threshold(self, rule: str, wanted: float | None = None) -> float | None:
        """Return the threshold that a rule of `operating.RULES` chooses on these rows, None where ROC is undefined.

        Raises:
            UsageError: there is no such rule, or `wanted` does not fit it.
        """
        if self.roc is None and rule != "fixed":
            return None
        return chosen_threshold(self.rows.y, self.rows.scores, rule, wanted)

    def operating_point(self, threshold: float) -> OperatingPoint:
        """Return the confusion matrix and its shares when score >= threshold is called positive."""
        return operating_point(self.rows.y, self.rows.scores, threshold)

    def operating_intervals(self, threshold: float, prevalence: float | None = None) -> dict[str, Interval]:
        """Return the patient-cluster interval of each of `operating.SHARES`, also at another prevalence."""
        return operating_intervals(self.rows.y, self.rows.scores, threshold, self.resampling(), prevalence)

    def resampling(self) -> Resampling:
        """Return how the certain rows are resampled under the settings in force."""
        chosen = settings()
        return resampling_of(self.rows, self.patients, chosen.resamples, chosen.minimum_positives)

    def calibration(self, bins: int = 10) -> Calibration:
        """Return the reliability of the probabilities with intervals; empty with a reason where there are none."""
        if self.rows.why:
            return Calibration((), None, None, self.rows.why)
        return calibration(self.rows.y, self.rows.scores, self.scale, bins, self.resampling())

    def shares_above(self, threshold: float) -> dict[str, ShareAbove]:
        """Return, for each label value, the share of its images that score >= threshold."""
        return shares_above(self.values, self.scores, threshold)

    def scores_by_value(self) -> dict[str, FloatArray]:
        """Return the sorted scores of the images with each label value."""
        return scores_by_value(self.values, self.scores)


def evaluate(source_name: str, model: str, dataset: str = "valid", view: str | None = None) -> Evaluation:
    """Evaluate a model's prediction table on every label that it has.

    Predictions and labels are joined by path, both of `dataset`; no view is filtered unless one is given; uncertain
    labels are dropped label by label. A figure that is undefined (one class only, no rows, predictions or labels that
    are missing) is None with its reason. Intervals are 95 % patient-cluster bootstrap, with a fixed seed.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set or view.
        TableError: a table is damaged, or a path is in `dataset` more than once.
        WarehouseError: the warehouse could not answer.
    """
    joined = joined_predictions(source_name, model, dataset, view)
    figures = figures_of(joined.frame, joined.labels)
    return Evaluation(
        model=model,
        source=source_name,
        dataset=dataset,
        view=view,
        scale=joined.scale,
        labels=figures.labels,
        mean_roc_auc=figures.mean_roc_auc,
        mean_average_precision=figures.mean_average_precision,
        n_images=len(joined.frame),
        unmatched=joined.unmatched,
        duplicated=joined.duplicated,
        figures=figures,
        doubt=scale_doubt(predicted(joined.frame, joined.labels), joined.scale),
        disagreeing=joined.disagreeing,
    )


def label_curves(
    source_name: str, model: str, label: str, dataset: str = "valid", view: str | None = None
) -> LabelCurves:
    """Return the curves of one label; raises what `evaluate` raises, also for a label that the model lacks."""
    check_label(label)
    return curves_of(joined_predictions(source_name, model, dataset, view), model, label)


def curves_of(joined: Joined, model: str, label: str) -> LabelCurves:
    """Return the curves of one label from what `joined_predictions` returned for `model`.

    Raises:
        UnknownNameError: the model lacks the label.
    """
    if label not in joined.labels:
        raise UnknownNameError(f"label of model {model}", label, joined.labels)
    values, scores = joined.frame[f"true_{label}"], predicted(joined.frame, [label])[label]
    patients = joined.frame["patient"].to_numpy(dtype=np.int64)
    return _curves(model, label, joined.scale, label_codes(values), scores, patients)


def joined_predictions(source_name: str, model: str, dataset: str, view: str | None) -> Joined:
    """Return a model's predictions beside the labels of the same images, each image once.

    A path that stands twice in either table would count twice (or as a pair of contradicting rows), so it is refused
    with its count; duplicates among predictions without labels touch no figure and are only counted.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set or view.
        TableError: a table is damaged, or a joined path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    joined = get_source(source_name).warehouse().joined(model, dataset, view)
    check_unique_paths(joined.frame, f"The labels and the predictions of {model} on {dataset}")
    return joined


def check_unique_paths(frame: pd.DataFrame, what: str) -> None:
    """Raise `TableError` when a path is in more than one row of `frame`; `what` begins the sentence."""
    repeated = frame.loc[frame["path"].duplicated(), "path"].unique()
    if len(repeated):
        raise TableError(
            f"{what} must have each path once. Received {len(repeated)} paths more than once, first {repeated[0]!r}. "
            "Remove the repeated rows from the table and try again."
        )


def figures_of(frame: pd.DataFrame, labels: Iterable[str]) -> Figures:
    """Evaluate the columns `predicted_<label>` of a joined frame under the settings in force."""
    names, chosen = list(labels), settings()
    return evaluate_labels(
        true_values(frame, names),
        predicted(frame, names),
        frame["patient"].to_numpy(),
        chosen.resamples,
        chosen.minimum_positives,
    )


def true_values(frame: pd.DataFrame, labels: Iterable[str]) -> dict[str, IntArray]:
    """Return the label codes (n,) of a joined frame by label."""
    return {label: frame[f"true_{label}"].to_numpy(dtype=np.int64) for label in labels}


def predicted(frame: pd.DataFrame, labels: Iterable[str]) -> dict[str, FloatArray]:
    """Return the predictions (n,) of a joined frame by label, as stored."""
    return {label: frame[f"predicted_{label}"].to_numpy(dtype=np.float64) for label in labels}


def scale_doubt(scores: Mapping[str, FloatArray], scale: str) -> str | None:
    """Return a sentence when values that are called logits look like probabilities on every label, else None."""
    each = [of_label[np.isfinite(of_label)] for of_label in scores.values()]
    if scale != "logit" or not each or not all(look_like_probabilities(of_label) for of_label in each):
        return None
    return (
        "All predictions lie between 0 and 1 although the table says that they are logits. If they are probabilities, "
        "import them again with that scale; AUC and AP stay as they are."
    )


def _curves(
    model: str, label: str, scale: str, values: IntArray, scores: FloatArray, patients: IntArray
) -> LabelCurves:
    rows = certain_rows(values, scores)
    reasons = {"roc_auc": rows.why or why_no_roc(rows.y), "average_precision": rows.why or why_no_pr(rows.y)}
    why = {figure: reason for figure, reason in reasons.items() if reason}
    has_roc, has_pr = "roc_auc" not in why, "average_precision" not in why
    return LabelCurves(
        model=model,
        label=label,
        scale=scale,
        values=values,
        scores=scores,
        patients=patients,
        rows=rows,
        roc=_drawn_roc(roc_curve(rows.y, rows.scores)) if has_roc else None,
        pr=_drawn_pr(pr_curve(rows.y, rows.scores)) if has_pr else None,
        roc_auc=roc_auc(rows.y, rows.scores) if has_roc else None,
        average_precision=average_precision(rows.y, rows.scores) if has_pr else None,
        why=why,
    )


def _drawn_roc(curve: RocCurve | None) -> RocCurve | None:
    if curve is None:
        return None
    kept = drawn_vertices(curve.fpr, curve.tpr)
    return RocCurve(curve.fpr[kept], curve.tpr[kept], curve.thresholds[kept])


def _drawn_pr(curve: PrCurve | None) -> PrCurve | None:
    if curve is None:
        return None
    kept = drawn_vertices(curve.recall, curve.precision)
    return PrCurve(curve.precision[kept], curve.recall[kept], curve.thresholds[kept])
