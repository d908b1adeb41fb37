"""How much more a model finds than a reader who alarms as often: sensitivity at the reader's own specificity, paired.

Model and reader are judged on the same rows by the same judge. In each resample of the patients the reader has another
specificity, and the model is read off its ROC curve there (linear between its vertices, the upper end of an upright
piece), so the interval knows that the reader's specificity is itself an estimate (Obuchowski & McClish 1997 state the
same comparison for one image a patient).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.resamples import patient_weights
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.evaluation.verdicts import NO_VERDICT, PRESENT

#: Weights of one block of resamples: 16 MB.
_BLOCK_ELEMENTS = 2**21


@dataclass(frozen=True)
class ReaderDifference:
    """A model's sensitivity minus a reader's, at the reader's specificity, on `n` rows that both are judged on.

    `model_sensitivity` is read off the model's ROC curve on these rows. What is undefined is None, with a reason.
    """

    n: int
    model_sensitivity: float | None
    difference: float | None
    ci: Bounds | None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that scripts rely on."""
        return {
            "model_sensitivity": self.model_sensitivity,
            "difference": self.difference,
            "difference_ci": bounds_as_json(self.ci),
            "n_paired": self.n,
            "why_no_difference": self.why,
        }


def reader_difference(
    said: IntArray, judged: IntArray, scores: FloatArray, drawn: Resampling, minimum: int
) -> ReaderDifference:
    """Return how much more sensitive a model is than a reader, at the reader's specificity.

    Args:
        said: (n,) the reader's verdicts: 1 present, 0 absent, -1 none.
        judged: (n,) those of the reader's judge.
        scores: (n,) the model's predictions, NaN where there is none.
        drawn: how the patients of the n rows are resampled.
        minimum: fewest patients of either class for which an interval is given.
    """
    kept = (said != NO_VERDICT) & (judged != NO_VERDICT) & np.isfinite(scores)
    y, called, of_rows = judged[kept] == PRESENT, said[kept] == PRESENT, scores[kept]
    clusters = drawn.clusters[kept]
    n = int(kept.sum())
    if not y.any() or y.all():
        return ReaderDifference(n, None, None, None, "the judge calls none of these rows present, or all of them")
    ranked = ranking(y, of_rows)
    rows = _Rows(ranked.positive.astype(np.float64), called[ranked.order].astype(np.float64), ranked.ends)
    model, reader = (float(one[0]) for one in rows.sensitivities(np.ones((n, 1))))
    counted = class_patients(y.astype(np.int64), clusters)
    few = counted.why_no_interval(max(minimum, 2))
    if few:
        return ReaderDifference(n, model, model - reader, None, few)
    sorted_clusters, block = clusters[ranked.order], max(1, _BLOCK_ELEMENTS // n)
    parts = [
        np.subtract(*rows.sensitivities(weights[sorted_clusters]))
        for _, weights in patient_weights(drawn.patients, drawn.resamples, block)
    ]
    found = percentile_interval(np.concatenate(parts), counted.rarer)
    return ReaderDifference(n, model, model - reader, found.ci, found.why)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows by falling score: `y` and what the reader `called`, each (n,) of 0 and 1, and the last row of each score."""

    y: FloatArray
    called: FloatArray
    ends: IntArray

    def sensitivities(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those of the model and of the reader (k,), each row counting `weights` (n, k) times."""
        positive, negative = weights * self.y[:, None], weights * (1 - self.y)[:, None]
        start = np.zeros((1, weights.shape[1]))
        found = np.concatenate([start, np.cumsum(positive, axis=0)[self.ends]])
        alarms = np.concatenate([start, np.cumsum(negative, axis=0)[self.ends]])
        allowed, hits = self.called @ negative, self.called @ positive
        left = np.count_nonzero(alarms <= allowed, axis=0) - 1
        right = np.minimum(left + 1, self.ends.size)
        columns = np.arange(weights.shape[1])
        step = alarms[right, columns] - alarms[left, columns]
        share = np.divide(allowed - alarms[left, columns], step, out=np.zeros_like(step), where=step > 0)
        reached = found[left, columns] + share * (found[right, columns] - found[left, columns])
        positives = np.where(alarms[-1] > 0, found[-1], 0.0)  # a resample of one class has no curve
        return ratio(reached, positives), ratio(hits, positives)
