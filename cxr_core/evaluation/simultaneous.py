"""Differences with their standard errors, and what holds of many of them at once.

A difference is judged by Student's t, on its standard error by patients. Where many are shown side by side, each is
judged at a stricter level than 5 %, so that the chance of one false finding among *all* of them is 5 %. Two ways:

- `holm` for the labels of one pair of models (Holm 1979). It needs nothing but the p values.
- `Family` for grids, where every two models are compared on every label: the tests are many and far from independent,
  and the best model is chosen on the very rows on which it is compared. The largest of all the statistics is compared
  with its own distribution, that of the largest of jointly normal ones with the covariances of the data (max-T;
  Westfall & Young 1993; Hothorn, Bretz & Westfall 2008). Since all pairs are in the family, no choice among them can
  mislead, that of the best included.

Either way an interval is given at the very level at which its difference was tested: it leaves out 0 exactly where the
corrected p is below 5 %.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import TypeVar

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.influence import clustered_variance
from cxr_core.evaluation.resamples import SEED
from cxr_core.evaluation.results import LEVEL, Bounds

#: Draws of the largest statistic; a corrected p of .05 is then known to within .002.
DRAWS = 20_000
#: What is added to the diagonal of correlations so that models that rank nearly alike leave them invertible.
_RIDGE = 1e-9
#: A variance that is this small beside those that it is made of is none: theirs cancel.
_ROUNDING = 1e-14

NO_VARIANCE = (
    "the difference is the same whichever patients are drawn: both models rank the images alike, or each is perfect "
    "or reversed"
)

_Name = TypeVar("_Name", bound=Hashable)


@dataclass(frozen=True)
class Difference:
    """An estimated difference (or mean), its standard error (above 0), and the degrees of freedom of its t."""

    value: float
    error: float
    freedom: float

    @property
    def p(self) -> float:
        """The two-sided p of "no difference", not corrected."""
        return float(2 * stdtr(self.freedom, -abs(self.value) / self.error))

    def interval(self, level: float = LEVEL) -> Bounds:
        """Return the interval that leaves out 0 exactly where p < `level`."""
        half = -float(stdtrit(self.freedom, level / 2)) * self.error
        return self.value - half, self.value + half


def clustered(value: float, influence: FloatArray, patients: int) -> Difference | None:
    """Return a difference from each patient's influence on it, or None where it has no variance.

    Args:
        value: the difference.
        influence: (patients,) of each patient on it.
        patients: patients of the rarer class, n; two or more. The variance is that of n - 1 degrees of freedom.
    """
    error = sqrt(clustered_variance(influence, patients))
    return Difference(value, error, patients - 1) if error > 0 else None


def clustered_mean(value: float, products: FloatArray, patients: IntArray) -> Difference | None:
    """Return the mean of figures or differences that share their patients, one a label, None where it has no variance.

    The degrees of freedom are Satterthwaite's (1946), from the variance and the patients of each label.

    Args:
        value: the mean.
        products: (labels, labels) of the influences: the sum over the patients of what each adds to two labels.
        patients: (labels,) patients of the rarer class of each label, two or more.
    """
    variances = np.diag(products) * patients / (patients - 1)
    plain = float(products.mean())
    if plain <= _ROUNDING * float(variances.sum()):
        return None
    freedom = float(variances.sum() ** 2 / np.sum(variances**2 / (patients - 1)))
    return Difference(value, sqrt(plain * (freedom + 1) / freedom), freedom)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values after Holm's step-down correction (Holm 1979), in the order given, each at most 1."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(stepped, 1)
    return [float(value) for value in corrected]


def holm_levels(p_values: Sequence[float]) -> list[float]:
    """Return the level at which each p was tested by Holm's steps, in the order given.

    LEVEL / (tests - k) for the k-th smallest as long as all so far are below theirs; the others share the level of the
    step that ended it. A corrected p is below LEVEL exactly where p is below this level.
    """
    corrected = np.asarray(holm(p_values))
    found = corrected < LEVEL
    order = np.argsort(p_values, kind="stable")
    steps = np.empty(corrected.size)
    steps[order] = np.arange(corrected.size)
    steps[~found] = np.count_nonzero(found)
    return [float(level) for level in LEVEL / (corrected.size - steps)]


def holm_corrected(tested: Mapping[_Name, Difference]) -> dict[_Name, tuple[float, Bounds]]:
    """Return the p of each difference after Holm's correction for all, and its interval at the level of its test."""
    p_values = [one.p for one in tested.values()]
    steps = zip(tested.items(), holm(p_values), holm_levels(p_values), strict=True)
    return {name: (p, one.interval(level)) for (name, one), p, level in steps}


@dataclass(frozen=True, eq=False)
class Family:
    """Differences that are judged together; `largest` holds draws of their largest statistic, rising.

    `tests` counts them; `level` is the level at which each of them is tested. Where a table shows several families side
    by side, `families` counts these, and each is judged at its share of `LEVEL` (Bonferroni).
    """

    tests: int
    largest: FloatArray
    families: int = 1

    @property
    def level(self) -> float:
        """The largest level for a single test that keeps the chance of any false finding at `LEVEL`."""
        allowed = LEVEL / self.families
        if self.tests < 2:
            return allowed
        # So many draws reach the largest statistic whose corrected p is not yet below LEVEL.
        reaching = max(ceil(allowed * (self.largest.size + 1) - 1), 1)
        return float(min(max(2 * ndtr(-self.largest[-reaching]), allowed / self.tests), allowed))

    def corrected(self, p: float) -> float:
        """Return the p of one of the differences after correction for all of them: never below `p`."""
        return min(self._within(p) * self.families, 1.0)

    def _within(self, p: float) -> float:
        if self.tests < 2:
            return p
        statistic = -float(ndtri(p / 2))
        reached = self.largest.size - np.searchsorted(self.largest, statistic)
        drawn = float((reached + 1) / (self.largest.size + 1))
        return min(max(drawn, p), p * self.tests, 1.0)


def family_of(influences: FloatArray, pairs: Sequence[tuple[int, int]], draws: int = DRAWS) -> Family:
    """Return the family of the differences of pairs of figures.

    Args:
        influences: (patients, figures) of each patient on each figure.
        pairs: the differences, each as two columns of `influences`; those without variance are no tests.
        draws: of the largest statistic.
    """
    covariance = influences.T @ influences
    scale = np.sqrt(np.diag(covariance))
    scale[scale == 0] = 1.0
    correlation = covariance / np.outer(scale, scale)
    factor = np.linalg.cholesky(correlation + _RIDGE * np.eye(scale.size)) if scale.size else correlation
    drawn = (np.random.default_rng(SEED).standard_normal((draws, scale.size)) @ factor.T) * scale
    largest, tests = np.zeros(draws), 0
    for a, b in pairs:
        variance = float(np.sum((influences[:, a] - influences[:, b]) ** 2))
        if variance > 0:
            np.maximum(largest, np.abs(drawn[:, a] - drawn[:, b]) / sqrt(variance), out=largest)
            tests += 1
    largest.sort()
    return Family(tests, largest)
