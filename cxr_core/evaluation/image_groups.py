"""Which images stand behind a figure of one label: the groups of a confusion table and of doubt, most telling first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import DataError, UnknownNameError
from cxr_core.evaluation.binary import CertainRows, certain_rows, label_codes
from cxr_core.schema import Value

#: The cells of the confusion table at a threshold: whether an image is called positive, and whether that is right.
CELLS = {
    "false-positive": (True, False),
    "false-negative": (False, False),
    "true-positive": (True, True),
    "true-negative": (False, True),
}
#: The images that a report says one thing of and a model, at a threshold, another: the value, and the model's call.
CONTRADICTED = {
    "blank-called-positive": (Value.not_mentioned, True),
    "positive-called-negative": (Value.positive, False),
}
#: The images of one value: the value, and whether the highest score is the most telling one.
OF_VALUE = {
    "blank": (Value.not_mentioned, True),
    "negative": (Value.negative, True),
    "positive": (Value.positive, False),
}
#: What a threshold makes.
CUT_GROUPS = (*CELLS, *CONTRADICTED)
#: What is of the report alone, whoever judges.
REPORT_GROUPS = ("blank", *CONTRADICTED)
#: What nobody is asked to judge: the report's own, and where the report itself is in doubt.
UNJUDGED_GROUPS = (*REPORT_GROUPS, "doubtful")
_ENDS = ("uncertain-highest", "uncertain-lowest")
#: What two models are needed for, what one is needed for, and what can be listed without one.
PAIR_GROUPS = ("models-differ",)
MODEL_GROUPS = (*CUT_GROUPS, *_ENDS, "doubtful", *PAIR_GROUPS)
LABEL_GROUPS = ("uncertain", *OF_VALUE, "study-contradicts")
GROUPS = (
    *("false-positive", "false-negative", "uncertain", "doubtful", "blank"),
    *("negative", "positive", "true-positive", "true-negative", *_ENDS, *CONTRADICTED),
    *(*PAIR_GROUPS, "study-contradicts"),
)


class Told(Sequence[str]):
    """A few words for each of `n` rows, made once they are read: of hundreds of thousands a page shows 24."""

    def __init__(self, n: int, words: Callable[[int], str]) -> None:
        self._places, self._words = range(n), words

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self._words(n) for n in self._places[place]]
        return self._words(self._places[place])


@dataclass(frozen=True, eq=False)
class Picked:
    """The chosen rows (m,), the most telling first, and for each a few words that say why it stands there."""

    rows: IntArray
    why: Sequence[str]


def group_rows(group: str, values: IntArray, scores: FloatArray, threshold: float | None = None) -> Picked:
    """Return the rows of a group, the most telling first; rows that are alike keep their order.

    `CELLS` are those of the confusion table when score >= threshold is called positive, on the certain rows; what is
    called positive stands highest score first, what is called negative lowest first. `CONTRADICTED` are rows of one
    value by the same order. `uncertain` are taken in turn from both ends of their scores, or from one end; `OF_VALUE`
    are the rows of one value, the least expected score first. Groups that compare scores with others than themselves
    are in `disagreement`, labels in doubt in `doubt`.

    Args:
        group: one of `GROUPS`, without `doubtful`, `models-differ` and `study-contradicts`.
        values: (n,) label codes 0 to 3, -1 where nothing is stated.
        scores: (n,) predictions on the stored scale; a row without one is in no group.
        threshold: on the stored scale, for `CUT_GROUPS`.

    Raises:
        UnknownNameError: there is no such group.
        DataError: too many rows lack a value or a prediction to be judged.
    """
    if group not in GROUPS:
        raise UnknownNameError("group", group, GROUPS)
    if group in OF_VALUE:
        return _of_value(values, scores, *OF_VALUE[group])
    if group == "uncertain" or group in _ENDS:
        return _uncertain(values, scores, group)
    certain = certain_rows(values, scores)
    if certain.why:
        raise DataError(f"There is no group {group} of this label: {certain.why}.")
    if group in CONTRADICTED:
        return _contradicted(values, scores, *CONTRADICTED[group], _given(threshold))
    return _cell(certain, *CELLS[group], _given(threshold))


def _given(threshold: float | None) -> float:
    assert threshold is not None, "the groups of a confusion table need a threshold"
    return threshold


def _cell(certain: CertainRows, called: bool, right: bool, threshold: float) -> Picked:
    """Return the rows that are called positive (`called`) or negative, and are so (`right`) or are not."""
    chosen = (certain.y == int(called == right)) & ((certain.scores >= threshold) == called)
    rows = _telling(np.flatnonzero(certain.mask)[chosen], certain.scores[chosen], called)
    said = f"{'yes' if called == right else 'no'}, {'and' if right else 'but'} {_called(called, threshold)}"
    return Picked(rows, Told(rows.size, lambda _: f"the label says {said}"))


def _contradicted(values: IntArray, scores: FloatArray, value: Value, called: bool, threshold: float) -> Picked:
    rows = _with_value(values, scores, value)
    rows = rows[(scores[rows] >= threshold) == called]
    rows = _telling(rows, scores[rows], called)
    said = f"{value.name.replace('_', ' ')}, but {_called(called, threshold)}"
    return Picked(rows, Told(rows.size, lambda _: said))


def _telling(rows: IntArray, scores: FloatArray, called: bool) -> IntArray:
    """Return rows by how sure the model is: of those called positive the highest first, of the others the lowest."""
    return _ordered(rows, -scores if called else scores)


def _called(called: bool, threshold: float) -> str:
    return f"called {'positive' if called else 'negative'} at {threshold:g}"


def _of_value(values: IntArray, scores: FloatArray, value: Value, highest: bool) -> Picked:
    rows = _with_value(values, scores, value)
    rows, end = _telling(rows, scores[rows], highest), "top" if highest else "bottom"
    said = value.name.replace("_", " ")
    return Picked(rows, Told(rows.size, lambda n: f"{said}, score {n + 1} from the {end}"))


def _uncertain(values: IntArray, scores: FloatArray, group: str) -> Picked:
    """Return the uncertain rows from one end of their scores, or by turns: the highest, the lowest, the second, ..."""
    rows = _with_value(values, scores, Value.uncertain)
    falling = _ordered(rows, -scores[rows])
    if group in _ENDS:
        end = group.removeprefix("uncertain-")
        from_end = falling if end == "highest" else _ordered(rows, scores[rows])
        return Picked(from_end, Told(rows.size, lambda n: f"uncertain, number {n + 1:,} of the {end} scores"))
    top = np.arange(rows.size)
    turns = np.where(top < (rows.size + 1) // 2, 2 * top, 2 * (rows.size - 1 - top) + 1)
    taken = falling[np.argsort(turns)]
    return Picked(
        taken, Told(rows.size, lambda n: f"uncertain, score {n // 2 + 1} from the {'bottom' if n % 2 else 'top'}")
    )


def share_below(others: FloatArray, scores: FloatArray) -> FloatArray:
    """Return for each score the share of the others (at least one) that are lower, equal ones counted half."""
    ranked = np.sort(others)
    below, up_to = np.searchsorted(ranked, scores, "left"), np.searchsorted(ranked, scores, "right")
    shares: FloatArray = (below + up_to) / (2 * ranked.size)
    return shares


def _with_value(values: IntArray, scores: FloatArray, value: Value) -> IntArray:
    return np.flatnonzero((label_codes(values) == value) & np.isfinite(scores))


def _ordered(rows: IntArray, by: FloatArray) -> IntArray:
    return rows[np.argsort(by, kind="stable")]
