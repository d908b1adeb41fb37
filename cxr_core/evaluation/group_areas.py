"""Does a model rank some groups worse? The AUC of each group beside that of all other rows, and calibration by group.

The interval of a group's AUC is by formula (Obuchowski 1997). That of the difference is Student's t on the sum of
squares of what each patient adds to it, so that a patient with rows on both sides counts once. The tests of all labels
and groups are one family, corrected by Holm (1979); two groups that are each other's rest are one test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.areas import Area, area
from cxr_core.evaluation.binary import CertainRows
from cxr_core.evaluation.defined import class_patients, why_no_ranking
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.simultaneous import NO_VARIANCE, Difference, clustered, holm, holm_levels


@dataclass(frozen=True)
class AreaGap:
    """The AUC of a group and how much it is above that of the rest; what is undefined is None, `why` says why."""

    roc_auc: float | None = None
    roc_auc_ci: Bounds | None = None
    gap: float | None = None
    gap_ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    gap_ci_corrected: Bounds | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "roc_auc": self.roc_auc,
            "roc_auc_ci": bounds_as_json(self.roc_auc_ci),
            "gap": self.gap,
            "gap_ci": bounds_as_json(self.gap_ci),
            "p": self.p,
            "p_corrected": self.p_corrected,
            "gap_ci_corrected": bounds_as_json(self.gap_ci_corrected),
            "why": self.why,
        }


AreaGaps = dict[str, dict[str, AreaGap]]


def area_gaps(
    labels: Mapping[str, CertainRows], groups: Mapping[str, BoolArray], clusters: IntArray, minimum: int
) -> AreaGaps:
    """Return the AUC of every label in every group beside the rest's, corrected as one family.

    Args:
        labels: each label's certain rows of the same n rows.
        groups: (n,) which rows each group has.
        clusters: (n,) the patient of each row, numbered from 0.
        minimum: fewest patients of each class, in the group and in the rest, for which an interval or a p is given.
    """
    found: AreaGaps = {}
    tests: dict[Any, list[tuple[str, str, Difference]]] = {}
    for label, rows in labels.items():
        found[label] = {}
        for group, mask in groups.items():
            inside = mask[rows.mask]
            found[label][group], tested = _gap(rows, inside, clusters[rows.mask], max(minimum, 2))
            if tested is not None:
                either_way = frozenset((inside.tobytes(), (~inside).tobytes()))
                tests.setdefault((label, either_way), []).append((label, group, tested))
    p_values = [cells[0][2].p for cells in tests.values()]
    for cells, p, level in zip(tests.values(), holm(p_values), holm_levels(p_values), strict=True):
        for label, group, difference in cells:
            ends = difference.interval(level)
            found[label][group] = replace(found[label][group], p_corrected=p, gap_ci_corrected=ends)
    return found


def _gap(rows: CertainRows, inside: BoolArray, clusters: IntArray, minimum: int) -> tuple[AreaGap, Difference | None]:
    if rows.why:
        return AreaGap(why=rows.why), None
    patients = int(clusters.max()) + 1 if clusters.size else 0
    own, why = _area(rows.y[inside], rows.scores[inside], clusters[inside], patients, minimum)
    rest, why_rest = _area(rows.y[~inside], rows.scores[~inside], clusters[~inside], patients, minimum)
    if own is None:
        return AreaGap(why=f"{why} in the group"), None
    ci = None if why else own.interval().ci
    if rest is None:
        return AreaGap(own.value, ci, why=f"{why_rest} in the rest"), None
    value = own.value - rest.value
    if why or why_rest:
        return AreaGap(own.value, ci, value, why=f"{why} in the group" if why else f"{why_rest} in the rest"), None
    counted = (class_patients(rows.y[side], clusters[side]).rarer for side in (inside, ~inside))
    difference = clustered(value, _added(own, rest), min(counted))
    if difference is None:
        return AreaGap(own.value, ci, value, why=NO_VARIANCE), None
    return AreaGap(own.value, ci, value, difference.interval(), difference.p), difference


def _added(own: Area, rest: Area) -> FloatArray:
    return own.influences - rest.influences


def _area(
    y: IntArray, scores: FloatArray, clusters: IntArray, patients: int, minimum: int
) -> tuple[Area | None, str | None]:
    """Return the AUC of some rows, and why it has no interval or why there is none."""
    why = why_no_ranking(y)
    if why:
        return None, why
    counted = class_patients(y, clusters)
    found = area("roc_auc", ranking(y, scores), clusters, counted, patients)
    return found, counted.why_no_interval(minimum)
