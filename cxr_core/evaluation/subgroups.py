"""The same figures for parts of the rows: by view, by AP or PA, by sex, by age."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray
from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.labels import evaluate_labels
from cxr_core.evaluation.operating import OperatingPoint, operating_point
from cxr_core.evaluation.operating_json import missing_shares, shares_as_json
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import AUTO, LabelEvaluation

SHARES = ("sensitivity", "specificity", "ppv", "npv")
#: What stands for rows whose group nobody stated.
NOT_STATED = "not stated"
#: More distinct numbers than this are cut into bands.
_MOST_NUMBERS = 8
#: Of more named groups than this the largest are kept and the others are put together.
MOST_GROUPS = 20
OTHERS = "others"
#: Where bands of ages begin, in years.
AGE_BANDS: tuple[int, ...] = (0, 20, 40, 60, 80)


@dataclass(frozen=True)
class Subgroup:
    """One label of one model on the rows of one group; `point` is None where the group has no certain rows.

    Intervals rest on the group's own patients, all by one rule: each class that a figure is made of has the minimum of
    patients. Differences between groups can come from another mix of findings as well as from the model.
    """

    group: str
    evaluation: LabelEvaluation
    point: OperatingPoint | None

    def as_json(self) -> dict[str, Any]:
        """Return the figures of the group under the names that scripts rely on."""
        shares = shares_as_json(self.point, SHARES)
        why = self.evaluation.why | missing_shares(self.point, SHARES)
        return {"group": self.group} | self.evaluation.as_json() | shares | {"why": why}


def evaluate_subgroups(
    values: Any,
    scores: Any,
    patients: Any,
    groups: Sequence[str],
    threshold: float | None,
    label: str,
    resamples: int,
    minimum: int,
    method: str = AUTO,
) -> list[Subgroup]:
    """Evaluate one label in each group of rows, in the order in which `group_names` puts them.

    Args:
        values: (n,) label codes, 0 to 3, -1 or NaN where missing.
        scores: (n,) predictions as stored.
        patients: (n,) the patient of each row.
        groups: (n,) the group of each row, by name.
        threshold: of the operating point, on the stored scale and the same for all groups; None for no point.
        label: the label's name.
        resamples: number of bootstrap resamples.
        minimum: fewest patients of each class for which an interval is given.
        method: of the intervals of AUC and average precision, as for `evaluate_labels`.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    values, scores, patients = np.asarray(values), np.asarray(scores, dtype=np.float64), np.asarray(patients)
    of_row = np.asarray(groups, dtype=object)
    found = []
    for group in group_names(groups):
        rows: BoolArray = of_row == group
        evaluation = evaluate_labels(
            {label: values[rows]}, {label: scores[rows]}, patients[rows], resamples, minimum, method
        ).labels[label]
        certain = certain_rows(values[rows], scores[rows])
        point = None
        if threshold is not None and certain.n and not certain.why:
            clusters, _ = patient_clusters(patients[rows])
            point = operating_point(certain.y, certain.scores, threshold, clusters[certain.mask], minimum)
        found.append(Subgroup(group, evaluation, point))
    return found


def group_names(groups: Sequence[str]) -> list[str]:
    """Return the distinct groups: bands of numbers by their start, names by the alphabet, what was not stated last."""
    found = set(groups)
    return sorted(found, key=lambda name: (name == NOT_STATED, name == OTHERS, _start(name), name))


def groups_of(column: Any, name: str) -> list[str]:
    """Return the group of each row from a column (n,) of any type; a missing value becomes `not stated`.

    Ages (numbers in a column whose name has "age" as a word) are cut into bands at 20, 40, 60 and 80 years, other
    numbers of more than 8 distinct values at their quartiles. Of more than 20 names the 19 most frequent stay, the
    rest are `others`.
    """
    stated = np.asarray(column, dtype=object)
    missing = np.array([_is_missing(value) for value in stated], dtype=bool)
    groups = np.full(stated.size, NOT_STATED, dtype=object)
    numbers = _numbers(stated[~missing])
    if numbers is not None and numbers.size and (_is_age(name) or np.unique(numbers).size > _MOST_NUMBERS):
        groups[~missing] = _bands(numbers, _band_starts(numbers, name))
    else:
        groups[~missing] = _named(stated[~missing])
    return [str(group) for group in groups]


def _named(stated: Any) -> list[str]:
    names = [f"{value:g}" if isinstance(value, float | np.floating) else str(value) for value in stated]
    distinct, counts = np.unique(names, return_counts=True)
    if distinct.size <= MOST_GROUPS:
        return names
    kept = set(distinct[np.argsort(-counts, kind="stable")][: MOST_GROUPS - 1].tolist())
    return [name if name in kept else OTHERS for name in names]


def _band_starts(numbers: Any, name: str) -> list[float]:
    if _is_age(name):
        return [float(start) for start in AGE_BANDS]
    return [float(start) for start in np.unique(np.quantile(numbers, [0, 0.25, 0.5, 0.75], method="lower"))]


def _is_age(name: str) -> bool:
    return "age" in name.lower().replace("-", "_").split("_")


def _bands(numbers: Any, starts: list[float]) -> list[str]:
    names = [f"{low:g} to below {high:g}" for low, high in pairwise(starts)]
    names = [*names, f"{starts[-1]:g} and more"]
    places = np.clip(np.searchsorted(starts, numbers, side="right") - 1, 0, len(starts) - 1)
    return [names[place] for place in places]


def _numbers(values: Any) -> Any:
    if any(isinstance(value, str | bool | np.bool_) for value in values):
        return None
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return (isinstance(value, float | np.floating) and isnan(value)) or str(value) in ("<NA>", "NaT")


def _start(name: str) -> float:
    try:
        return float(name.split(" ", 1)[0])
    except ValueError:
        return float("inf")
