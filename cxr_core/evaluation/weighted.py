"""AUC and AP of many resamples at once.

A label of one model is sorted once. Only the scores at which a positive stands matter to either figure, so the sorted
rows are cut into *steps*, one for each distinct score of a positive. What a resample has gained at each step is a
product of a sparse matrix (steps x patients, how many rows of each patient) with the draws (patients x resamples),
and a running sum over the steps gives true and false positives of all resamples side by side. The figures equal those
of the repeated rows, computed anew, to rounding: the counts are whole numbers that float64 holds exactly.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.ranking import Ranking, ranking
from cxr_core.evaluation.resamples import patient_weights
from cxr_core.progress import tell_done

# Steps x resamples that are worked off together: 1 MB an array, which stays near the core.
_TILE_ELEMENTS = 2**17


@dataclass(frozen=True, eq=False)
class StepwiseRows:
    """Rows in groups, one group for each of s steps: `patients[ends[i]:ends[i + 1]]` are the patients of group i."""

    patients: IntArray
    ends: IntArray

    def times(self, weights: FloatArray, start: int, stop: int) -> FloatArray:
        """Return the weight of the rows of steps `start` to `stop`, shape (stop - start, resamples)."""
        ends = self.ends[start : stop + 1]
        columns = self.patients[ends[0] : ends[-1]]
        matrix = csr_array((np.ones(columns.size), columns, ends - ends[0]), shape=(stop - start, weights.shape[0]))
        product: FloatArray = matrix @ weights
        return product


@dataclass(frozen=True, eq=False)
class RankedRows:
    """One label of one model, ready to be weighted.

    `positives` holds the positive rows of each step, `negatives` the negative rows with a score down to the step's
    that no earlier step had, `tied` those among them with the very score of the step (None when there are none).
    `positive_rows` and `negative_rows`, of shape (patients,), count all rows of each patient.
    """

    steps: int
    positives: StepwiseRows
    negatives: StepwiseRows
    tied: StepwiseRows | None
    positive_rows: FloatArray
    negative_rows: FloatArray


def rank_rows(y: IntArray, scores: FloatArray, clusters: IntArray, patients: int) -> RankedRows:
    """Sort the certain rows of a label by falling score and cut them into steps; arguments as of `steps_of`."""
    return steps_of(ranking(y, scores), clusters, patients)


def steps_of(ranked: Ranking, clusters: IntArray, patients: int) -> RankedRows:
    """Cut sorted rows into steps.

    Args:
        ranked: the certain rows of a label.
        clusters: (n,) each row's patient, 0 to `patients` - 1.
        patients: how many patients the resamples draw from.
    """
    positive, of_patient = ranked.positive, clusters[ranked.order]
    has_positive = np.diff(ranked.tp, prepend=0) > 0
    group = np.repeat(np.arange(ranked.ends.size), np.diff(ranked.ends, prepend=-1))
    through = np.cumsum(has_positive)
    steps = int(through[-1]) if through.size else 0
    of_positive, of_negative = group[positive], group[~positive]
    step_of_negative: IntArray = through[of_negative] - has_positive[of_negative]
    positives, negatives = of_patient[positive], of_patient[~positive]
    tie = has_positive[of_negative]
    return RankedRows(
        steps=steps,
        positives=_steps(positives, through[of_positive] - 1, steps),
        negatives=_steps(negatives, step_of_negative, steps),
        tied=_steps(negatives[tie], step_of_negative[tie], steps) if tie.any() else None,
        positive_rows=np.bincount(positives, minlength=patients).astype(np.float64),
        negative_rows=np.bincount(negatives, minlength=patients).astype(np.float64),
    )


def weighted_figures(rows: RankedRows, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return AUC and AP, each of shape (k,), for k weightings of the patients.

    Args:
        rows: the ranked rows.
        weights: (patients, k) how often each patient is drawn.

    Returns:
        The figures on the repeated rows; NaN where a resample has one class only.
    """
    positives, negatives = rows.positive_rows @ weights, rows.negative_rows @ weights
    doubled_below, precisions = np.zeros(weights.shape[1]), np.zeros(weights.shape[1])
    tp: Any = 0.0
    fp: Any = 0.0
    tile = max(1, _TILE_ELEMENTS // weights.shape[1])
    for start in range(0, rows.steps, tile):
        stop = min(start + tile, rows.steps)
        gained = rows.positives.times(weights, start, stop)
        true, called = gained.copy(), rows.negatives.times(weights, start, stop)
        tp, fp = _running_sum(true, tp), _running_sum(called, fp).copy()
        doubled_below += 2 * np.einsum("ij,ij->j", gained, called)
        if rows.tied is not None:
            doubled_below -= np.einsum("ij,ij->j", gained, rows.tied.times(weights, start, stop))
        np.add(called, true, out=called)
        np.maximum(called, 1.0, out=called)
        np.divide(true, called, out=called)
        precisions += np.einsum("ij,ij->j", gained, called)
    usable = (positives > 0) & (negatives > 0)
    pairs = 2 * positives * negatives
    return _ratio(pairs - doubled_below, pairs, usable), _ratio(precisions, positives, usable)


def bootstrap(ranked: Sequence[RankedRows], patients: int, resamples: int, threads: int | None = None) -> FloatArray:
    """Return AUC and AP of every ranked set on the same resamples of the patients.

    Memory stays bounded: blocks of resamples are worked off one after the other. `threads` is the number of cores
    used, all of the machine's when it is not given.

    Returns:
        (resamples, len(ranked), 2), the last axis AUC and AP; NaN where a resample has one class only.
    """
    replicates = np.full((resamples, len(ranked), 2), np.nan)
    if patients == 0 or not ranked:
        return replicates
    begun = time.monotonic()
    pool = ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(ranked)))
    try:
        for start, weights in patient_weights(patients, resamples):
            stop = start + weights.shape[1]
            figures = [pool.submit(weighted_figures, rows, weights) for rows in ranked]
            for column, of_rows in enumerate(figures):
                tell_done("Resamples", start + (stop - start) * column // len(ranked), resamples, begun)
                replicates[start:stop, column, 0], replicates[start:stop, column, 1] = of_rows.result()
    finally:
        pool.shutdown(cancel_futures=True)
    return replicates


def _steps(patients: IntArray, step: IntArray, steps: int) -> StepwiseRows:
    """Group rows that stand in the order of their steps; rows after the last step are in no group."""
    return StepwiseRows(patients.astype(np.int32), np.searchsorted(step, np.arange(steps + 1)).astype(np.int32))


def _running_sum(rows: FloatArray, before: Any) -> FloatArray:
    """Add up `rows` (s, k) from the first to the last in place, starting from `before`, and return the last.

    Row by row, because NumPy's own sum along this axis walks through memory column by column: ten times slower.
    """
    rows[0] += before
    last: FloatArray = rows[0]
    for row in rows[1:]:
        np.add(last, row, row)
        last = row
    return last


def _ratio(numerator: FloatArray, denominator: FloatArray, usable: BoolArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.full(usable.shape, np.nan), where=usable)
