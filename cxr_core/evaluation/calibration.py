"""Do the probabilities mean what they say? Reliability over equal-mass bins, Brier score, calibration error."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from cxr_core.arrays import BoolArray, FloatArray, IntArray, as_scores
from cxr_core.errors import UsageError
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, NO_ROWS, class_patients
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio, resampled_sums, sum_by_patient
from cxr_core.evaluation.probabilities import check_probabilities, look_like_probabilities
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.results import Bounds
from cxr_core.schema import SCALES

WHY_SCORE = "scores are ranks, not probabilities: calibration needs logits or probabilities"
WHY_NO_LOGITS = (
    "all values lie between 0 and 1 although the table says logit: they look like probabilities. If they are, import "
    "them again with the scale probability"
)


@dataclass(frozen=True)
class ReliabilityBin:
    """The rows whose probability lies in [low, high]: their count, mean probability, and share of positives.

    `observed_ci` is the 95 % interval of that share by patient, the bins taken as they are; None where it was not asked
    for, and where a class or the bin has few patients.
    """

    low: float
    high: float
    n: int
    mean_predicted: float
    observed: float
    observed_ci: Bounds | None = None


@dataclass(frozen=True)
class Calibration:
    """Reliability of one model on one label.

    `brier` is the mean squared distance of probability and truth (Brier 1950), `ece` the expected calibration error
    over these equal-mass bins (Nguyen & O'Connor 2015), both in [0, 1], 0 being best. All empty or None, with the
    reason in `why`, when there is nothing to calibrate. `brier_ci` and `ece_ci` are patient-cluster bootstrap
    intervals, `why_no_ci` the reason where they were asked for and are missing. The error of a resample is larger on
    average than that of the data (noise never cancels in an absolute value), so `ece_ci` lies rather high.
    """

    bins: tuple[ReliabilityBin, ...]
    brier: float | None
    ece: float | None
    why: str | None = None
    brier_ci: Bounds | None = None
    ece_ci: Bounds | None = None
    why_no_ci: str | None = None


def calibration(y: Any, scores: Any, scale: str, bins: int = 10, drawn: Resampling | None = None) -> Calibration:
    """Compare probabilities with how often the finding is there.

    Args:
        y: (n,) truth, 0 or 1.
        scores: (n,) predictions as stored.
        scale: `logit` (turned into probabilities in float64), `probability`, or `score` (refused with a reason).
        bins: number of bins of about equal count; fewer come out where equal probabilities would be torn apart.
        drawn: how the n rows are resampled, for intervals by patient.

    Raises:
        DataError: a score is NaN or infinite, or a "probability" lies outside [0, 1].
        UsageError: the scale is unknown, or `bins` is less than 1.
    """
    if scale not in SCALES or bins < 1:
        raise UsageError(
            f"Calibration needs a scale of {', '.join(SCALES)} and 1 bin or more. Received: {scale}, {bins}."
        )
    y, scores = np.asarray(y, dtype=np.int64), as_scores(scores)
    why = why_no_probabilities(scores, scale)
    if why:
        return Calibration((), None, None, why)
    p = expit(scores) if scale == "logit" else check_probabilities(scores)
    bin_of_row, found = _bins(y, p, bins)
    ece = sum(b.n * abs(b.observed - b.mean_predicted) for b in found) / y.size
    result = Calibration(found, float(np.mean((p - y) ** 2)), float(ece))
    return result if drawn is None else _with_intervals(result, y, p, bin_of_row, drawn)


def why_no_probabilities(scores: FloatArray, scale: str) -> str | None:
    """Return why stored scores (n,) give no probabilities, or None."""
    if scale == "score":
        return WHY_SCORE
    if scores.size == 0:
        return NO_ROWS
    return WHY_NO_LOGITS if scale == "logit" and look_like_probabilities(scores) else None


def _bins(y: IntArray, p: FloatArray, bins: int) -> tuple[IntArray, tuple[ReliabilityBin, ...]]:
    """Return each row's bin (n,) and the bins."""
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    wanted = np.arange(1, bins) * p.size // bins
    # A cut moves up to the end of its group of equal probabilities, so that the answer does not depend on row order.
    cuts = np.unique(np.searchsorted(p, p[wanted - 1], side="right")[wanted > 0])
    cuts = cuts[cuts < p.size]
    bin_of_row = np.empty(p.size, dtype=np.int64)
    bin_of_row[order] = np.searchsorted(cuts, np.arange(p.size), side="right")
    return bin_of_row, tuple(_bin(*part) for part in zip(np.split(y, cuts), np.split(p, cuts), strict=True))


def _bin(y: IntArray, p: FloatArray) -> ReliabilityBin:
    return ReliabilityBin(float(p[0]), float(p[-1]), y.size, float(p.mean()), float(y.mean()))


def _with_intervals(
    found: Calibration, y: IntArray, p: FloatArray, bin_of_row: IntArray, drawn: Resampling
) -> Calibration:
    counted = class_patients(y, drawn.clusters)
    why = counted.why_no_interval(max(drawn.minimum, 2))
    if why:
        return replace(found, why_no_ci=why)
    inside = [bin_of_row == place for place in range(len(found.bins))]
    columns = [(p - y) ** 2, np.ones(y.size), *(y * one for one in inside), *(p * one for one in inside)]
    squared, n, *sums = resampled_sums(columns, drawn)
    positives, predicted = np.split(np.array(sums), 2)
    brier = percentile_interval(ratio(squared, n), counted.rarer)
    ece = percentile_interval(ratio(np.abs(positives - predicted).sum(axis=0), n), counted.rarer)
    return replace(
        found,
        bins=tuple(_with_interval(one, y, rows, drawn) for one, rows in zip(found.bins, inside, strict=True)),
        brier_ci=brier.ci,
        ece_ci=ece.ci,
        why_no_ci=brier.why,
    )


def _with_interval(one: ReliabilityBin, y: IntArray, rows: BoolArray, drawn: Resampling) -> ReliabilityBin:
    clusters = drawn.clusters[rows]
    positive, images = (sum_by_patient(each, clusters) for each in (y[rows], np.ones(clusters.size)))
    return replace(one, observed_ci=share_interval(positive, images, FEWEST_FOR_A_SHARE).ci)
