"""Resamples of figures that are made of sums over rows: shares, means, Brier scores.

Such a figure needs no sorting: each patient's sums, times how often the patient is drawn, are the resample's sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.evaluation.arrays import FloatArray, IntArray
from cxr_core.evaluation.binary import CertainRows
from cxr_core.evaluation.resamples import patient_clusters, patient_weights


@dataclass(frozen=True, eq=False)
class Resampling:
    """How the rows of a figure are resampled.

    `clusters` (m,) is each row's patient, 0 to `patients` - 1; patients without a row here are drawn too, so that all
    labels share their draws. `minimum` is the fewest patients of each class for which an interval is given.
    """

    clusters: IntArray
    patients: int
    resamples: int
    minimum: int


def resampling_of(rows: CertainRows, patients: Any, resamples: int, minimum: int) -> Resampling:
    """Return how the certain rows of a label are resampled, `patients` (n,) being those of all rows."""
    clusters, n_patients = patient_clusters(patients)
    return Resampling(clusters[rows.mask], n_patients, resamples, minimum)


def resampled_sums(columns: Sequence[Any], drawn: Resampling) -> FloatArray:
    """Return the sum of each column, vectors (m,), in each resample, shape (columns, resamples)."""
    sums = np.zeros((len(columns), drawn.resamples))
    if drawn.patients == 0:
        return sums
    of_patients = np.stack(
        [np.bincount(drawn.clusters, weights=column, minlength=drawn.patients) for column in columns]
    )
    for start, weights in patient_weights(drawn.patients, drawn.resamples):
        sums[:, start : start + weights.shape[1]] = of_patients @ weights
    return sums


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return numerator / denominator, NaN where the denominator is 0: that resample has no such figure."""
    return np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator != 0)
