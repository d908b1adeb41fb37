"""Where the uncertain ones fall: how a model scores the rows on which it is not judged."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import FloatArray, as_scores
from cxr_core.evaluation.binary import label_codes
from cxr_core.evaluation.proportions import wilson_interval
from cxr_core.evaluation.results import Bounds
from cxr_core.schema import Value


@dataclass(frozen=True)
class ShareAbove:
    """Of the `n` rows with one label value, `n_above` score at or above a threshold; no share when n is 0."""

    value: str
    n: int
    n_above: int
    share: float | None
    ci: Bounds | None


def scores_by_value(values: Any, scores: Any) -> dict[str, FloatArray]:
    """Return the scores of the rows with each label value, by its name, sorted; rows without a value are in none.

    Raises:
        DataError: a score is NaN or infinite.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    codes, scores = label_codes(values), as_scores(scores)
    return {value.name: np.sort(scores[codes == value]) for value in Value}


def shares_above(values: Any, scores: Any, threshold: float) -> dict[str, ShareAbove]:
    """Return, for each label value, how many of its rows a threshold calls positive (score >= threshold).

    If most uncertain rows fall on the positive side, the reports hedge on what the model takes for present.

    Args:
        values: (n,) label codes, 0 to 3, -1 or NaN where missing.
        scores: (n,) predictions as stored.
        threshold: on the stored scale.

    Raises:
        DataError: a score is NaN or infinite.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    return {name: _share_above(name, ranked, threshold) for name, ranked in scores_by_value(values, scores).items()}


def _share_above(name: str, ranked: FloatArray, threshold: float) -> ShareAbove:
    above = int(ranked.size - np.searchsorted(ranked, threshold, side="left"))
    share = above / ranked.size if ranked.size else None
    return ShareAbove(name, ranked.size, above, share, wilson_interval(above, ranked.size))
