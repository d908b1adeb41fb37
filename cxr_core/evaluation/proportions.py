"""Intervals for shares of images when several images are of one patient, and for what is made of two such shares.

A share is a ratio of two sums over patients, b images of which t count. Its standard error is that of a ratio estimator
(Cochran 1977, section 6.3; for clustered binary data Rao & Scott 1992), its interval Student's t on the logit scale,
with the patients that have such images, less one, as degrees of freedom. Nothing is resampled, so a slider can follow.
Where no image, or each, counts, that error is 0 and says nothing: then the bound is Clopper & Pearson's (1934) exact
one for as many trials as the images are worth if those of one patient always agree, Kish's (1965) effective number, as
Korn & Graubard (1998) do for surveys.
"""

from collections.abc import Callable
from math import isnan, sqrt

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from cxr_core.arrays import FloatArray, inner
from cxr_core.evaluation.defined import SAME_IN_EACH_PATIENT, why_few
from cxr_core.evaluation.influence import clustered_variance
from cxr_core.evaluation.intervals import CONFIDENCE, Interval
from cxr_core.evaluation.results import Bounds

# What rounding leaves of an error that is none.
_SAME = 1e-12


def share_interval(
    counting: FloatArray, images: FloatArray, minimum: int = 2, confidence: float = CONFIDENCE
) -> Interval:
    """Return the interval (95 %) of sum(counting) / sum(images), or the reason why there is none.

    Args:
        counting: (patients,) how many images of each patient count, at most `images`.
        images: (patients,) how many images each patient has; patients without any are no part of it.
        minimum: fewest patients with images, two or more.
        confidence: how often the interval is to hold the share, above 0 and below 1.
    """
    patients, total = int(np.count_nonzero(images)), float(images.sum())
    few = why_few(patients, max(minimum, 2))
    if few:
        return Interval(None, few, 0)
    share = float(counting.sum()) / total
    if share in (0.0, 1.0):
        return Interval(_exact_end(share, total**2 / inner(images, images), confidence), None, 0)
    influences = (counting - share * images) / total
    error = sqrt(clustered_variance(influences, patients))
    if error < _SAME:
        return Interval(None, SAME_IN_EACH_PATIENT, 0)
    half = float(stdtrit(patients - 1, (1 + confidence) / 2)) * error / (share * (1 - share))
    return Interval((float(expit(logit(share) - half)), float(expit(logit(share) + half))), None, 0)


def score_interval(share: float, trials: float, confidence: float = CONFIDENCE) -> Bounds:
    """Return Wilson's (1927) interval of a share of so many trials.

    Args:
        share: above 0 and below 1.
        trials: above 0; of clustered images as many as have the variance of the share (Kott & Carr 1997).
        confidence: how often the interval is to hold the share, above 0 and below 1.
    """
    square = float(ndtri((1 + confidence) / 2)) ** 2
    middle, spread = share + square / (2 * trials), share * (1 - share) / trials + square / (4 * trials**2)
    half = sqrt(square * spread)
    return (middle - half) / (1 + square / trials), (middle + half) / (1 + square / trials)


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


def _exact_end(share: float, trials: float, confidence: float) -> Bounds:
    """Return Clopper & Pearson's interval of no success, or of successes alone, in so many trials."""
    reach = 1 - ((1 - confidence) / 2) ** (1 / trials)
    return (0.0, reach) if share == 0 else (1 - reach, 1.0)
