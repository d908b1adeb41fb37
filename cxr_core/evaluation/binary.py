"""From label codes to truth: positive is 1, not mentioned and negative are 0, uncertain rows are left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.errors import TableError
from cxr_core.evaluation.arrays import BoolArray, FloatArray, IntArray, count_not_finite
from cxr_core.schema import VALUES, Value

#: What stands where a table says nothing of a label (NULL).
MISSING = -1


def label_codes(values: Any) -> IntArray:
    """Return label values of shape (n,) as int64 codes 0 to 3; a missing one (NaN or -1) becomes -1.

    Raises:
        TableError: a value is something else.
    """
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
    as stored; `uncertain` counts the uncertain rows that were dropped. `why` is None, or the reason why no figure may
    be computed: label values are missing, or scores are no finite numbers.
    """

    mask: BoolArray
    y: IntArray
    scores: FloatArray
    uncertain: int
    why: str | None

    @property
    def n(self) -> int:
        """Number of certain rows."""
        return self.y.size

    @property
    def positives(self) -> int:
        """Number of positive rows."""
        return int(self.y.sum())


def certain_rows(values: Any, scores: Any) -> CertainRows:
    """Drop the uncertain rows of one label from label values (n,) and predictions (n,).

    Raises:
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    codes = label_codes(values)
    mask, y = binary_truth(codes)
    kept = np.asarray(scores, dtype=np.float64)[mask]
    why = _why_missing(codes) or _why_not_finite(kept)
    return CertainRows(mask, y[mask], kept, int(np.sum(codes == Value.uncertain)), why)


def _why_missing(codes: IntArray) -> str | None:
    missing = np.count_nonzero(codes == MISSING)
    return f"{missing} of {codes.size} label values are missing" if missing else None


def _why_not_finite(scores: FloatArray) -> str | None:
    wrong = count_not_finite(scores)
    return f"{wrong} of {scores.size} predictions are missing, NaN or infinite" if wrong else None
