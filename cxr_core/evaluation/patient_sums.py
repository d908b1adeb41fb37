"""Resamples of figures that are made of sums over rows: shares, means, Brier scores.

Such a figure needs no sorting: each patient's sums, times how often the patient is drawn, are the resample's sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.resamples import patient_weights


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


def sum_by_patient(column: Any, clusters: IntArray, patients: int = 0) -> FloatArray:
    """Return the sum of a column (m,) over each patient's rows, shape (patients,), as many as occur at the least."""
    sums = np.bincount(clusters, weights=np.asarray(column, dtype=np.float64), minlength=patients)
    return sums.astype(np.float64, copy=False)


def resampled_sums(columns: Sequence[Any], drawn: Resampling) -> FloatArray:
    """Return the sum of each column, vectors (m,), in each resample, shape (columns, resamples)."""
    sums = np.zeros((len(columns), drawn.resamples))
    if drawn.patients == 0:
        return sums
    of_patients = np.stack([sum_by_patient(column, drawn.clusters, drawn.patients) for column in columns])
    for start, weights in patient_weights(drawn.patients, drawn.resamples):
        sums[:, start : start + weights.shape[1]] = of_patients @ weights
    return sums


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return numerator / denominator, NaN where the denominator is 0: that resample has no such figure."""
    return np.divide(numerator, denominator, out=np.full(denominator.shape, np.nan), where=denominator != 0)
