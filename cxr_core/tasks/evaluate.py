"""How good is a model? All its labels with intervals, and the curves of one label in detail."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.curves import curves
from cxr_core.evaluation.labels import FIGURES, Figures, evaluate_labels
from cxr_core.evaluation.probabilities import scale_doubt
from cxr_core.evaluation.readers import ReaderPoint, points_of_judges, points_of_others
from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.evaluation.verdicts import majority
from cxr_core.schema import REPORT, check_label
from cxr_core.settings import settings
from cxr_core.tasks.evaluate_sums import SummedModel, summed_model
from cxr_core.tasks.judging import JudgedRows, check_unique_paths, joined_predictions, judged_predictions
from cxr_core.tasks.label_curves import LabelCurves, curves_of

__all__ = [
    "Evaluation",
    "LabelCurves",
    "check_unique_paths",
    "curves_of",
    "evaluate",
    "figures_of",
    "joined_predictions",
    "label_curves",
    "predicted",
    "scale_doubt",
    "true_values",
]

#: What figures are computed from.
ROWS, SUMS = "rows", "sums"


@dataclass(frozen=True)
class Evaluation:
    """A model's figures on one data set.

    `scale` says what its stored predictions are; AUC and AP rank them as stored. `n_images` counts the images that
    have both predictions and labels, `unmatched` the predicted ones without labels, which are left out, `duplicated`
    the paths that stand more than once in a table (none of them among the `n_images`, see `joined_predictions`).
    `doubt` is a sentence where the stored predictions do not look like their scale: AUC and AP do not depend on it,
    probabilities do. `figures` also gives means over chosen labels. Of a model whose rows are whole studies, the images
    are studies, and `disagreeing` counts those whose images state different codes of a label (the largest counts).
    `judge` is who says what is positive: the report, the truth, or a set of readings; on `n_no_verdict` of the images
    the judge says nothing. `readers` are the points of all readers of the source by label, where a set judges.
    `computed_from` is `rows`, or `sums` where these were too many to be fetched: then `bounds` of each label say by how
    much a figure can be wrong.
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
    judge: str = REPORT
    n_no_verdict: int = 0
    readers: dict[str, list[ReaderPoint]] = field(default_factory=dict)
    computed_from: str = ROWS

    def as_json(self) -> dict[str, Any]:
        """Return what `evaluate --json` prints."""
        return {
            "model": self.model,
            "source": self.source,
            "dataset": self.dataset,
            "view": self.view,
            "scale": self.scale,
            "n_images": self.n_images,
            "unmatched": self.unmatched,
            "duplicated": self.duplicated,
            "disagreeing": self.disagreeing,
            "doubt": self.doubt,
            "judge": self.judge,
            "computed_from": self.computed_from,
            "n_no_verdict": self.n_no_verdict,
            "labels": {label: self._label_as_json(label, figures) for label, figures in self.labels.items()},
            "mean": {name: self.figures.mean(name).as_json() for name in FIGURES},
        }

    def _label_as_json(self, label: str, figures: LabelEvaluation) -> dict[str, Any]:
        """Return the figures of a label; where not the report judges, what was left out had no verdict."""
        if self.judge == REPORT:
            return figures.as_json()
        left_out = {"n_uncertain_dropped": 0, "n_no_verdict": figures.n_uncertain_dropped + self.n_no_verdict}
        points = {"readers": [point.as_json() for point in self.readers[label]]} if label in self.readers else {}
        return figures.as_json() | left_out | points


def evaluate(
    source_name: str, model: str, dataset: str = "valid", view: str | None = None, judge: str = REPORT
) -> Evaluation:
    """Evaluate a model's prediction table on every label that it has.

    Predictions and labels are joined by path, both of `dataset`; no view is filtered unless one is given; uncertain
    labels are dropped label by label, and so are rows that lack the label's value or prediction, which are counted. A
    figure that is undefined (one class only, no rows, more than 5 % missing) is None with its reason. Intervals are
    95 %, by patient: by formula, or by a bootstrap with a fixed seed (the setting `intervals`). `judge` is `report`,
    `truth` or the name of a set of readings.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set, view or judge.
        UsageError: the judge says nothing on the images.
        TableError: a table is damaged, or a path is in `dataset` more than once.
        WarehouseError: the warehouse could not answer.
    """
    return _evaluated(source_name, model, dataset, view, judge, None)


def evaluate_label(
    source_name: str, model: str, label: str, dataset: str = "valid", view: str | None = None, judge: str = REPORT
) -> Evaluation:
    """Return what `evaluate` returns, with one of its labels only: its figures are the same, and there much sooner.

    All labels are there where figures come from sums, as one question asks for all; none where the model lacks it.
    """
    return _evaluated(source_name, model, dataset, view, judge, label)


def _evaluated(
    source_name: str, model: str, dataset: str, view: str | None, judge: str, label: str | None
) -> Evaluation:
    if judge == REPORT and (summed := summed_model(source_name, model, dataset, view)) is not None:
        return _from_sums(summed, source_name, model, dataset, view)
    judged = judged_predictions(source_name, model, dataset, view, judge)
    joined = judged.joined
    asked = [name for name in joined.labels if label in (None, name)]
    figures = figures_of(joined.frame, asked)
    labels = {label: _with_example(found, joined.frame["path"]) for label, found in figures.labels.items()}
    return Evaluation(
        model=model,
        source=source_name,
        dataset=dataset,
        view=view,
        scale=joined.scale,
        labels=labels,
        mean_roc_auc=figures.mean_roc_auc,
        mean_average_precision=figures.mean_average_precision,
        n_images=len(joined.frame) + judged.no_verdict,
        unmatched=joined.unmatched,
        duplicated=joined.duplicated,
        figures=figures,
        doubt=scale_doubt(predicted(joined.frame, joined.labels), joined.scale),
        disagreeing=joined.disagreeing,
        judge=judge,
        n_no_verdict=judged.no_verdict,
        readers={name: reader_points(judged, name) for name in asked} if judged.votes else {},
    )


def _from_sums(summed: SummedModel, source_name: str, model: str, dataset: str, view: str | None) -> Evaluation:
    figures, tables = summed.figures, summed.tables
    return Evaluation(
        model=model,
        source=source_name,
        dataset=dataset,
        view=view,
        scale=tables.scale,
        labels=figures.labels,
        mean_roc_auc=figures.mean_roc_auc,
        mean_average_precision=figures.mean_average_precision,
        n_images=tables.n_images,
        unmatched=tables.unmatched,
        duplicated=0,
        figures=figures,
        doubt=scale_doubt(summed.knots, tables.scale),
        computed_from=SUMS,
    )


def reader_points(judged: JudgedRows, label: str) -> list[ReaderPoint]:
    """Return each reader of the source on one label: those of the judging set by the others, the others by the judge.

    The curves that the points are held against are the model's, judged by the judge.
    """
    rows = certain_rows(
        true_values(judged.joined.frame, [label])[label], predicted(judged.joined.frame, [label])[label]
    )
    drawn = curves(rows.y, rows.scores)
    own = judged.votes[judged.judge]
    points = points_of_judges(own.of(label), own.readers, judged.judge, drawn)
    for name, votes in judged.votes.items():
        if name != judged.judge:
            points += points_of_others(votes.of(label), votes.readers, name, majority(own.of(label)), drawn)
    return points


def _with_example(found: LabelEvaluation, paths: pd.Series) -> LabelEvaluation:
    if found.first_missing is None:
        return found
    return replace(found, missing_example=str(paths.iloc[found.first_missing]))


def label_curves(
    source_name: str,
    model: str,
    label: str,
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
) -> LabelCurves:
    """Return the curves of one label; raises what `evaluate` raises, also for a label that the model lacks."""
    check_label(label)
    return curves_of(joined_predictions(source_name, model, dataset, view, judge), model, label)


def figures_of(frame: pd.DataFrame, labels: Iterable[str]) -> Figures:
    """Evaluate the columns `predicted_<label>` of a joined frame under the settings in force."""
    names, chosen = list(labels), settings()
    return evaluate_labels(
        true_values(frame, names),
        predicted(frame, names),
        frame["patient"].to_numpy(),
        chosen.resamples,
        chosen.minimum_positives,
        chosen.intervals,
    )


def true_values(frame: pd.DataFrame, labels: Iterable[str]) -> dict[str, IntArray]:
    """Return the label codes (n,) of a joined frame by label."""
    return {label: frame[f"true_{label}"].to_numpy(dtype=np.int64) for label in labels}


def predicted(frame: pd.DataFrame, labels: Iterable[str]) -> dict[str, FloatArray]:
    """Return the predictions (n,) of a joined frame by label, as stored."""
    return {label: frame[f"predicted_{label}"].to_numpy(dtype=np.float64) for label in labels}
