"""How good is a model? All its labels with intervals, and the curves of one label in detail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import TableError
from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.labels import Figures, evaluate_labels
from cxr_core.evaluation.probabilities import look_like_probabilities
from cxr_core.evaluation.results import LabelEvaluation, MeanFigure
from cxr_core.schema import check_label
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source
from cxr_core.tasks.label_curves import LabelCurves, curves_of
from cxr_core.warehouse.answers import Joined

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
            "n_images": self.n_images,
            "unmatched": self.unmatched,
            "duplicated": self.duplicated,
            "disagreeing": self.disagreeing,
            "doubt": self.doubt,
            "labels": {label: figures.as_json() for label, figures in self.labels.items()},
        }


def evaluate(source_name: str, model: str, dataset: str = "valid", view: str | None = None) -> Evaluation:
    """Evaluate a model's prediction table on every label that it has.

    Predictions and labels are joined by path, both of `dataset`; no view is filtered unless one is given; uncertain
    labels are dropped label by label, and so are rows that lack the label's value or prediction, which are counted. A
    figure that is undefined (one class only, no rows, more than 5 % missing) is None with its reason. Intervals are
    95 % patient-cluster bootstrap, with a fixed seed.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set or view.
        TableError: a table is damaged, or a path is in `dataset` more than once.
        WarehouseError: the warehouse could not answer.
    """
    joined = joined_predictions(source_name, model, dataset, view)
    figures = figures_of(joined.frame, joined.labels)
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
        n_images=len(joined.frame),
        unmatched=joined.unmatched,
        duplicated=joined.duplicated,
        figures=figures,
        doubt=scale_doubt(predicted(joined.frame, joined.labels), joined.scale),
        disagreeing=joined.disagreeing,
    )


def _with_example(found: LabelEvaluation, paths: pd.Series) -> LabelEvaluation:
    if found.first_missing is None:
        return found
    return replace(found, missing_example=str(paths.iloc[found.first_missing]))


def label_curves(
    source_name: str, model: str, label: str, dataset: str = "valid", view: str | None = None
) -> LabelCurves:
    """Return the curves of one label; raises what `evaluate` raises, also for a label that the model lacks."""
    check_label(label)
    return curves_of(joined_predictions(source_name, model, dataset, view), model, label)


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
