"""Slices that nobody asked for: does a model serve the images of any one or two columns' groups worse?

Every group of each column, and of each two columns crossed, is set beside all other images. All of these tests, of all
labels, are one family, so that a slice which stands out is no child of how many were looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, IntArray
from cxr_core.errors import UsageError
from cxr_core.evaluation.gaps import Gap, GapMatrix, GroupGap, gap_matrix
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import LEVEL, bounds_as_json
from cxr_core.evaluation.subgroups import NOT_STATED, OTHERS
from cxr_core.schema import REPORT
from cxr_core.settings import settings
from cxr_core.tasks.gaps import labels_at
from cxr_core.tasks.groups import CROSSED, group_masks, ways_to_split
from cxr_core.tasks.threshold_cards import Card, read_card, rows_for_card


@dataclass(frozen=True)
class Slice:
    """A figure of a label in a slice, beside that of all other images."""

    label: str
    figure: str
    group: str
    cell: GroupGap

    @property
    def gap(self) -> Gap:
        """The figure in the slice minus that of the rest, with its interval and p."""
        return self.cell.gaps[self.figure]

    @property
    def is_worse(self) -> bool:
        """Whether the slice is served worse beyond chance, of all that were looked at."""
        return (self.gap.value or 0.0) < 0 and (self.gap.p_corrected or 0.0) < LEVEL

    def as_json(self) -> dict[str, Any]:
        """Return the slice for scripts."""
        gap, share = self.gap, getattr(self.cell.point, self.figure)
        document = {"label": self.label, "figure": self.figure, "slice": self.group, "n": self.cell.n}
        document |= {"n_positive": self.cell.n_positive, "n_patients": self.cell.n_patients, "value": share.value}
        document |= {"gap": gap.value, "gap_ci": bounds_as_json(gap.ci), "p": gap.p, "p_corrected": gap.p_corrected}
        return document | {"gap_ci_corrected": bounds_as_json(gap.ci_corrected)}


@dataclass(frozen=True)
class Slices:
    """The slices that could be tested, those least like chance first; `tests` is what p is corrected for.

    `looked_at` counts the slices, `too_small` those with fewer patients than an interval needs, which are left out.
    """

    model: str
    source: str
    dataset: str
    view: str | None
    judge: str
    card: str
    columns: tuple[str, ...]
    tests: int
    looked_at: int
    too_small: int
    found: tuple[Slice, ...]

    @property
    def worse(self) -> tuple[Slice, ...]:
        """Those that are served worse beyond chance."""
        return tuple(one for one in self.found if one.is_worse)

    def as_json(self, limit: int | None = None) -> dict[str, Any]:
        """Return what `gaps --slices --json` prints: the first so many."""
        names = ("model", "source", "dataset", "view", "judge", "card", "tests", "looked_at", "too_small")
        document = {name: getattr(self, name) for name in names} | {"columns": list(self.columns)}
        return document | {"worse": len(self.worse), "slices": [one.as_json() for one in self.found[:limit]]}


def slices(
    source_name: str,
    model: str,
    card: str,
    columns: Sequence[str] = (),
    dataset: str = "valid",
    view: str | None = None,
    judge: str = REPORT,
) -> Slices:
    """Look through the groups of columns and of each two of them for such as the model serves worse.

    Args:
        source_name: the source.
        model: a model with predictions.
        card: a card of the model, whose thresholds cut.
        columns: what to look through; without any, all by which the source can be split.
        dataset: the data set that is judged.
        view: only images of this view.
        judge: who says what is positive: `report`, `truth` or a set of readings.

    Raises:
        UnknownNameError, UsageError, TableError, WarehouseError: as `gaps` raises.
    """
    return slices_at(read_card(source_name, card), source_name, model, columns, dataset, view, judge)


def slices_at(
    kept: Card, source_name: str, model: str, columns: Sequence[str], dataset: str, view: str | None, judge: str
) -> Slices:
    """Return the slices at the thresholds of a card, which need not be kept; raises as `slices`."""
    if any(CROSSED in column for column in columns):
        raise UsageError(f"Slices cross each two columns anyway; name single ones. Received: {', '.join(columns)}.")
    joined = rows_for_card(kept, source_name, model, dataset, view, judge)
    chosen = tuple(columns) or tuple(way for way in ways_to_split(source_name) if way != "dataset")
    masks = group_masks(source_name, joined, [*chosen, *map(CROSSED.join, combinations(chosen, 2))], dataset)
    clusters, _ = patient_clusters(joined.frame["patient"].to_numpy())
    minimum = settings().minimum_positives
    kinds = _distinct(masks)
    large = {group: mask for group, mask in kinds.items() if _patients(mask, clusters) >= minimum}
    matrix = gap_matrix(labels_at(joined, kept), large, clusters, minimum)
    told = (model, source_name, dataset, view, judge, kept.card, chosen, matrix.tests)
    return Slices(*told, len(kinds), len(kinds) - len(large), _sorted(matrix))


def _distinct(masks: dict[str, BoolArray]) -> dict[str, BoolArray]:
    """Return the slices that say something: not all images, each set of images once, and what is stated."""
    found: dict[bytes, tuple[str, BoolArray]] = {}
    for group, mask in masks.items():
        names = group.partition(": ")[2] or group
        if mask.any() and not mask.all() and not {NOT_STATED, OTHERS} & set(names.split(", ")):
            found.setdefault(mask.tobytes(), (group, mask))
    return dict(found.values())


def _patients(mask: BoolArray, clusters: IntArray) -> int:
    return int(np.unique(clusters[mask]).size)


def _sorted(matrix: GapMatrix) -> tuple[Slice, ...]:
    each = [
        Slice(label, figure, group, cell)
        for label, cells in matrix.labels.items()
        for group, cell in cells.items()
        for figure, gap in cell.gaps.items()
        if gap.p_corrected is not None
    ]
    return tuple(sorted(each, key=lambda one: (not one.is_worse, one.gap.p or 0.0, one.gap.value or 0.0)))
