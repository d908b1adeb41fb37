"""Differences between trainings, over seeds and patients at once, and how many seeds would tell one.

Two models differ by what they were trained with, by the seed, and by the patients that they are judged on. Seeds are to
trainings what readers are to ways of imaging, each training having its own: the analysis is that of Obuchowski and
Rockette (1995) for readers who are nested in a test. With S_a trainings of A and S_b of B that differ in the seed
alone, the difference of the means has the variance

    s_a^2 / S_a + s_b^2 / S_b + c_a + c_b - 2 c_ab

where s^2 is the variance of the figure between the seeds of a side, c the mean covariance by patients of two of its
seeds, and c_ab that of a seed of A and one of B; covariances by patients are those of the figure's influences
(Obuchowski 1997). The seeds' own part holds what seeds and patients do together, so nothing is counted twice. Degrees
of freedom are Satterthwaite's (1946) over the parts, as in Hillis (2007).

Where a side has one seed, its s^2 is that of the other side (on the logit scale of the figure), or the floor that
similar trainings had; its c is its variance times the correlation that the seeds of the other side have, 1 where nobody
knows, which is rather wide.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.stats import nct, t

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.results import LEVEL, Bounds
from cxr_core.evaluation.simultaneous import Difference

#: What a question about seeds asks for, and how surely it is to be found.
ASKED_DIFFERENCE, POWER = 0.005, 0.8
#: More seeds than anybody trains.
MOST_SEEDS = 1000

ONE_SEED = "one seed each, and no similar trainings that differ in the seed alone: what another seed does is not known"
NO_PATIENTS = "the patients are too few to tell how far others would differ"


@dataclass(frozen=True, eq=False)
class Seeds:
    """A figure of trainings that differ in the seed alone.

    `values` (seeds,), `influences` (patients, seeds): how much each patient moves each value.
    """

    values: FloatArray
    influences: FloatArray

    @property
    def n(self) -> int:
        """How many seeds."""
        return int(self.values.size)

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return float(self.values.mean())


@dataclass(frozen=True)
class Floor:
    """What the seed alone does to a figure: its standard deviation, and the degrees of freedom it is known with."""

    sd: float
    freedom: float

    @property
    def by_chance(self) -> float:
        """How far two trainings of one seed each may differ by their seeds alone: 95 of 100 pairs differ by less."""
        return float(t.isf(LEVEL / 2, self.freedom)) * self.sd * sqrt(2)


@dataclass(frozen=True)
class SeedDifference:
    """The difference of the means of two trainings over seeds and patients.

    `error_seeds` and `error_patients` are the two parts of its standard error. `ci` and `p` (of "no difference", two-
    sided) are None where `why` says so. `seeds_needed`: of each training, to tell `ASKED_DIFFERENCE` on these images.
    """

    value: float
    seeds: tuple[int, int]
    floor: Floor | None
    error_seeds: float | None
    error_patients: float | None
    ci: Bounds | None = None
    p: float | None = None
    seeds_needed: int | None = None
    why: str | None = None


def pooled_floor(groups: list[FloatArray]) -> Floor | None:
    """Return the floor of groups of values (seeds,), pooled within; None where no group has two seeds."""
    several = [values for values in groups if values.size > 1]
    return pooled((values.size - 1, float(np.square(values - values.mean()).sum())) for values in several)


def pooled(spreads: Iterable[tuple[int, float]]) -> Floor | None:
    """Return the floor of spreads, each its degrees of freedom and its sum of squares; None where nothing is known."""
    known = list(spreads)
    freedom = sum(degrees for degrees, _ in known)
    return Floor(sqrt(sum(squares for _, squares in known) / freedom), freedom) if freedom else None


def seed_difference(a: Seeds, b: Seeds, patients: float, known: Floor | None = None) -> SeedDifference:
    """Return the difference of the means of A and B over seeds and patients.

    Args:
        a: one training.
        b: the other, judged on the same patients.
        patients: degrees of freedom of a variance by patients: of one label, the patients of its rarer class less 1.
        known: the floor that similar trainings had, for a side of one seed where the other has one too.
    """
    value, seeds = a.mean - b.mean, (a.n, b.n)
    floor = pooled_floor([a.values, b.values]) or known
    if patients < 1:
        return SeedDifference(value, seeds, floor, None, None, why=NO_PATIENTS)
    by_patients = max(_by_patients(a, b) * (patients + 1) / patients, 0.0)
    if floor is None:
        return SeedDifference(value, seeds, None, None, sqrt(by_patients), why=ONE_SEED)
    parts = _by_seeds(a, b, floor)
    by_seeds = sum(part for part, _ in parts)
    whole, needed = by_seeds + by_patients, seeds_needed(floor)
    if whole <= 0:
        why = "the trainings rank these images alike, so nothing varies"
        return SeedDifference(value, seeds, floor, 0.0, 0.0, seeds_needed=needed, why=why)
    squares = sum(part**2 / freedom for part, freedom in [*parts, (by_patients, patients)])
    found = Difference(value, sqrt(whole), whole**2 / squares)
    errors = (sqrt(by_seeds), sqrt(by_patients))
    return SeedDifference(value, seeds, floor, *errors, found.interval(), found.p, needed)


def seeds_needed(floor: Floor, difference: float = ASKED_DIFFERENCE, power: float = POWER) -> int | None:
    """Return how many seeds of each of two trainings tell a difference on given images; None above `MOST_SEEDS`.

    The fewest with which a two-sided t-test at 5 % finds a difference of that size with that power, were the standard
    deviation between seeds exactly the floor's. Other patients are another question, which no number of seeds answers.
    """
    if floor.sd == 0:
        return 2
    first, last = 2, MOST_SEEDS
    if _power(last, floor.sd, difference) < power:
        return None
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if _power(middle, floor.sd, difference) >= power else (middle + 1, last)
    return first


def _power(seeds: int, sd: float, difference: float) -> float:
    freedom, shift = 2 * seeds - 2, difference / (sd * sqrt(2 / seeds))
    return float(nct.sf(t.isf(LEVEL / 2, freedom), freedom, min(shift, 30.0)))


def _by_seeds(a: Seeds, b: Seeds, floor: Floor) -> list[tuple[float, float]]:
    """Return the parts of the variance that the seeds have, each with its degrees of freedom.

    A side of one seed has none of its own: then both have the floor's, which is one part, since it is one estimate.
    """
    if 1 in (a.n, b.n):
        known = max(a, b, key=lambda side: side.n)
        scales = [_scale(side.mean) / _scale(known.mean) if known.n > 1 else 1.0 for side in (a, b)]
        shares = sum(scale**2 / side.n for scale, side in zip(scales, (a, b), strict=True))
        return [(floor.sd**2 * shares, floor.freedom)]
    return [(float(side.values.var(ddof=1)) / side.n, side.n - 1) for side in (a, b)]


def _scale(area: float) -> float:
    """Return how far an area moves with its logit: seeds move the logits of AUCs alike, not the AUCs."""
    return area * (1 - area) if 0 < area < 1 else 1.0


def _by_patients(a: Seeds, b: Seeds) -> float:
    """Return the part of the variance that the patients have, as sums of squares."""
    together = float((a.influences.T @ b.influences).mean())
    own, correlations = zip(*(_within(side) for side in (a, b)), strict=True)
    known = [one for one in correlations if one is not None]
    usual = sum(known) / len(known) if known else 1.0
    shares = [usual if one is None else one for one in correlations]
    return sum(variance * share for variance, share in zip(own, shares, strict=True)) - 2 * together


def _within(side: Seeds) -> tuple[float, float | None]:
    """Return the mean variance by patients of the seeds of a side, and the mean correlation of two; None of one."""
    products = side.influences.T @ side.influences
    variance = float(np.diag(products).mean())
    if side.n == 1 or variance == 0:
        return variance, None
    others = (products.sum() - np.trace(products)) / (side.n * (side.n - 1))
    return variance, float(others) / variance
