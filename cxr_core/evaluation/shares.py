"""The share of images on which a finding is present, counted by readers, with an interval that knows patients.

Images of one patient are alike, so n images tell as much as fewer that are independent. The effective number is n over
the design effect, p (1 - p) / (n Var(p)), the variance taken between the sums of patients and never smaller than that
of independent images (Korn & Graubard 1998). Wilson's interval (1927) at that number, with Student's t for few rows, is
the interval. Where all or none are present, the variance is 0 and tells nothing: each patient then counts once.

With a model that has predicted all images, also those that nobody read, the share among all is estimated with its help:
prediction-powered inference in its tuned form (Angelopoulos, Duchi & Zrnic 2023), lambda * mean of the model on the
unread + mean of (reading - lambda * model) on the read, with the lambda that makes the variance smallest. It is right
however bad the model is; a useless one gets lambda near 0. As lambda is tuned on the readings too, the variance is the
jackknife's, leaving out one patient at a time; its degrees of freedom are those of patients, drawn a quarter towards
those of readings, which is where the intervals of few patients hold what they promise. What
`benchmarks/meaning_coverage.py` measures is how often both cover.
"""

from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.results import Bounds

#: Fewer rows with a verdict than this give no share.
FEWEST_READ = 10
#: Half the width of the interval that is asked for when more are to be read.
WANTED_HALF_WIDTH = 0.10
#: A model helps only where at least one of either kind was read. More would choose among samples by their outcome, so
#: that what is left is wrong on average: at three, intervals of a share of .1 by 20 readings cover 90 %.
FEWEST_OF_A_KIND = 1
#: A share stays at least this part of one reading away from 0 and 1.
_HALF_A_READING = 0.5

_NO_VARIANCE = 1e-12

_TAIL = 1 - (1 - CONFIDENCE) / 2
_Z = float(ndtri(_TAIL))


@dataclass(frozen=True)
class PresentShare:
    """How many of the rows that were read are present.

    Of `n` rows, `n_read` (of `n_patients` patients) have a verdict and `n_present` of those are present. Of these two,
    `n_set_aside` and `n_present_set_aside` tell no share: they were not read as a random sample is, or not blind.
    `share`, that of the others, and its 95 % interval are None below `FEWEST_READ`, with the reason in `why`.
    """

    n: int
    n_read: int
    n_present: int
    n_patients: int
    share: float | None
    ci: Bounds | None
    why: str | None = None
    n_set_aside: int = 0
    n_present_set_aside: int = 0

    @property
    def counted(self) -> tuple[int, int]:
        """How many rows tell the share, and how many of them are present."""
        return self.n_read - self.n_set_aside, self.n_present - self.n_present_set_aside

    @property
    def more_to_read(self) -> int:
        """How many more rows to read for an interval of about ± 10 points, by Wilson's interval at the share so far."""
        share = 0.5 if self.share is None else self.share
        needed = ceil(_Z * _Z * max(share * (1 - share), 0.05) / WANTED_HALF_WIDTH**2)
        return max(0, min(needed, self.n - self.n_set_aside) - self.counted[0])


@dataclass(frozen=True)
class HelpedShare:
    """A share among all rows, read or not, estimated with a model's help; `weight` is the lambda that it got."""

    share: float
    ci: Bounds
    weight: float


def present_share(verdicts: Any, patients: Any, set_aside: Any = None) -> PresentShare:
    """Return the share that is present among rows (n,) with verdict 1 (present) or 0 (absent); -1 was not judged.

    Args:
        verdicts: (n,) 1 present, 0 absent, -1 no verdict.
        patients: (n,) whose images they are.
        set_aside: (n,) verdicts, in the same codes, of rows that have no other and tell no share; None for none.
    """
    verdicts, patients = np.asarray(verdicts), np.asarray(patients)
    aside = np.full(verdicts.shape, -1) if set_aside is None else np.where(verdicts >= 0, -1, np.asarray(set_aside))
    read = verdicts >= 0
    y, clusters = verdicts[read].astype(np.float64), _clusters(patients[read])
    n_aside, present_aside = int((aside >= 0).sum()), int((aside == 1).sum())
    found = PresentShare(
        n=verdicts.size,
        n_read=y.size + n_aside,
        n_present=int(y.sum()) + present_aside,
        n_patients=int(np.unique(patients[read | (aside >= 0)]).size),
        share=None,
        ci=None,
        n_set_aside=n_aside,
        n_present_set_aside=present_aside,
    )
    if y.size < FEWEST_READ:
        beside = f", and {n_aside} set aside" if n_aside else ""
        why = f"only {y.size} of {verdicts.size} were read{beside}; a share needs at least {FEWEST_READ}"
        return replace(found, why=why)
    share = float(y.mean())
    if (groups := int(clusters.max()) + 1) < 2:
        return replace(found, share=share, why="all that were read are of one patient")
    variance = _variance_of_mean(y - share, clusters, y.size)
    size = groups if variance == 0 else min(share * (1 - share) / variance, y.size)
    return replace(found, share=share, ci=_wilson(share, size, y.size - 1))


def helped_share(verdicts: Any, predicted: Any, patients: Any) -> HelpedShare | None:
    """Return the share among all rows (n,) with the help of a model, None where it cannot be told.

    Args:
        verdicts: (n,) 1 present, 0 absent, -1 no verdict.
        predicted: (n,) the model's probability of present for every row.
        patients: (n,) whose images they are.
    """
    verdicts, predicted, patients = np.asarray(verdicts), np.asarray(predicted, np.float64), np.asarray(patients)
    read = verdicts >= 0
    y, on_read, on_rest = verdicts[read].astype(np.float64), predicted[read], predicted[~read]
    clusters = _clusters(patients[read])
    if y.size < FEWEST_READ or min(y.sum(), y.size - y.sum()) < FEWEST_OF_A_KIND or on_rest.size == 0:
        return None
    sums = _patient_sums(y, on_read, clusters)
    if sums.shape[1] < 3:
        return None
    total = sums.sum(axis=1, keepdims=True)
    weight, estimate = (float(one[0]) for one in _tuned(total, on_rest))
    share = float(np.clip(estimate, _HALF_A_READING / y.size, 1 - _HALF_A_READING / y.size))
    variance = _jackknife_variance(_tuned(total - sums, on_rest)[1])
    of_the_rest = np.where(read, 0.0, weight * (predicted - on_rest.mean()))
    variance += _variance_of_mean(of_the_rest, _clusters(patients), on_rest.size)
    spread = share * (1 - share)
    if variance <= 0:
        return None
    freedom = 0.75 * sums.shape[1] + 0.25 * y.size - 1
    return HelpedShare(share, _wilson(share, spread / variance, freedom), weight)


def shrunk_shares(present: Any, read: Any) -> FloatArray:
    """Return shares (k,) drawn towards their common mean, the more the fewer were read; the mean where none was.

    A beta distribution of the labels' true shares, its two moments estimated from the counts (Kleinman 1973): with
    strength s and mean m, (present + s m) / (read + s).

    Args:
        present: (k,) counts of present.
        read: (k,) counts of read.
    """
    present, read = np.asarray(present, np.float64), np.asarray(read, np.float64)
    known = read > 0
    if not known.any():
        return np.full(read.shape, 0.5)
    mean = float(present[known].sum() / read[known].sum())
    strength = _strength(present[known] / read[known], read[known], mean)
    return np.asarray((present + strength * mean) / (read + strength), np.float64)


def _strength(shares: FloatArray, read: FloatArray, mean: float) -> float:
    """Return how many readings the common mean is worth: from 1 (labels differ widely) to 100 (they do not)."""
    spread = mean * (1 - mean)
    if spread == 0 or shares.size < 2:
        return 10.0
    weights = read / read.sum()
    seen = float((weights * (shares - mean) ** 2).sum())
    by_chance = float((weights * (1 - weights) / read).sum()) * spread
    within = 1 - float((weights**2).sum()) - by_chance / spread
    correlation = (seen - by_chance) / (spread * within) if within > 0 else 0.0
    return 100.0 if correlation <= 0.01 else float(np.clip(1 / correlation - 1, 1.0, 100.0))


def _patient_sums(y: FloatArray, predicted: FloatArray, clusters: IntArray) -> FloatArray:
    """Return each patient's count and sums of y, f, y f and f f, shape (5, patients)."""
    columns = (np.ones(y.size), y, predicted, y * predicted, predicted * predicted)
    return np.stack([np.bincount(clusters, weights=column) for column in columns])


def _tuned(sums: FloatArray, on_rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return lambda and the share (k,) for sums (5, k) over the rows that were read."""
    n, y, f, yf, ff = sums
    covariance, variance = (yf - y * f / n) / (n - 1), (ff - f * f / n) / (n - 1)
    weight = np.divide(
        covariance, (1 + n / on_rest.size) * variance, out=np.zeros_like(variance), where=variance > _NO_VARIANCE
    )
    weight = np.clip(weight, 0.0, 1.0)
    return weight, weight * on_rest.mean() + (y - weight * f) / n


def _jackknife_variance(left_out: FloatArray) -> float:
    """Return the variance of a figure from its values (k,), one patient left out of each (Efron & Stein 1981)."""
    return float((left_out.size - 1) / left_out.size * ((left_out - left_out.mean()) ** 2).sum())


def _variance_of_mean(residuals: FloatArray, clusters: IntArray, n: int) -> float:
    """Return the variance of sum / n from residuals that sum to 0, patients being independent."""
    sums = np.bincount(clusters, weights=residuals)
    return float(sums.size / (sums.size - 1) * (sums**2).sum() / n**2)


def _wilson(share: float, size: float, freedom: float) -> Bounds:
    """Return Wilson's interval at an effective number of rows, its quantile Student's with degrees of `freedom`."""
    t = float(stdtrit(freedom, _TAIL))
    z2 = t * t
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = t * sqrt(share * (1 - share) / size + z2 / (4 * size * size)) / (1 + z2 / size)
    return max(0.0, centre - half), min(1.0, centre + half)


def _clusters(patients: Any) -> IntArray:
    return np.unique(patients, return_inverse=True)[1].astype(np.int64)
