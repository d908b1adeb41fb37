"""Wilson's interval for a proportion."""

from math import sqrt
from statistics import NormalDist

from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.results import Bounds

_Z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)


def wilson_interval(successes: int, n: int) -> Bounds | None:
    """Return the 95 % interval of successes / n (Wilson 1927), or None when n is 0.

    Rows are taken as independent; several images of one patient make the true interval wider.
    """
    if n == 0:
        return None
    share, z2 = successes / n, _Z * _Z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At 0 and n the bound is exactly 0 or 1; only rounding says otherwise.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return low, high
