"""Models judged by two judges on the same images: a figure under one beside the figure under the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.evaluation.judge_agreement import JudgedTwice, judged_twice
from cxr_core.evaluation.label_agreement import LabelAgreement, label_agreements
from cxr_core.evaluation.labels import Figures, evaluate_models
from cxr_core.evaluation.results import BOOTSTRAP, MeanFigure, bounds_as_json
from cxr_core.schema import REPORT, check_label
from cxr_core.settings import settings
from cxr_core.tasks.compare import shared_rows
from cxr_core.tasks.evaluate import joined_predictions, predicted, true_values
from cxr_core.tasks.grid import views_of
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True)
class TwoJudges:
    """Models beside two judges, one group for each set of images that its models predict.

    `groups` maps the words for a group (its views) to its models; `n` counts its images, on which both judges say
    anything; `agreement` is what the judges say of each label there. `label` is None for the mean over the labels on
    which all models have the figure by both judges.
    """

    source: str
    dataset: str
    view: str | None
    figure: str
    label: str | None
    judges: tuple[str, str]
    groups: dict[str, JudgedTwice]
    n: dict[str, int]
    agreement: dict[str, dict[str, LabelAgreement]]

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --beside --json` prints."""
        own = {name: getattr(self, name) for name in ("source", "dataset", "view", "figure", "label")}
        groups = [
            {
                "images": words,
                "n": self.n[words],
                "labels": list(found.labels),
                "models": {
                    model: {self.judges[0]: _figure(found.first[model]), self.judges[1]: _figure(found.second[model])}
                    for model in found.first
                },
                "differences": {model: one.as_json() for model, one in found.differences.items()},
                "rank_correlation": found.correlation.as_json(),
                "agreement": {label: one.as_json() for label, one in self.agreement[words].items()},
            }
            for words, found in self.groups.items()
        ]
        return own | {"judges": list(self.judges), "groups": groups}


def two_judges(
    source_name: str,
    models: Sequence[str],
    judges: tuple[str, str],
    dataset: str = "valid",
    view: str | None = None,
    figure: str = "roc_auc",
    label: str | None = None,
) -> TwoJudges:
    """Judge models by two judges, on the images on which both say anything and which all models of a group predict.

    Args:
        source_name: the source.
        models: models with predictions, each once.
        judges: two of `report`, `truth` and the sets of readings.
        dataset: train, valid or test.
        view: only images of this view.
        figure: `roc_auc` or `average_precision`.
        label: one label, or the mean over all.

    Raises:
        UnknownNameError: there is no such source, model, data set, view, figure, label or judge.
        UsageError: both judges are one, no model is given, or models and judges share no image.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    if judges[0] == judges[1]:
        raise UsageError(f"Two judges are set beside each other. Received {judges[0]} twice; name another one.")
    if not models:
        raise UsageError("Judges need at least one model. Received: none.")
    if label is not None:
        check_label(label)
    groups: dict[str, dict[str, Joined]] = {}
    for model in models:
        joined = joined_predictions(source_name, model, dataset, view, REPORT)
        groups.setdefault(views_of(joined), {})[model] = joined
    found, n, said = {}, {}, {}
    for words, members in groups.items():
        by_judge = [
            [
                of_report if judge == REPORT else joined_predictions(source_name, model, dataset, view, judge)
                for model, of_report in members.items()
            ]
            for judge in judges
        ]
        frames = shared_rows([one for of_judge in by_judge for one in of_judge], [*members, *members], dataset)
        labels = _labels([*members.values()], label)
        first, second = frames[: len(members)], frames[len(members) :]
        found[words] = judged_twice(_figures(members, first, labels), _figures(members, second, labels), figure)
        n[words] = len(frames[0])
        codes = [true_values(of_judge[0], labels) for of_judge in (first, second)]
        said[words] = label_agreements(codes[0], codes[1], frames[0]["patient"].to_numpy(), settings().resamples)
    return TwoJudges(source_name, dataset, view, figure, label, judges, found, n, said)


def _labels(joined: list[Joined], label: str | None) -> list[str]:
    shared = [name for name in joined[0].labels if all(name in one.labels for one in joined)]
    return shared if label is None else [name for name in shared if name == label]


def _figures(models: Iterable[str], frames: list[pd.DataFrame], labels: list[str]) -> dict[str, Figures]:
    chosen = settings()
    scores = {model: predicted(frame, labels) for model, frame in zip(models, frames, strict=True)}
    patients = frames[0]["patient"].to_numpy()
    return evaluate_models(
        true_values(frames[0], labels), scores, patients, chosen.resamples, chosen.minimum_positives, BOOTSTRAP
    )


def _figure(mean: MeanFigure) -> dict[str, Any]:
    return {"value": mean.value, "ci": bounds_as_json(mean.ci), "labels": mean.labels, "why": mean.why}
