"""All models at a glance: a figure of each model on each label, and which models cannot be told from the best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cxr_core.errors import UsageError
from cxr_core.evaluation.grid import Grid, evaluate_grid
from cxr_core.schema import REPORT, VIEWS
from cxr_core.settings import settings
from cxr_core.tasks.compare import shared_rows
from cxr_core.tasks.evaluate import joined_predictions, predicted, true_values
from cxr_core.warehouse.answers import Joined


@dataclass(frozen=True)
class ModelGrid:
    """Models beside labels, one grid for each group of models that predict the same images.

    Models of different views share no image, so nothing can be tested between them: their grids are families of their
    own. `grids` maps the words for the group (its views) to its grid; `left_out` counts for each model the labelled
    images that not all of its group predict.
    """

    source: str
    dataset: str
    view: str | None
    figure: str
    grids: dict[str, Grid]
    left_out: dict[str, int]
    judge: str = REPORT

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --json` prints of several models: one group for each set of images."""
        own = {name: getattr(self, name) for name in ("source", "dataset", "view", "figure", "judge")}
        groups = [
            {"images": views, "n": grid.n_rows, "models": list(grid.models)} | grid.as_json()
            for views, grid in self.grids.items()
        ]
        return own | {"groups": groups, "left_out": self.left_out}


def model_grid(
    source_name: str,
    models: Sequence[str],
    dataset: str = "valid",
    view: str | None = None,
    figure: str = "roc_auc",
    judge: str = REPORT,
    families: int = 1,
) -> ModelGrid:
    """Evaluate models beside each other, on the images that all models of a group predict.

    Args:
        source_name: the source.
        models: models with predictions, each once.
        dataset: train, valid or test.
        view: only images of this view.
        figure: `roc_auc` or `average_precision`.
        judge: who judges, as for `evaluate`.
        families: how many such grids stand side by side; the marks hold over all of them.

    Raises:
        UnknownNameError: there is no such source, model, data set, view or figure.
        UsageError: no model is given, or models of one group share no labelled image.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    if not models:
        raise UsageError("A grid needs at least one model. Received: none.")
    groups: dict[str, dict[str, Joined]] = {}
    for model in models:
        joined = joined_predictions(source_name, model, dataset, view, judge)
        groups.setdefault(views_of(joined), {})[model] = joined
    chosen = settings()
    grids: dict[str, Grid] = {}
    left_out: dict[str, int] = {}
    for words, members in groups.items():
        frames = shared_rows(list(members.values()), list(members), dataset)
        shared = dict(zip(members, frames, strict=True))
        labels = [
            label for label in next(iter(members.values())).labels if all(label in j.labels for j in members.values())
        ]
        grids[words] = evaluate_grid(
            true_values(frames[0], labels),
            {model: predicted(frame, labels) for model, frame in shared.items()},
            frames[0]["patient"].to_numpy(),
            chosen.resamples,
            chosen.minimum_positives,
            figure,
            chosen.intervals,
            families,
        )
        left_out |= {model: len(members[model].frame) - len(frame) for model, frame in shared.items()}
    return ModelGrid(source_name, dataset, view, figure, grids, left_out, judge)


def views_of(joined: Joined) -> str:
    """Return the views of a model's images in words: "frontal and lateral"."""
    codes = sorted(int(code) for code in joined.frame["view"].unique())
    names = [VIEWS[code] if 0 <= code < len(VIEWS) else "studies" for code in codes]
    return " and ".join(names) or "no labelled image"
