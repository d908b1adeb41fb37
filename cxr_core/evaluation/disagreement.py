"""Which images are disagreed on: by two models, or by the images of one study."""

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.image_groups import Picked, Told, share_below
from cxr_core.words import percent


def models_differ(scores: FloatArray, others: FloatArray) -> Picked:
    """Return the rows that two models rank most differently first; scores may be on two scales.

    A rank is the share of the rows below, ties counted half, among those that both models predict.

    Args:
        scores: (n,) of one model, NaN where it predicts nothing.
        others: (n,) of the other.
    """
    both = np.flatnonzero(np.isfinite(scores) & np.isfinite(others))
    mine, theirs = _ranks(scores[both]), _ranks(others[both])
    order = np.argsort(-np.abs(mine - theirs), kind="stable")
    order = order[mine[order] != theirs[order]]

    def why(place: int) -> str:
        row = order[place]
        return f"higher than {percent(mine[row])} by one, {percent(theirs[row])} by the other"

    return Picked(both[order], Told(order.size, why))


def studies_contradict(studies: IntArray, values: IntArray, scores: FloatArray | None) -> Picked:
    """Return the images of studies that contradict themselves, study by study, the widest contradiction first.

    With scores, a study's contradiction is how far apart its images are ranked, ties counted half, and its images stand
    highest first; without, images of one study have different values.

    Args:
        studies: (n,) a number for each row's study.
        values: (n,) label codes, -1 where nothing is stated.
        scores: (n,) on one scale, NaN where nothing is predicted; None without a model.
    """
    if scores is None:
        of_rows, stated = values.astype(np.float64), np.flatnonzero(values >= 0)
    else:
        stated = np.flatnonzero(np.isfinite(scores))
        of_rows = np.full(scores.size, np.nan)
        of_rows[stated] = _ranks(scores[stated])
    rows, spread = _spread(studies, of_rows, stated)
    order = np.lexsort((-of_rows[rows], studies[rows], -spread))
    return Picked(rows[order], Told(order.size, lambda place: _why(spread[order[place]], scores is not None)))


def _ranks(scores: FloatArray) -> FloatArray:
    return share_below(scores, scores) if scores.size else scores


def _spread(studies: IntArray, of_rows: FloatArray, stated: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the rows of studies whose rows differ, and how far those of each row's study are apart."""
    numbers = np.unique(studies[stated], return_inverse=True)[1] if stated.size else stated
    count = int(numbers.max(initial=-1)) + 1
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, numbers, of_rows[stated])
    np.maximum.at(high, numbers, of_rows[stated])
    apart = (high - low)[numbers] if count else np.empty(0)
    return stated[apart > 0], apart[apart > 0]


def _why(gap: float, by_score: bool) -> str:
    if by_score:
        return f"{percent(gap)} of the images score between the highest and the lowest of the study"
    return "the label is not the same on all images of the study"
