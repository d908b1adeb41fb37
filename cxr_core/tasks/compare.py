"""Is one model better than another? Paired differences of AUC on the images that both predict."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.evaluation.comparison import Differences, compare_labels
from cxr_core.evaluation.results import LabelComparison, MeanFigure
from cxr_core.schema import REPORT, VIEWS
from cxr_core.settings import settings
from cxr_core.tasks.evaluate import joined_predictions, predicted, true_values
from cxr_core.warehouse.answers import Joined
from cxr_core.words import counted


@dataclass(frozen=True)
class Comparison:
    """Models `a` and `b` on one data set; every difference is AUC(a) - AUC(b), above 0 where `a` ranks better.

    `family` says in words for which tests `p_corrected` is corrected. `n_images` have labels and both predictions;
    `only_a` and `only_b` count the labelled images that one model alone predicts, which are left out.
    """

    a: str
    b: str
    source: str
    dataset: str
    view: str | None
    family: str
    labels: dict[str, LabelComparison]
    mean: MeanFigure
    n_images: int
    only_a: int
    only_b: int
    judge: str = REPORT

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {
            "a": self.a,
            "b": self.b,
            "dataset": self.dataset,
            "judge": self.judge,
            "family": self.family,
            "labels": {label: figures.as_json() for label, figures in self.labels.items()},
            "mean": self.mean.as_json(),
        }


def compare(
    source_name: str, a: str, b: str, dataset: str = "valid", view: str | None = None, judge: str = REPORT
) -> Comparison:
    """Compare two models, label by label, on identical images and the same patient-cluster resamples.

    Only the labels that both have are compared. A figure that is undefined is None with its reason: for models that
    rank the images alike there is a difference of 0 and no p.

    Raises:
        UnknownNameError: there is no such source, model with predictions, data set or view.
        UsageError: the models predict no labelled image in common, as models of different views do.
        TableError: a table is damaged, or a path is in `dataset` more than once.
        WarehouseError: the warehouse could not answer.
    """
    first = joined_predictions(source_name, a, dataset, view, judge)
    second = joined_predictions(source_name, b, dataset, view, judge)
    left, right = shared_rows([first, second], [a, b], dataset)
    labels = [label for label in first.labels if label in second.labels]
    found = differences(left, right, labels)
    return Comparison(
        a=a,
        b=b,
        source=source_name,
        dataset=dataset,
        view=view,
        family=_family(a, b, dataset, found),
        labels=found.labels,
        mean=found.mean,
        n_images=len(left),
        only_a=len(first.frame) - len(left),
        only_b=len(second.frame) - len(left),
        judge=judge,
    )


def differences(left: pd.DataFrame, right: pd.DataFrame, labels: list[str]) -> Differences:
    """Compare two joined frames of the same images in the same order, under the settings in force."""
    return compare_labels(
        true_values(left, labels),
        predicted(left, labels),
        predicted(right, labels),
        left["patient"].to_numpy(),
        settings().minimum_positives,
    )


def shared_rows(joined: list[Joined], models: list[str], dataset: str) -> list[pd.DataFrame]:
    """Return each model's joined frame cut to the images that all of them predict, sorted by path.

    Raises:
        UsageError: there is no such image.
    """
    first = joined[0].frame["path"]
    if len(first) and all(other.frame["path"].equals(first) for other in joined[1:]) and first.is_monotonic_increasing:
        return [j.frame for j in joined]  # as models of one view are; looking each path up takes seconds of a large set
    shared = pd.Index(first)
    for other in joined[1:]:
        shared = shared.intersection(other.frame["path"])
    if shared.empty:
        found = "; ".join(f"{m} predicts {_views(j.frame)}" for m, j in zip(models, joined, strict=True))
        raise UsageError(
            f"Models must predict the same labelled images to be set side by side. On {dataset} these share none: "
            f"{found}. Choose models of one view, or combine views with `ensemble --by study`."
        )
    return [j.frame.set_index("path").loc[shared.sort_values()].reset_index() for j in joined]


def _views(frame: pd.DataFrame) -> str:
    if frame.empty:
        return "no labelled image"
    names = (VIEWS[code] if 0 <= code < len(VIEWS) else "studies" for code in sorted(frame["view"].unique()))
    return f"{counted(len(frame), 'labelled image')} ({', '.join(names)})"


def _family(a: str, b: str, dataset: str, found: Differences) -> str:
    tests = counted(found.tests, "test")
    return f"Holm over {tests}, one for each label that can be tested: AUC({a}) - AUC({b}) on {dataset}"
