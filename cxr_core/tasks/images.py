"""Which images? Those behind a cell of the confusion table, the uncertain, the blank and the doubtful ones."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.disagreement import models_differ, studies_contradict
from cxr_core.evaluation.image_groups import (
    CUT_GROUPS,
    GROUPS,
    MODEL_GROUPS,
    OF_VALUE,
    PAIR_GROUPS,
    REPORT_GROUPS,
    Picked,
    Told,
    group_rows,
)
from cxr_core.schema import DATASETS, REPORT, VALUES, Value, check_label
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.card_choice import card_threshold
from cxr_core.tasks.image_keys import ImageKeys, named_keys
from cxr_core.tasks.judging import check_unique_paths, joined_predictions
from cxr_core.tasks.label_doubt import doubtful_images
from cxr_core.warehouse.answers import Joined

__all__ = ["GROUPS", "ImageGroup", "ImageQuery", "Images", "Joined", "ListedImage", "image_group", "images"]

_ANY = "no group was chosen"
#: How a caller that keeps joined rows hands them over: source, model, data set, view, judge.
Join = Callable[[str, str, str, str | None, str], Joined]


@dataclass(frozen=True)
class ImageQuery:
    """Which images are wanted.

    `group` is one of `GROUPS`, None for all; `label` may be left out where neither a model nor a group is named. The
    groups of the confusion table are cut at a `card` of the model or at a `threshold` on the stored scale; `beside` is
    the other model where two differ. `judge` says what is positive: `report`, `truth` or a set of readings. `limit` is
    the most that are listed.
    """

    source: str
    label: str | None = None
    group: str | None = None
    model: str | None = None
    card: str | None = None
    threshold: float | None = None
    dataset: str = "valid"
    view: str | None = None
    judge: str = REPORT
    limit: int | None = None
    beside: str | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"The limit must be 1 or more. Received: {self.limit}.")


@dataclass(frozen=True)
class ListedImage(ImageKeys):
    """One image: its keys, the label's `value` by the judge, the model's `score` as stored, and why it is listed.

    A study that is judged as a whole has image 0 and no view. What is not known is None.
    """

    value: str | None
    score: float | None
    why: str


@dataclass(frozen=True)
class Images:
    """The listed images, the most telling first, of `total` that are in the group."""

    listed: tuple[ListedImage, ...]
    total: int

    def as_json(self) -> list[dict[str, Any]]:
        """Return what `images --json` prints."""
        return [asdict(image) for image in self.listed]


@dataclass(frozen=True, eq=False)
class ImageGroup:
    """The images of a group, the most telling first, of which any part can be listed.

    `frame` has the keys of all judged rows, and `dataset` where they are of several; `values` and `scores` (n,) their
    label codes and predictions; `scale` is that of the scores, None without a model.
    """

    query: ImageQuery
    frame: pd.DataFrame
    picked: Picked
    values: IntArray
    scores: FloatArray
    scale: str | None = None

    @property
    def total(self) -> int:
        """How many images are in the group."""
        return int(self.picked.rows.size)

    def listed(self) -> Images:
        """Return as many of them as the query asks for."""
        return Images(self.part(0, self.query.limit), self.total)

    def part(self, start: int = 0, most: int | None = None) -> tuple[ListedImage, ...]:
        """Return the images from place `start` on, at most `most` of them."""
        chosen = slice(start, None if most is None else start + most)
        rows = self.picked.rows[chosen]
        frame = self.frame.iloc[rows]
        several = [DATASETS[code] for code in frame["dataset"]] if "dataset" in frame else []
        datasets = several or [self.query.dataset] * len(rows)
        keys = frame[["path", "view", "patient", "study", "image"]].itertuples(index=False, name=None)
        return tuple(map(self._listed, rows, self.picked.why[chosen], datasets, keys))

    def _listed(self, row: int, why: str, dataset: str, keys: tuple[Any, ...]) -> ListedImage:
        return ListedImage(
            **named_keys(dataset, *keys),
            value=VALUES[self.values[row]] if self.values[row] >= 0 else None,
            score=float(self.scores[row]) if np.isfinite(self.scores[row]) else None,
            why=why,
        )


def images(query: ImageQuery) -> Images:
    """List the images of a group, the most telling first; raises as `image_group`."""
    return image_group(query).listed()


def image_group(query: ImageQuery, join: Join = joined_predictions) -> ImageGroup:
    """Return the images of a group, the most telling first (`evaluation.image_groups` says the order of each).

    The cells of the confusion table are, image by image, those of `evaluate` at the same threshold. No model: by path.

    Args:
        query: which images.
        join: as `judging.joined_predictions`; for whoever has its answer already.

    Raises:
        UsageError: the query lacks what its group needs, or has what it cannot use; the card is of another model.
        UnknownNameError: there is no such source, label, group, model, card, data set, view or judge.
        DataError: too many rows lack a value or a prediction, or there are too few values to doubt any.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    _check(query)
    return _with_model(query, join) if query.model else _without_model(query)


def _check(query: ImageQuery) -> None:
    if query.group is not None and query.group not in GROUPS:
        raise UnknownNameError("group", query.group, GROUPS)
    if query.label is not None:
        check_label(query.label)
    elif query.model or query.group:
        raise UsageError("A model and a group are of one label. Name it with --label.")
    _check_model(query)
    _check_cut(query)


def _check_model(query: ImageQuery) -> None:
    """Raise unless the models are there that are needed, and the judge can say what the group asks for."""
    if not query.model and query.group in MODEL_GROUPS:
        raise UsageError(f"The group {query.group} is of a model. Name one with --model.")
    if not query.model and query.judge != REPORT:
        raise UsageError("Only a model is judged by another than the report. Name one with --model.")
    if query.group in REPORT_GROUPS and query.judge != REPORT:
        raise UsageError(f"The group {query.group} is of the report's own values. It takes --judge {REPORT}.")
    if (query.group in PAIR_GROUPS) != (query.beside is not None):
        raise UsageError(
            "Two models, --model and --beside, are what the group models-differ needs, and no other takes."
        )


def _check_cut(query: ImageQuery) -> None:
    """Raise unless exactly the groups of the confusion table have exactly one threshold."""
    given = [cut for cut in (query.card, query.threshold) if cut is not None]
    if query.group in CUT_GROUPS and len(given) != 1:
        raise UsageError(f"The group {query.group} needs one cut: --at CARD or --threshold T. Received: {len(given)}.")
    if query.group not in CUT_GROUPS and given:
        raise UsageError(f"A card or threshold cuts only the groups {', '.join(CUT_GROUPS)}. Leave it out.")
    if query.threshold is not None and not math.isfinite(query.threshold):
        raise UsageError(f"A threshold must be a finite number. Received: {query.threshold}.")


def _with_model(query: ImageQuery, join: Join) -> ImageGroup:
    assert query.model is not None and query.label is not None, "checked before"
    joined = join(query.source, query.model, query.dataset, query.view, query.judge)
    values, scores = _column(joined, query.model, query.label, "true"), _scores(joined, query.model, query.label)
    if query.beside is not None:
        other = join(query.source, query.beside, query.dataset, query.view, query.judge)
        of_other = pd.Series(_scores(other, query.beside, query.label), index=other.frame["path"])
        picked = models_differ(scores, np.asarray(of_other.reindex(joined.frame["path"]), np.float64))
    elif query.group == "study-contradicts":
        picked = studies_contradict(_studies(joined.frame), values, scores)
    elif query.group == "doubtful":
        picked = doubtful_images(joined, query.model, query.label, query.dataset)
    elif query.group:
        picked = group_rows(query.group, values, scores, _threshold(query, joined))
    else:  # those without a score stand last
        picked = Picked(np.argsort(-scores, kind="stable"), Told(scores.size, lambda _: _ANY))
    return ImageGroup(query, joined.frame, picked, values, scores, joined.scale)


def _studies(frame: pd.DataFrame) -> IntArray:
    """Return a number for the study of each row (n,)."""
    return np.asarray(frame.groupby(["patient", "study"], sort=False).ngroup(), np.int64)


def _column(joined: Joined, model: str, label: str, what: str) -> Any:
    if label not in joined.labels:
        raise UnknownNameError(f"label of model {model}", label, joined.labels)
    return joined.frame[f"{what}_{label}"].to_numpy()


def _scores(joined: Joined, model: str, label: str) -> FloatArray:
    scores: FloatArray = _column(joined, model, label, "predicted").astype(np.float64)
    return scores


def _threshold(query: ImageQuery, joined: Joined) -> float | None:
    """Return where the scores are cut."""
    if query.card is None:
        return query.threshold
    assert query.model is not None and query.label is not None, "checked before"
    return card_threshold(query.source, query.card, query.model, query.label, joined)


def _without_model(query: ImageQuery) -> ImageGroup:
    frame = ready_source(query.source).warehouse().labels(query.dataset, query.view)
    check_unique_paths(frame, f"The labels on {query.dataset}")
    values = np.full(len(frame), -1) if query.label is None else frame[query.label].to_numpy(dtype=np.int64)
    rows, why = np.arange(len(frame)), _ANY
    if query.group == "study-contradicts":
        picked = studies_contradict(_studies(frame), values, None)
        return ImageGroup(query, frame, picked, values, np.full(len(frame), np.nan))
    if query.group:
        value = Value.uncertain if query.group == "uncertain" else OF_VALUE[query.group][0]
        rows, why = np.flatnonzero(values == value), f"the label is {value.name.replace('_', ' ')}"
    return ImageGroup(query, frame, Picked(rows, Told(rows.size, lambda _: why)), values, np.full(len(frame), np.nan))
