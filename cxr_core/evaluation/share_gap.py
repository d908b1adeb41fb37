"""The difference of a share between some rows and all others, when a patient can have rows among both.

Its interval is Newcombe's (1998, method 10): each share is moved to its bounds while the other stays, and the squares
of what that does to the difference are added, less twice their product times the correlation of the shares, which is
not 0 where patients have rows among both (Zou & Donner 2008). A bound is Wilson's for as many images as have the
variance of the share by patient, and the exact one of `proportions.share_interval` where a share is 0 or 1. Student's t
on the difference itself leaves out 0 too often far in the tails, where few images of a small group are called wrong,
and the tests of a matrix are judged there: of matrices without any gap 6.5 in a hundred had one
(`benchmarks/gaps_coverage.py`). The p is the level at which the interval begins to leave out 0, so that the two never
disagree.
"""

from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, isinf, log, sqrt

import numpy as np
from scipy.optimize import brentq

from cxr_core.arrays import FloatArray, inner
from cxr_core.evaluation.defined import SAME_IN_EACH_PATIENT
from cxr_core.evaluation.influence import clustered_variance
from cxr_core.evaluation.proportions import score_interval, share_interval
from cxr_core.evaluation.results import LEVEL, Bounds

_LEAST_P = 1e-12
# What rounding leaves of a variance that is none.
_SAME = 1e-24


@dataclass(frozen=True, eq=False)
class ShareOf:
    """A share: of the `images` (patients,) of each patient `counting` (patients,) count; some patients have none."""

    counting: FloatArray
    images: FloatArray

    @cached_property
    def value(self) -> float:
        """The share; there must be images."""
        return float(self.counting.sum() / self.images.sum())

    @property
    def patients(self) -> int:
        """Patients with images."""
        return int(np.count_nonzero(self.images))

    @cached_property
    def influence(self) -> FloatArray:
        """What each patient (patients,) adds to the share."""
        return (self.counting - self.value * self.images) / self.images.sum()

    @cached_property
    def trials(self) -> float:
        """How many images of as many patients have the variance of the share; not finite where it does not vary."""
        variance = clustered_variance(self.influence, self.patients)
        return inf if variance < _SAME else self.value * (1 - self.value) / variance

    def bounds(self, level: float) -> Bounds | None:
        """Return the interval that leaves out the share in `level` of all samples, None without variance."""
        if self.value in (0.0, 1.0):
            return share_interval(self.counting, self.images, confidence=1 - level).ci
        return None if isinf(self.trials) else score_interval(self.value, self.trials, 1 - level)


@dataclass(frozen=True, eq=False)
class ShareGap:
    """The share of `group` minus that of `rest`."""

    group: ShareOf
    rest: ShareOf

    @property
    def value(self) -> float:
        """The difference, from -1 to 1."""
        return self.group.value - self.rest.value

    @property
    def why_no_interval(self) -> str | None:
        """Why there is neither interval nor p, or None."""
        undefined = self.group.bounds(LEVEL) is None or self.rest.bounds(LEVEL) is None
        return SAME_IN_EACH_PATIENT if undefined else None

    @cached_property
    def correlation(self) -> float:
        """Of the two shares over patients; 0 where no patient has images among both."""
        first, second = self.group.influence, self.rest.influence
        size = sqrt(inner(first, first) * inner(second, second))
        return inner(first, second) / size if size else 0.0

    def interval(self, level: float = LEVEL) -> Bounds:
        """Return the interval that misses the difference in `level` of all samples; it leaves out 0 where p is less."""
        # A level of 1 leaves no interval; just below it, it is the share itself.
        bounds = [share.bounds(min(level, 1 - 1e-12)) for share in (self.group, self.rest)]
        assert bounds[0] is not None and bounds[1] is not None, "why_no_interval was asked before"
        (low, high), (rest_low, rest_high) = bounds[0], bounds[1]
        own, other = self.group.value, self.rest.value
        down = _added(own - low, rest_high - other, self.correlation)
        up = _added(high - own, other - rest_low, self.correlation)
        return max(-1.0, self.value - down), min(1.0, self.value + up)

    def p(self) -> float:
        """Return the two-sided p of "no difference", 1e-12 at the least."""
        positive = self.value > 0

        def beyond(logarithm: float) -> float:
            low, high = self.interval(exp(logarithm))
            return low if positive else -high

        if beyond(0.0) <= 0:
            return 1.0
        least = log(_LEAST_P)
        return _LEAST_P if beyond(least) > 0 else float(exp(brentq(beyond, least, 0.0, xtol=1e-12)))


def _added(first: float, second: float, correlation: float) -> float:
    return sqrt(max(0.0, first**2 - 2 * correlation * first * second + second**2))
