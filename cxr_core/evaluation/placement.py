"""Where the uncertain images stand between the negative and the positive ones, by the predictions of one model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.areas import area
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, class_patients, why_few, why_no_ranking
from cxr_core.evaluation.patient_sums import Resampling, sum_by_patient
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.results import Bounds
from cxr_core.evaluation.thresholds import youden_threshold


@dataclass(frozen=True)
class Placement:
    """Where the uncertain images stand between negatives and positives, by one model.

    `above_negatives` is the chance that an uncertain image scores higher than a negative one, `below_positives` that it
    scores lower than a positive one (both AUCs, .5 where the two are alike). `called_positive` is the share of the
    uncertain images at or above `threshold`, the model's own Youden threshold on the certain images.
    `really_positive` is the share of the uncertain images on which the finding was really there, and `auc_really` how
    well the model tells these from the others; both None where nobody knows (`why`).
    """

    model: str
    n: int
    above_negatives: float | None
    above_negatives_ci: Bounds | None
    below_positives: float | None
    below_positives_ci: Bounds | None
    threshold: float | None
    called_positive: float | None
    called_positive_ci: Bounds | None
    really_positive: float | None
    really_positive_ci: Bounds | None
    auc_really: float | None
    auc_really_ci: Bounds | None
    why: dict[str, str]


def placement(
    model: str, members: Mapping[str, BoolArray], scores: FloatArray, truth: IntArray | None, drawn: Resampling
) -> Placement:
    """Place the uncertain images by `scores`; `members` are the rows of the groups, `truth` is -1 where unknown."""
    uncertain, positive, negative = members["uncertain"], members["positive"], members["negative"]
    n = int(uncertain.sum())
    certain = positive | negative
    threshold = youden_threshold(positive[certain].astype(np.int64), scores[certain])
    above = _auc(uncertain, negative, scores, drawn)
    below = _auc(positive, uncertain, scores, drawn)
    why = {"above_negatives": above[2], "below_positives": below[2]}
    called: tuple[float | None, Bounds | None, str | None] = (None, None, "a threshold needs both classes")
    if threshold is not None:
        called = _share(uncertain, scores >= threshold, drawn)
    really: tuple[float | None, Bounds | None, str | None] = (None, None, "what was really there is not known")
    auc_really = really
    if truth is not None:
        known = uncertain & (truth >= 0)
        really = _share(known, truth == 1, drawn)
        auc_really = _auc(known & (truth == 1), known & (truth == 0), scores, drawn)
    why |= {"called_positive": called[2], "really_positive": really[2], "auc_really": auc_really[2]}
    return Placement(
        model,
        n,
        *above[:2],
        *below[:2],
        threshold,
        *called[:2],
        *really[:2],
        *auc_really[:2],
        {figure: reason for figure, reason in why.items() if reason},
    )


def _share(rows: BoolArray, which: BoolArray, drawn: Resampling) -> tuple[float | None, Bounds | None, str | None]:
    """Return the share of `rows` that are `which`, with its interval by patient."""
    n, found = int(rows.sum()), int((rows & which).sum())
    if not n:
        return None, None, "there are no such images"
    counting, images = (sum_by_patient(each, drawn.clusters, drawn.patients) for each in (rows & which, rows))
    interval = share_interval(counting, images, FEWEST_FOR_A_SHARE)
    return found / n, interval.ci, interval.why


def _auc(
    upper: BoolArray, lower: BoolArray, scores: FloatArray, drawn: Resampling
) -> tuple[float | None, Bounds | None, str | None]:
    """Return the chance that a row of `upper` scores above one of `lower`, with its interval by patient."""
    rows = upper | lower
    y, of_rows, clusters = upper[rows].astype(np.int64), scores[rows], drawn.clusters[rows]
    if why_no_ranking(y):
        return None, None, "one of the two groups has no image"
    counted = class_patients(y, clusters)
    found = area("roc_auc", ranking(y, of_rows), clusters, counted)
    few = why_few(counted.rarer, drawn.minimum)
    if few:
        return found.value, None, few
    interval = found.interval()
    return found.value, interval.ci, interval.why
