"""From label codes to truth: positive is 1, not mentioned and negative are 0, uncertain rows are left out.

So are rows that lack a label value or a prediction, as long as they are few (see `defined.LeftOut`): they are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.errors import TableError
from cxr_core.evaluation.defined import LeftOut
from cxr_core.schema import VALUES, Value

#: What stands where a table says nothing of a label (NULL).
MISSING = -1


def label_codes(values: Any) -> IntArray:
    """Return label values of shape (n,) as int64 codes 0 to 3; a missing one (NaN or -1) becomes -1.

    Raises:
        TableError: a value is something else.
    """
    given = np.asarray(values)
    if given.dtype == np.int64 and given.size and given.min() >= MISSING and given.max() < len(VALUES):
        return given
    codes = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=MISSING)
    wrong = ~np.isin(codes, np.arange(MISSING, len(VALUES)))
    if wrong.any():
        raise TableError(
            f"A label value must be one of 0 to {len(VALUES) - 1} ({', '.join(VALUES)}). "
            f"Received: {codes[wrong][0]:g} in {np.count_nonzero(wrong)} of {codes.size} rows."
        )
    return codes.astype(np.int64)


def binary_truth(values: Any) -> tuple[BoolArray, IntArray]:
    """Split label values (n,) into the rows that count and their truth, as the 2019 notebook does.

    Returns:
        mask: (n,) True where the label is stated and certain.
        y: (n,) 1 where it is positive, else 0. Outside the mask `y` means nothing: use `y[mask]`.

    Raises:
        TableError: a value is neither missing nor one of the codes 0 to 3.
    """
    codes = label_codes(values)
    return (codes != Value.uncertain) & (codes != MISSING), (codes == Value.positive).astype(np.int64)


@dataclass(frozen=True)
class CertainRows:
    """The rows on which a model is judged for one label.

    `mask` (n,) says which of all rows these m are; `y` (m,) is their truth, 0 or 1, and `scores` (m,) the predictions
    as stored, all finite; `uncertain` counts the uncertain rows that were dropped, `left_out` the rows without a label
    value or a prediction. `why` is None, or why no figure may be computed: too many rows are left out.
    """

    mask: BoolArray
    y: IntArray
    scores: FloatArray
    uncertain: int
    left_out: LeftOut

    @property
    def why(self) -> str | None:
        """Why no figure may be computed, or None."""
        return self.left_out.why

    @property
    def n(self) -> int:
        """Number of certain rows."""
        return self.y.size

    @property
    def positives(self) -> int:
        """Number of positive rows."""
        return int(self.y.sum())


def certain_rows(values: Any, scores: Any) -> CertainRows:
    """Drop the uncertain rows of one label, and those that lack something, from label values and predictions (n,).

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    return shared_certain_rows(values, [scores])[0]


def shared_certain_rows(values: Any, models: Sequence[Any]) -> list[CertainRows]:
    """Return the certain rows of one label for several models' predictions (n,), the same rows for all of them.

    A row that one model lacks is left out for all, so that they stay comparable row by row; a model that lacks too
    many is refused (`why`) and takes no rows from the others.

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    codes = label_codes(values)
    mask, y = binary_truth(codes)
    each = [np.asarray(scores, dtype=np.float64) for scores in models]
    finite = [np.isfinite(scores) for scores in each]
    left_out = [_left_out(codes, mask, of_model) for of_model in finite]
    usable = [of_model for of_model, lost in zip(finite, left_out, strict=True) if not lost.why]
    shared = mask & np.logical_and.reduce(usable) if usable else mask
    uncertain = int(np.count_nonzero(codes == Value.uncertain))
    found = []
    for scores, of_model, lost in zip(each, finite, left_out, strict=True):
        rows = mask & of_model if lost.why else shared
        found.append(CertainRows(rows, y[rows], scores[rows], uncertain, lost))
    return found


def _left_out(codes: IntArray, mask: BoolArray, finite: BoolArray) -> LeftOut:
    without_prediction, without_label = mask & ~finite, codes == MISSING
    lost = without_prediction | without_label
    first = int(np.argmax(lost)) if lost.any() else None
    certain, predictions, labels = (int(np.count_nonzero(r)) for r in (mask, without_prediction, without_label))
    return LeftOut(codes.size, certain, predictions, labels, first)
