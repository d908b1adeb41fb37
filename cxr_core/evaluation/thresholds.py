"""Where to cut: the threshold that a rule chooses, and how to write it so that it cuts in the same place."""

from decimal import ROUND_FLOOR, Context, Decimal
from math import ceil, floor, inf, isfinite
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, as_scores
from cxr_core.errors import UsageError
from cxr_core.evaluation.curves import just_above, roc_curve
from cxr_core.evaluation.defined import why_no_ranking

#: How a threshold can be chosen, in words for people.
RULES: dict[str, str] = {
    "youden": "largest sensitivity + specificity (Youden)",
    "sensitivity": "largest threshold that reaches a wanted sensitivity",
    "specificity": "smallest threshold that reaches a wanted specificity",
    "f1": "largest F1",
    "alarms": "smallest threshold with at most so many alarms per 100 images",
    "fixed": "a threshold of your own, on the stored scale",
}
#: Decimals of a threshold that is written out, where so few separate the same rows; and the most that are tried.
DECIMALS, MOST_DECIMALS = 2, 17
#: The rules that want a figure, above 0, and the largest one: a share, or alarms per 100 images.
WANTING: dict[str, float] = {"sensitivity": 1, "specificity": 1, "alarms": 100}
# As many digits as the largest float64 has before its point and the smallest behind it.
_EXACT = Context(prec=800)


def chosen_threshold(y: Any, scores: Any, rule: str, wanted: float | None = None) -> float | None:
    """Return the threshold that a rule of `RULES` chooses on these rows, or None when only one class is there.

    Chosen and judged on the same rows, it looks better than it will be on new ones. `alarms` asks for no class, so that
    it chooses wherever there are rows.

    Args:
        y: (n,) truth, 0 or 1.
        scores: (n,) predictions as stored.
        rule: a key of `RULES`.
        wanted: the sensitivity or specificity that is wanted, above 0 and at most 1, the alarms per 100 images, above 0
            and at most 100, or the fixed threshold.

    Raises:
        DataError: a score is NaN or infinite.
        UsageError: there is no such rule, or `wanted` does not fit it.
    """
    if rule not in RULES:
        raise UsageError(f"A threshold is chosen by one of {', '.join(RULES)}. Received: {rule!r}.")
    if rule in _BEST:
        return _BEST[rule](y, scores)
    if rule == "fixed":
        if wanted is None or not np.isfinite(wanted):
            raise UsageError(f"A fixed threshold must be a finite number. Received: {wanted}.")
        return float(wanted)
    check_wanted(rule, wanted)
    assert wanted is not None, "it was checked"
    if rule == "alarms":
        return threshold_for_alarms(scores, wanted)
    return (threshold_for_sensitivity if rule == "sensitivity" else threshold_for_specificity)(y, scores, wanted)


def check_wanted(rule: str, wanted: float | None, received: str | None = None) -> None:
    """Raise `UsageError` where a rule of `WANTING` is not given what it wants; `received` is how it was written."""
    if wanted is None or not 0 < wanted <= WANTING[rule]:
        what, unit = (rule, " per 100 images") if rule == "alarms" else (f"a wanted {rule}", "")
        said = f"{what[0].upper()}{what[1:]} must be above 0 and at most {WANTING[rule]:g}{unit}."
        raise UsageError(f"{said} Received: {wanted if received is None else received}.")


def youden_threshold(y: Any, scores: Any) -> float | None:
    """Return the score with the largest sensitivity + specificity - 1 (Youden 1950), the largest one of several.

    None when only one class is there. Chosen and judged on the same rows, it looks better than it will be on new ones.

    Raises:
        DataError: a score is NaN or infinite.
    """
    curve = roc_curve(y, scores)
    if curve is None:
        return None
    # Calling nothing positive (the first vertex) is no better than calling all so (the last).
    return float(curve.thresholds[1:][np.argmax((curve.tpr - curve.fpr)[1:])])


def f1_threshold(y: Any, scores: Any) -> float | None:
    """Return the score with the largest F1 = 2 TP / (2 TP + FP + FN), the largest one of several.

    None when only one class is there. Chosen and judged on the same rows, it looks better than it will be on new ones.

    Raises:
        DataError: a score is NaN or infinite.
    """
    curve = roc_curve(y, scores)
    if curve is None:
        return None
    truth = np.asarray(y) == 1
    positives, negatives = np.count_nonzero(truth), np.count_nonzero(~truth)
    hits, alarms = curve.tpr[1:] * positives, curve.fpr[1:] * negatives
    return float(curve.thresholds[1:][np.argmax(2 * hits / (hits + alarms + positives))])


def threshold_for_sensitivity(y: Any, scores: Any, wanted: float) -> float | None:
    """Return the largest score at which the sensitivity is at least `wanted`, None when only one class is there.

    It is a score of a positive, the k-th from above with the fewest k of which k / P is as much; nothing is sorted.

    Raises:
        DataError: a score is NaN or infinite.
    """
    scores, truth = as_scores(scores), np.asarray(y) == 1
    if why_no_ranking(truth):
        return None
    positive = scores[truth]
    needed = fewest_found(positive.size, wanted)
    return float(np.partition(positive, positive.size - needed)[positive.size - needed])


def threshold_for_specificity(y: Any, scores: Any, wanted: float) -> float | None:
    """Return the smallest threshold with a specificity of at least `wanted`, None when only one class is there.

    It is the smallest score above the largest negative score that may not be called positive, and lies just above all
    scores when even the largest score belongs to too many negatives; nothing is sorted.

    Raises:
        DataError: a score is NaN or infinite.
    """
    scores, truth = as_scores(scores), np.asarray(y) == 1
    if why_no_ranking(truth):
        return None
    negative = scores[~truth]
    return _above(scores, negative, most_alarms(negative.size, wanted))


def threshold_for_alarms(scores: Any, wanted: float) -> float | None:
    """Return the smallest threshold with at most `wanted` alarms per 100 rows, None without rows.

    An alarm is a row that is called positive, rightly or not. The threshold lies just above all scores where even the
    largest score belongs to too many rows; nothing is sorted.

    Raises:
        DataError: a score is NaN or infinite.
    """
    scores = as_scores(scores)
    if not scores.size:
        return None
    near = range(min(floor(wanted / 100 * scores.size) + 2, scores.size), -1, -1)
    allowed = next(k for k in near if 100 * k / scores.size <= wanted)
    return float(scores.min()) if allowed == scores.size else _above(scores, scores, allowed)


def _above(scores: FloatArray, counted: FloatArray, allowed: int) -> float:
    """Return the smallest threshold that `allowed` of the `counted` scores, fewer than all, reach at the most."""
    place = counted.size - 1 - allowed
    above = scores[scores > np.partition(counted, place)[place]]
    return float(above.min()) if above.size else just_above(float(scores.max()))


def fewest_found(n: int, wanted: float) -> int:
    """Return the smallest k of which k / n, as float64 divides, is at least `wanted`, above 0 and at most 1."""
    near = range(max(ceil(wanted * n) - 2, 0), n + 1)
    return next(k for k in near if k / n >= wanted)


def most_alarms(n: int, wanted: float) -> int:
    """Return the largest k of which 1 - k / n, as float64 says, is at least `wanted`, above 0 and at most 1."""
    near = range(min(floor((1 - wanted) * n) + 2, n), -1, -1)
    return next(k for k in near if 1 - k / n >= wanted)


#: The rules that want nothing further.
_BEST = {"youden": youden_threshold, "f1": f1_threshold}


def written_threshold(scores: Any, threshold: float) -> float:
    """Return a threshold with few decimals that calls the same of `scores` (n,) positive as `threshold` does.

    The number with the fewest decimals, 2 or more, that lies above every score below the threshold and not above any
    other: shown, copied and typed in again, it gives the same confusion matrix. Where scores lie too close together for
    that, the smallest score that is called positive, all its digits.

    Raises:
        DataError: a score is NaN or infinite.
    """
    scores = as_scores(scores)
    called, others = scores[scores >= threshold], scores[scores < threshold]
    least, most = float(others.max()) if others.size else -inf, float(called.min()) if called.size else inf
    return written_between(threshold, least, most)


def written_between(threshold: float, least: float, most: float) -> float:
    """Return what `written_threshold` does from the scores next to the threshold.

    Args:
        threshold: on the stored scale.
        least: the largest score below it, -infinity where there is none.
        most: the smallest score that is not below it, infinity where there is none.
    """
    for decimals in range(DECIMALS, MOST_DECIMALS + 1):
        for candidate in _rounded(threshold, decimals):
            if least < candidate <= most:
                return candidate
    return most if isfinite(most) else float(threshold)


def _rounded(value: float, decimals: int) -> list[float]:
    """Return the two numbers with so many decimals around `value`, the nearer one first."""
    exact, step = Decimal(value), Decimal(1).scaleb(-decimals)
    below = exact.quantize(step, ROUND_FLOOR, _EXACT)
    # Adding 0 takes the sign from a zero.
    return [float(number) + 0.0 for number in sorted((below, below + step), key=lambda one: abs(one - exact))]
