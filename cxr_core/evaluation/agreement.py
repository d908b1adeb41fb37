"""How far readers agree: the mean of Cohen's kappa over the pairs of readers, on rows where both say present or absent.

Kappa (Cohen 1960) is (observed - expected agreement) / (1 - expected). The interval is that of the patient-cluster
bootstrap: kappas are functions of counts, and the counts of a resample are sums over its patients.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio, resampled_sums
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import Bounds
from cxr_core.evaluation.verdicts import ABSENT, NO_VERDICT, PRESENT, own_verdicts
from cxr_core.words import counted

#: Fewer patients than this give no interval.
FEWEST_PATIENTS = 10


@dataclass(frozen=True)
class Agreement:
    """The mean kappa of `pairs` pairs of readers on `n` rows that two or more judged; None with the reason in `why`."""

    n: int
    pairs: int
    kappa: float | None
    ci: Bounds | None
    why: str | None = None


def agreement(votes: IntArray, patients: IntArray, resamples: int) -> Agreement:
    """Return how far the readers of one label agree.

    Args:
        votes: (rows, readers) codes of `schema.Verdict`, 0 not read.
        patients: (rows,) whose images they are.
        resamples: of the patients, for the interval.
    """
    said = np.stack([own_verdicts(votes, reader) for reader in range(votes.shape[1])], axis=1)
    shared = np.count_nonzero(said != NO_VERDICT, axis=1) >= 2
    said, clusters = said[shared], patient_clusters(patients[shared])[0]
    n, groups = int(shared.sum()), int(clusters.max()) + 1 if shared.any() else 0
    if n == 0:
        return Agreement(0, 0, None, None, "no row was judged by two readers")
    cells = [cell for first, second in combinations(range(said.shape[1]), 2) for cell in _cells(said, first, second)]
    counts = np.array([[cell.sum()] for cell in cells], np.float64)
    each = _kappas(counts)[:, 0]
    pairs = int(np.count_nonzero(~np.isnan(each)))
    if pairs == 0:
        return Agreement(n, 0, None, None, "the readers of each pair say the same of every row they share")
    kappa = float(np.nanmean(each))
    if groups < FEWEST_PATIENTS:
        return Agreement(
            n, pairs, kappa, None, f"only {counted(groups, 'patient')}; an interval needs {FEWEST_PATIENTS}"
        )
    sums = resampled_sums([cell.astype(np.float64) for cell in cells], Resampling(clusters, groups, resamples, 2))
    found = percentile_interval(_mean_over_pairs(_kappas(sums)), groups, "leave no pair of readers that can differ")
    return Agreement(n, pairs, kappa, found.ci, found.why)


def _cells(said: IntArray, first: int, second: int) -> list[BoolArray]:
    """Return which rows are in each cell of the 2 x 2 table of two readers: present or absent by either."""
    return [
        (said[:, first] == one) & (said[:, second] == other) for one in (PRESENT, ABSENT) for other in (PRESENT, ABSENT)
    ]


def _kappas(counts: FloatArray) -> FloatArray:
    """Return the kappa (pairs, k) of each pair from the counts (4 * pairs, k) of its four cells; NaN if undefined."""
    both, first, second, neither = counts.reshape(-1, 4, counts.shape[1]).transpose(1, 0, 2)
    n = both + first + second + neither
    observed = ratio(both + neither, n)
    expected = ratio((both + first) * (both + second) + (neither + first) * (neither + second), n * n)
    return ratio(observed - expected, 1 - expected)


def _mean_over_pairs(kappas: FloatArray) -> FloatArray:
    """Return the mean (k,) over the pairs (pairs, k) that have a kappa, NaN where none has."""
    known = ~np.isnan(kappas)
    return ratio(np.where(known, kappas, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))
