"""Which images stand behind a figure of one label: the groups of a confusion table and of doubt, most telling first."""

from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.errors import DataError, UnknownNameError
from cxr_core.evaluation.binary import CertainRows, certain_rows, label_codes
from cxr_core.evaluation.defined import why_no_ranking
from cxr_core.schema import Value
from cxr_core.words import percent

#: What a threshold makes: its images are those of the confusion table at the threshold.
CUT_GROUPS = ("false-positive", "false-negative")
#: What a model is needed for, and what can be listed without one.
MODEL_GROUPS, LABEL_GROUPS = (*CUT_GROUPS, "doubtful"), ("uncertain", "blank")
GROUPS = (*CUT_GROUPS, *LABEL_GROUPS, "doubtful")


@dataclass(frozen=True, eq=False)
class Picked:
    """The chosen rows (m,), the most telling first, and for each a few words that say why it stands there."""

    rows: IntArray
    why: list[str]


def group_rows(group: str, values: IntArray, scores: FloatArray, threshold: float | None = None) -> Picked:
    """Return the rows of a group, the most telling first; rows that are alike keep their order.

    `false-positive` (highest score first) and `false-negative` (lowest first) are the cells of the confusion table when
    score >= threshold is called positive, on the certain rows. `doubtful` are the certain rows on whose wrong side any
    of the other class score, the largest share of that class first (ties count half). `uncertain` are taken in
    turn from both ends of their scores, `blank` are those that are not mentioned, the highest score first.

    Args:
        group: one of `GROUPS`.
        values: (n,) label codes 0 to 3, -1 where nothing is stated.
        scores: (n,) predictions on the stored scale; a row without one is in no group.
        threshold: on the stored scale, for the first two groups.

    Raises:
        UnknownNameError: there is no such group.
        DataError: too many rows lack a value or a prediction to be judged, or `doubtful` lacks one of the two classes.
    """
    if group not in GROUPS:
        raise UnknownNameError("group", group, GROUPS)
    if group in LABEL_GROUPS:
        return _uncertain(values, scores) if group == "uncertain" else _blank(values, scores)
    certain = certain_rows(values, scores)
    why = certain.why or (why_no_ranking(certain.y) if group == "doubtful" else None)
    if why:
        raise DataError(f"There is no group {group} of this label: {why}.")
    if group == "doubtful":
        return _doubtful(certain)
    assert threshold is not None, "the groups of a confusion table need a threshold"
    return _cut(certain, group == "false-positive", threshold)


def _cut(certain: CertainRows, called: bool, threshold: float) -> Picked:
    """Return the rows that are wrongly called positive (`called`) or wrongly called negative."""
    wrong = (certain.y == int(not called)) & ((certain.scores >= threshold) == called)
    rows = _ordered(np.flatnonzero(certain.mask)[wrong], (-1 if called else 1) * certain.scores[wrong])
    said = f"no, but called positive at {threshold:g}" if called else f"yes, but called negative at {threshold:g}"
    return Picked(rows, [f"the label says {said}"] * rows.size)


def _blank(values: IntArray, scores: FloatArray) -> Picked:
    rows = _with_value(values, scores, Value.not_mentioned)
    rows = _ordered(rows, -scores[rows])
    return Picked(rows, [f"not mentioned, score {n} from the top" for n in range(1, rows.size + 1)])


def _uncertain(values: IntArray, scores: FloatArray) -> Picked:
    """Return the uncertain rows by turns: the highest score, the lowest, the second highest, ..."""
    rows = _with_value(values, scores, Value.uncertain)
    falling = _ordered(rows, -scores[rows])
    top = np.arange(rows.size)
    turns = np.where(top < (rows.size + 1) // 2, 2 * top, 2 * (rows.size - 1 - top) + 1)
    taken = falling[np.argsort(turns)]
    why = [f"uncertain, score {n // 2 + 1} from the {'bottom' if n % 2 else 'top'}" for n in range(rows.size)]
    return Picked(taken, why)


def _doubtful(certain: CertainRows) -> Picked:
    """Return the rows by the share of the other class that scores on the wrong side of them, ties counted half."""
    positive = certain.y == 1
    share = np.empty(certain.n)
    share[positive] = 1 - _share_below(certain.scores[~positive], certain.scores[positive])
    share[~positive] = _share_below(certain.scores[positive], certain.scores[~positive])
    doubted = np.flatnonzero(share > 0)
    doubted = _ordered(doubted, -share[doubted])
    why = [
        f"{percent(share[row])} of the {'negative' if positive[row] else 'positive'} images score "
        f"{'higher' if positive[row] else 'lower'} (ties half)"
        for row in doubted
    ]
    return Picked(np.flatnonzero(certain.mask)[doubted], why)


def _share_below(others: FloatArray, scores: FloatArray) -> FloatArray:
    ranked = np.sort(others)
    below, up_to = np.searchsorted(ranked, scores, "left"), np.searchsorted(ranked, scores, "right")
    shares: FloatArray = (below + up_to) / (2 * ranked.size)
    return shares


def _with_value(values: IntArray, scores: FloatArray, value: Value) -> IntArray:
    return np.flatnonzero((label_codes(values) == value) & np.isfinite(scores))


def _ordered(rows: IntArray, by: FloatArray) -> IntArray:
    return rows[np.argsort(by, kind="stable")]
