"""Do the probabilities mean what they say? Reliability over equal-mass bins, Brier score, calibration error."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.errors import UsageError
from cxr_core.evaluation.arrays import FloatArray, IntArray, as_scores
from cxr_core.evaluation.probabilities import check_probabilities, sigmoid
from cxr_core.evaluation.proportions import wilson_interval
from cxr_core.evaluation.results import Bounds
from cxr_core.schema import SCALES

WHY_SCORE = "scores are ranks, not probabilities: calibration needs logits or probabilities"


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose probability lies in [low, high]: their count, mean probability, and share of positives."""

    low: float
    high: float
    n: int
    mean_predicted: float
    observed: float
    observed_ci: Bounds


@dataclass(frozen=True)
class Calibration:
    """Reliability of one model on one label.

    `brier` is the mean squared distance of probability and truth (Brier 1950), `ece` the expected calibration error
    over these equal-mass bins (Nguyen & O'Connor 2015), both in [0, 1], 0 being best. All empty or None, with the
    reason in `why`, when there is nothing to calibrate.
    """

    bins: tuple[ReliabilityBin, ...]
    brier: float | None
    ece: float | None
    why: str | None = None


def calibration(y: Any, scores: Any, scale: str, bins: int = 10) -> Calibration:
    """Compare probabilities with how often the finding is there.

    Args:
        y: (n,) truth, 0 or 1.
        scores: (n,) predictions as stored.
        scale: `logit` (turned into probabilities in float64), `probability`, or `score` (refused with a reason).
        bins: number of bins of about equal count; fewer come out where equal probabilities would be torn apart.

    Raises:
        DataError: a score is NaN or infinite, or a "probability" lies outside [0, 1].
        UsageError: the scale is unknown, or `bins` is less than 1.
    """
    if scale not in SCALES or bins < 1:
        raise UsageError(
            f"Calibration needs a scale of {', '.join(SCALES)} and 1 bin or more. Received: {scale}, {bins}."
        )
    if scale == "score":
        return Calibration((), None, None, WHY_SCORE)
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    if y.size == 0:
        return Calibration((), None, None, "there are no certain rows")
    p = sigmoid(scores) if scale == "logit" else check_probabilities(scores)
    found = _bins(y, p, bins)
    ece = sum(b.n * abs(b.observed - b.mean_predicted) for b in found) / y.size
    return Calibration(found, float(np.mean((p - y) ** 2)), float(ece))


def _bins(y: IntArray, p: FloatArray, bins: int) -> tuple[ReliabilityBin, ...]:
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    wanted = np.arange(1, bins) * p.size // bins
    # A cut moves up to the end of its group of equal probabilities, so that the answer does not depend on row order.
    cuts = np.unique(np.searchsorted(p, p[wanted - 1], side="right")[wanted > 0])
    cuts = cuts[cuts < p.size]
    return tuple(_bin(*part) for part in zip(np.split(y, cuts), np.split(p, cuts), strict=True))


def _bin(y: IntArray, p: FloatArray) -> ReliabilityBin:
    interval = wilson_interval(int(y.sum()), y.size)
    assert interval is not None, "a bin has rows"
    return ReliabilityBin(float(p[0]), float(p[-1]), y.size, float(p.mean()), float(y.mean()), interval)
