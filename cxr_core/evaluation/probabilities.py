"""Between logits and probabilities, in float64."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.errors import DataError

#: Probabilities are clipped to [CLIP, 1 - CLIP] before they are turned into logits, so that 0 and 1 become -+27.6.
CLIP = 1e-12
#: From so many values on, logits that all lie between 0 and 1 are doubted.
_ENOUGH_TO_DOUBT = 20


def logit(probabilities: Any) -> FloatArray:
    """Return log(p / (1 - p)) of any shape, after clipping p to [1e-12, 1 - 1e-12].

    Raises:
        DataError: a value lies outside [0, 1].
    """
    p = np.clip(check_probabilities(probabilities), CLIP, 1 - CLIP)
    return np.log(p) - np.log1p(-p)


def look_like_probabilities(logits: FloatArray) -> bool:
    """Return whether values that are called logits all lie in [0, 1]: a logit is as soon negative as positive.

    Few values prove nothing, nor does one and the same number: from 20 on, not all alike, the answer can be True.
    """
    return logits.size >= _ENOUGH_TO_DOUBT and bool(0 <= logits.min() < logits.max() <= 1)


def check_probabilities(values: Any) -> FloatArray:
    """Return `values` as float64 when all lie in [0, 1].

    Raises:
        DataError: a value lies outside [0, 1].
    """
    p = np.asarray(values, dtype=np.float64)
    outside = np.count_nonzero((p < 0) | (p > 1))
    if outside:
        raise DataError(
            f"Probabilities must lie between 0 and 1. Received: {outside} of {p.size} outside. "
            "Import these predictions again with their true scale (logit or score)."
        )
    return p


def scale_doubt(scores: Mapping[str, FloatArray], scale: str) -> str | None:
    """Return a sentence when values that are called logits look like probabilities on every label, else None."""
    each = (of_label[np.isfinite(of_label)] for of_label in scores.values())
    if scale != "logit" or not scores or not all(look_like_probabilities(of_label) for of_label in each):
        return None
    return (
        "All predictions lie between 0 and 1 although the table says that they are logits. If they are probabilities, "
        "import them again with that scale; AUC and AP stay as they are."
    )
