"""Several models' predictions of the same images, combined into one."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit
from scipy.stats import rankdata

from cxr_core.arrays import FloatArray, as_scores
from cxr_core.errors import UsageError
from cxr_core.evaluation.probabilities import check_probabilities, logit

#: What a method does, in words for people.
METHODS: dict[str, str] = {
    "mean-probability": "mean of the members' probabilities",
    "mean-logit": "mean of the members' logits (a geometric mean of their odds)",
    "mean-rank": "mean of the members' ranks among the images of a data set; needs no common scale",
    "max": "largest of the members' predictions; the finding is there when one member sees it",
    "weighted": "weighted mean of the members' logits; the weights are fitted, each patient's on other patients",
    "stacking": "logistic regression on the members' logits; it is fitted, each patient's on other patients",
}
#: The methods whose weights are fitted to labels; `fitted` does it.
FITTED: tuple[str, ...] = ("weighted", "stacking")


def check_method(method: str) -> str:
    """Return `method` when it is a key of `METHODS`, else raise `UsageError`."""
    if method not in METHODS:
        raise UsageError(f"The method must be one of {', '.join(METHODS)}. Received: {method!r}.")
    return method


def result_scale(scales: Sequence[str], method: str) -> str:
    """Return the scale of an ensemble of members on `scales`.

    Raises:
        UsageError: the method is unknown, or cannot combine members on these scales.
    """
    check_method(method)
    if method == "mean-rank":
        return "score"
    if method == "max":
        return _common_scale(scales)
    if "score" in scales:
        raise UsageError(
            f"The method {method} needs logits or probabilities, but a member's predictions are scores. "
            "Leave that member out, or use mean-rank."
        )
    return "probability" if method == "mean-probability" else "logit"


def combine(members: Sequence[FloatArray], scales: Sequence[str], method: str) -> FloatArray:
    """Combine the predictions of one label.

    Args:
        members: two or more vectors (n,), the same images in the same order; for mean-rank those of one data set.
        scales: each member's scale, `logit`, `probability` or `score`.
        method: a key of `METHODS` that is not fitted.

    Returns:
        (n,) on the scale that `result_scale` names: probabilities in float64; logits, those of members on the
        probability scale after clipping to [1e-12, 1 - 1e-12]; mean ranks (rank - 1/2) / n in (0, 1), ties sharing
        theirs; or the largest value as stored.

    Raises:
        UsageError: the method cannot combine these scales.
        DataError: a prediction is missing, NaN or infinite, or a "probability" lies outside [0, 1].
    """
    result_scale(scales, method)
    if method in FITTED:
        raise UsageError(f"The method {method} is fitted to labels, which `combine` does not have.")
    stacked = np.stack([converted(m, scale, method) for m, scale in zip(members, scales, strict=True)])
    return np.asarray(stacked.max(axis=0) if method == "max" else stacked.mean(axis=0))


def converted(scores: FloatArray, scale: str, method: str) -> FloatArray:
    """Return a member's predictions (n,) as the method averages them: probabilities, logits, ranks, or as stored.

    Raises:
        DataError: a prediction is missing, NaN or infinite, or a "probability" lies outside [0, 1].
    """
    return _CONVERT[method](as_scores(scores), scale)


def _common_scale(scales: Sequence[str]) -> str:
    if len(set(scales)) > 1:
        raise UsageError(
            f"The method max needs members on one scale. Received: {', '.join(sorted(set(scales)))}. "
            "Use mean-probability or mean-rank."
        )
    return scales[0]


def _probabilities(scores: FloatArray, scale: str) -> FloatArray:
    return expit(scores) if scale == "logit" else check_probabilities(scores)


def _logits(scores: FloatArray, scale: str) -> FloatArray:
    return scores if scale == "logit" else logit(scores)


def _ranks(scores: FloatArray, scale: str) -> FloatArray:
    return (rankdata(scores) - 0.5) / scores.size


def _as_stored(scores: FloatArray, scale: str) -> FloatArray:
    return scores


_CONVERT: dict[str, Callable[[FloatArray, str], FloatArray]] = {
    "mean-probability": _probabilities,
    "mean-logit": _logits,
    "mean-rank": _ranks,
    "max": _as_stored,
    "weighted": _logits,
    "stacking": _logits,
}
