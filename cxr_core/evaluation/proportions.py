"""Wilson's interval for a proportion, and intervals for what is made of two independent proportions."""

from collections.abc import Callable
from math import isnan, sqrt
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


def square_and_add(
    figure: Callable[[float, float], float], shares: tuple[float, float], intervals: tuple[Bounds, Bounds]
) -> Bounds:
    """Return the interval of `figure(*shares)` from the intervals of its two independent shares, clipped to [0, 1].

    Each share is moved to its bounds while the other stays; what the figure loses (or gains) by that is squared and
    added (Newcombe 1998, method 10, for a difference; Zou & Donner 2008 for other figures). `figure` must be monotone
    in each share; a NaN at a bound counts as no move.
    """
    value = figure(*shares)
    down = up = 0.0
    for moved in (0, 1):
        ends = [figure(*(bound if place == moved else shares[place] for place in (0, 1))) for bound in intervals[moved]]
        moves = [0.0 if isnan(end) else end - value for end in ends]
        down += min(*moves, 0.0) ** 2
        up += max(*moves, 0.0) ** 2
    return max(0.0, value - sqrt(down)), min(1.0, value + sqrt(up))
