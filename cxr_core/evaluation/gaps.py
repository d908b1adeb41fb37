"""Whom does a model serve worse? Sensitivity and specificity of each group beside those of all other rows.

The gap of a group is its figure minus that of the rest. Every gap of every label, of both figures, is one test of one
family, corrected by Holm (1979). Where two groups are each other's rest, as with two sexes, their gaps are one test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.binary import CertainRows
from cxr_core.evaluation.defined import NO_NEGATIVES, NO_POSITIVES, ClassPatients
from cxr_core.evaluation.operating import OperatingPoint, Share, operating_point
from cxr_core.evaluation.operating_json import counts_as_json, missing_shares, shares_as_json
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.share_gap import ShareGap, ShareOf
from cxr_core.evaluation.simultaneous import holm, holm_levels

_TP, _FP, _FN, _TN = range(4)
#: figure -> (kinds that count, kinds among which, why there is none, class).
FIGURES = {
    "sensitivity": (_TP, [_TP, _FN], NO_POSITIVES, "positive"),
    "specificity": (_TN, [_FP, _TN], NO_NEGATIVES, "negative"),
}


@dataclass(frozen=True)
class Gap:
    """A group's figure minus the rest's, with its 95 % interval and p, alone and corrected; `why` by figure."""

    value: float | None = None
    ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    ci_corrected: Bounds | None = None
    why: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupGap:
    """One label of one group: certain rows, figures at the threshold, and the gap of each of `FIGURES`.

    Without a threshold there is no `point`, and `why` says why.
    """

    group: str
    n: int
    n_positive: int
    n_patients: int
    point: OperatingPoint | None
    gaps: dict[str, Gap]
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the cell under the names that scripts rely on."""
        return {**self._document}

    @cached_property
    def _document(self) -> dict[str, Any]:
        # A page shows a cell, its tooltip and its row of a download; its intervals are computed once.
        document: dict[str, Any] = {"n": self.n, "n_positive": self.n_positive, "n_patients": self.n_patients}
        document |= counts_as_json(self.point) | shares_as_json(self.point, FIGURES)
        document["gap"] = {name: gap.value for name, gap in self.gaps.items()}
        for key in ("ci", "ci_corrected"):
            document[f"gap_{key}"] = {name: bounds_as_json(getattr(gap, key)) for name, gap in self.gaps.items()}
        for key in ("p", "p_corrected"):
            document[key] = {name: getattr(gap, key) for name, gap in self.gaps.items()}
        why = {"threshold": self.why} if self.why else {}
        for name in FIGURES:
            why |= missing_shares(self.point, [name])
            why |= {f"{name}_{key}": reason for key, reason in self.gaps[name].why.items()}
        return document | {"why": why}


@dataclass(frozen=True)
class GapMatrix:
    """Labels beside groups, and how many tests Holm's correction counts."""

    groups: tuple[str, ...]
    labels: dict[str, dict[str, GroupGap]]
    tests: int


@dataclass(frozen=True, eq=False)
class LabelAtCut:
    """One label: its certain rows, and the threshold on the stored scale, or `why` there is none."""

    rows: CertainRows
    threshold: float | None
    why: str | None = None


def gap_matrix(
    labels: Mapping[str, LabelAtCut], groups: Mapping[str, BoolArray], clusters: IntArray, minimum: int
) -> GapMatrix:
    """Return the gaps of every label and group, corrected as one family.

    Args:
        labels: each label's certain rows of the same n rows, and where its scores are cut.
        groups: (n,) which rows each group has; a row can be of several groups.
        clusters: (n,) the patient of each row, numbered from 0.
        minimum: fewest patients with the class in the group, and in the rest, for which an interval or a p is given.
    """
    found: dict[str, dict[str, GroupGap]] = {}
    tests: dict[Any, list[tuple[str, str, str, ShareGap]]] = {}
    for label, cut in labels.items():
        found[label] = {}
        for group, mask in groups.items():
            cell, testable = _cell(group, cut, mask[cut.rows.mask], clusters[cut.rows.mask], max(minimum, 2))
            found[label][group] = cell
            for figure, gap in testable.items():
                key = (label, figure, _either_way(mask[cut.rows.mask][_of_class(cut.rows, figure)]))
                tests.setdefault(key, []).append((label, group, figure, gap))
    p_values = [found[label][group].gaps[figure].p or 0.0 for ((label, group, figure, _), *_) in tests.values()]
    for cells, p, level in zip(tests.values(), holm(p_values), holm_levels(p_values), strict=True):
        for label, group, figure, gap in cells:
            cell = found[label][group]
            corrected = replace(cell.gaps[figure], p_corrected=p, ci_corrected=gap.interval(level))
            found[label][group] = replace(cell, gaps=cell.gaps | {figure: corrected})
    return GapMatrix(tuple(groups), found, len(tests))


def _cell(
    group: str, cut: LabelAtCut, inside: BoolArray, clusters: IntArray, minimum: int
) -> tuple[GroupGap, dict[str, ShareGap]]:
    """Return a cell that is not corrected yet, and the gaps in it that are tested."""
    rows = cut.rows
    counts = (int(inside.sum()), int(rows.y[inside].sum()), int(np.unique(clusters[inside]).size))
    why = rows.why or cut.why
    if cut.threshold is None or why:
        return GroupGap(group, *counts, None, dict.fromkeys(FIGURES, Gap()), why or "there is no threshold"), {}
    sides = [
        operating_point(rows.y[side], rows.scores[side], cut.threshold, clusters[side], minimum)
        for side in (inside, ~inside)
    ]
    patients = int(clusters.max()) + 1 if clusters.size else 0
    gaps: dict[str, Gap] = {}
    tested: dict[str, ShareGap] = {}
    for figure in FIGURES:
        gaps[figure], gap = _gap(figure, sides, patients, minimum)
        if gap is not None:
            tested[figure] = gap
    return GroupGap(group, *counts, sides[0], gaps), tested


def _gap(figure: str, sides: Sequence[OperatingPoint], patients: int, minimum: int) -> tuple[Gap, ShareGap | None]:
    for side, where in zip(sides, ("in the group", "in the rest"), strict=True):
        share: Share = getattr(side, figure)
        if share.value is None:
            return Gap(why={"gap": f"{share.why} {where}"}), None
    own, other = (_share_of(figure, side, patients) for side in sides)
    gap = ShareGap(own, other)
    why = _why_few(figure, own, other, minimum) or gap.why_no_interval
    if why:
        return Gap(gap.value, why=dict.fromkeys(("gap_ci", "p"), why)), None
    return Gap(gap.value, gap.interval(), gap.p()), gap


def _share_of(figure: str, side: OperatingPoint, patients: int) -> ShareOf:
    assert side.by_patient is not None, "the patients are known"
    counts = _padded(side.by_patient.counts, patients)
    counting, among, *_ = FIGURES[figure]
    return ShareOf(counts[counting], counts[among].sum(axis=0))


def _padded(counts: FloatArray, patients: int) -> FloatArray:
    return np.pad(counts, ((0, 0), (0, patients - counts.shape[1])))


def _why_few(figure: str, own: ShareOf, other: ShareOf, minimum: int) -> str | None:
    of_class = FIGURES[figure][3]
    for share, where in ((own, "in the group"), (other, "in the rest")):
        few = ClassPatients(*[share.patients] * 3).why_no_interval(minimum, (of_class,))
        if few:
            return few.replace(" label;", f" label {where};")
    return None


def _of_class(rows: CertainRows, figure: str) -> BoolArray:
    wanted: BoolArray = rows.y == (1 if FIGURES[figure][3] == "positive" else 0)
    return wanted


def _either_way(inside: BoolArray) -> frozenset[bytes]:
    """Return what is the same for a group and for its rest."""
    return frozenset((inside.tobytes(), (~inside).tobytes()))
