"""Which images? Those behind a cell of the confusion table, the uncertain, the blank and the doubtful ones."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.image_groups import CUT_GROUPS, GROUPS, MODEL_GROUPS, Picked, group_rows
from cxr_core.schema import REPORT, VALUES, VIEWS, Value, check_label
from cxr_core.sources.registry import ready_source
from cxr_core.tasks.judging import check_unique_paths, joined_predictions
from cxr_core.tasks.threshold_cards import NO_THRESHOLD, read_card, rows_for_card
from cxr_core.warehouse.answers import Joined

__all__ = ["GROUPS", "ImageQuery", "Images", "ListedImage", "images"]


@dataclass(frozen=True)
class ImageQuery:
    """Which images are wanted.

    `group` is one of `GROUPS`, None for all; `label` may be left out where neither a model nor a group is named. The
    groups of the confusion table are cut at a `card` of the model or at a `threshold` on the stored scale. `judge` says
    what is positive: `report`, `truth` or a set of readings. `limit` is the most that are listed.
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


@dataclass(frozen=True)
class ListedImage:
    """One image: its keys, the label's `value` by the judge, the model's `score` as stored, and why it is listed.

    A study that is judged as a whole has image 0 and no view. What is not known is None.
    """

    path: str
    dataset: str
    view: str | None
    patient: int
    study: int
    image: int
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


def images(query: ImageQuery) -> Images:
    """List the images of a group, the most telling first (`evaluation.image_groups` says the order of each).

    The false positives and false negatives are, image by image, those that `evaluate` counts at the same threshold.
    Without a model, the images stand in the order of their paths.

    Raises:
        UsageError: the query lacks what its group needs, or has what it cannot use; the card is of another model.
        UnknownNameError: there is no such source, label, group, model, card, data set, view or judge.
        DataError: too many rows lack a value or a prediction, or a class is missing that `doubtful` needs.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    _check(query)
    return _with_model(query) if query.model else _without_model(query)


def _check(query: ImageQuery) -> None:
    if query.group is not None and query.group not in GROUPS:
        raise UnknownNameError("group", query.group, GROUPS)
    if query.label is not None:
        check_label(query.label)
    elif query.model or query.group:
        raise UsageError("A model and a group are of one label. Name it with --label.")
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"The limit must be 1 or more. Received: {query.limit}.")
    _check_model(query)
    _check_cut(query)


def _check_model(query: ImageQuery) -> None:
    """Raise unless a model is there where one is needed, and the judge can say what the group asks for."""
    if not query.model and query.group in MODEL_GROUPS:
        raise UsageError(f"The group {query.group} is of a model. Name one with --model.")
    if not query.model and query.judge != REPORT:
        raise UsageError("Only a model is judged by another than the report. Name one with --model.")
    if query.group == "blank" and query.judge != REPORT:
        raise UsageError(f"Only a report leaves a label unmentioned. The group blank takes --judge {REPORT}.")


def _check_cut(query: ImageQuery) -> None:
    """Raise unless exactly the groups of the confusion table have exactly one threshold."""
    given = [cut for cut in (query.card, query.threshold) if cut is not None]
    if query.group in CUT_GROUPS and len(given) != 1:
        raise UsageError(f"The group {query.group} needs one cut: --at CARD or --threshold T. Received: {len(given)}.")
    if query.group not in CUT_GROUPS and given:
        raise UsageError(f"A card or threshold cuts only the groups {' and '.join(CUT_GROUPS)}. Leave it out.")
    if query.threshold is not None and not math.isfinite(query.threshold):
        raise UsageError(f"A threshold must be a finite number. Received: {query.threshold}.")


def _with_model(query: ImageQuery) -> Images:
    joined, threshold = _joined(query)
    assert query.model is not None and query.label is not None, "checked before"
    if query.label not in joined.labels:
        raise UnknownNameError(f"label of model {query.model}", query.label, joined.labels)
    values = joined.frame[f"true_{query.label}"].to_numpy(dtype=np.int64)
    scores = joined.frame[f"predicted_{query.label}"].to_numpy(dtype=np.float64)
    picked = group_rows(query.group, values, scores, threshold) if query.group else _highest_first(scores)
    return _listed(query, joined.frame, picked, values, scores)


def _joined(query: ImageQuery) -> tuple[Joined, float | None]:
    """Return the rows that are judged, and where they are cut."""
    assert query.model is not None and query.label is not None, "checked before"
    if query.card is None:
        rows = joined_predictions(query.source, query.model, query.dataset, query.view, query.judge)
        return rows, query.threshold
    card = read_card(query.source, query.card)
    rows = rows_for_card(card, query.source, query.model, query.dataset, query.view, query.judge)
    threshold = card.thresholds.get(query.label)
    if threshold is None and query.label in rows.labels:
        raise UsageError(f"There is no group {query.group} of {query.label}: {NO_THRESHOLD}. Give --threshold T.")
    return rows, threshold


def _highest_first(scores: np.ndarray) -> Picked:
    """Return all rows, those without a score last."""
    return Picked(np.argsort(-scores, kind="stable"), ["no group was chosen"] * scores.size)


def _without_model(query: ImageQuery) -> Images:
    frame = ready_source(query.source).warehouse().labels(query.dataset, query.view)
    check_unique_paths(frame, f"The labels on {query.dataset}")
    values = np.full(len(frame), -1) if query.label is None else frame[query.label].to_numpy(dtype=np.int64)
    rows, why = np.arange(len(frame)), "no group was chosen"
    if query.group:
        value = Value.uncertain if query.group == "uncertain" else Value.not_mentioned
        rows, why = np.flatnonzero(values == value), f"the label is {value.name.replace('_', ' ')}"
    return _listed(query, frame, Picked(rows, [why] * rows.size), values, np.full(len(frame), np.nan))


def _listed(query: ImageQuery, frame: pd.DataFrame, picked: Picked, values: np.ndarray, scores: np.ndarray) -> Images:
    rows = picked.rows[: query.limit]
    keys = frame.iloc[rows][["path", "view", "patient", "study", "image"]].itertuples(index=False, name=None)
    listed = tuple(
        ListedImage(
            path=str(path),
            dataset=query.dataset,
            view=VIEWS[view] if view >= 0 else None,
            patient=int(patient),
            study=int(study),
            image=int(image),
            value=VALUES[values[row]] if values[row] >= 0 else None,
            score=float(scores[row]) if np.isfinite(scores[row]) else None,
            why=why,
        )
        for row, why, (path, view, patient, study, image) in zip(rows, picked.why, keys, strict=False)
    )
    return Images(listed, int(picked.rows.size))
