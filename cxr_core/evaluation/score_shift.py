"""How far have a model's scores moved from the images on which thresholds were chosen to others?

A card keeps the percentiles of the scores of each label, so that the question can be asked where those images are not.
"""

from collections.abc import Sequence

import numpy as np

from cxr_core.arrays import FloatArray

_STEPS = np.linspace(0, 1, 101)


def percentiles(scores: FloatArray) -> list[float]:
    """Return the 0th to 100th percentile (101,) of scores (n,), each of them a score; none of no scores."""
    return np.quantile(scores, _STEPS, method="inverted_cdf").tolist() if scores.size else []


def score_shift(steps: Sequence[float], scores: FloatArray) -> float | None:
    """Return the largest distance of two cumulative distributions, from 0 (alike) to 1 (Kolmogorov-Smirnov).

    Without scores on either side there is none.

    Args:
        steps: (101,) what `percentiles` returned; what they leave out makes at most .01 of the distance.
        scores: (n,) others.
    """
    if not len(steps) or not scores.size:
        return None
    first, second = np.sort(steps), np.sort(scores)
    both = np.concatenate([first, second])
    shares = [np.searchsorted(one, both, side="right") / one.size for one in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())
