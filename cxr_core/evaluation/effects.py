"""What u and w did: how treatments of uncertain labels move the predictions, and where the uncertain ones stand.

Models that were trained with different (u, w) predict the same images; each is set against one of them, the baseline,
image by image. The natural baseline is *ignore* (w = 0): it never saw an uncertain label, so what it says of the
uncertain images is said from the pictures alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.errors import UsageError
from cxr_core.evaluation.arrays import BoolArray, FloatArray, IntArray, as_scores
from cxr_core.evaluation.binary import label_codes
from cxr_core.evaluation.curves import roc_auc
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, class_patients, why_few
from cxr_core.evaluation.influence import auc_influence, degrees_of_freedom
from cxr_core.evaluation.intervals import area_interval, percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio, resampled_sums, sum_by_patient
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import Bounds
from cxr_core.evaluation.thresholds import youden_threshold
from cxr_core.evaluation.weighted import bootstrap, rank_rows
from cxr_core.schema import Value

#: The groups of images, in words for people. Negatives are stated ones and, as in training, those not mentioned.
GROUPS: dict[str, str] = {
    "positive": "certain positives",
    "uncertain": "uncertain",
    "negative": "certain negatives and not mentioned",
}
#: The quantiles that describe a distribution.
QUANTILES: tuple[float, ...] = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Spread:
    """The distribution of one model's predictions in one group: its size, mean and `QUANTILES`; None without rows."""

    n: int
    mean: float | None
    quantiles: tuple[float, ...] | None


@dataclass(frozen=True)
class Shift:
    """The mean of (this model - the baseline) over the images of one group, with its 95 % interval by patient.

    On the scale of the predictions. `above` is the share of the images that moved up. None with the reason in `why`.
    """

    n: int
    mean: float | None
    ci: Bounds | None
    above: float | None
    why: str | None = None


@dataclass(frozen=True)
class MovedGroup:
    """One group of `n` images of `n_patients`: each model's predictions, and each one's shift from the baseline."""

    group: str
    n: int
    n_patients: int
    spreads: dict[str, Spread]
    shifts: dict[str, Shift]


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


@dataclass(frozen=True)
class Effects:
    """What the treatments of uncertain labels did to one label's predictions, on the rows that all models predict."""

    label: str
    scale: str
    baseline: str
    models: tuple[str, ...]
    groups: dict[str, MovedGroup]
    placements: dict[str, Placement]


def effects_of_treatments(
    values: Any,
    models: Mapping[str, Any],
    baseline: str,
    patients: Any,
    label: str,
    scale: str,
    resamples: int,
    minimum: int,
    truth: Any = None,
) -> Effects:
    """Set models beside each other that differ in their treatment of uncertain labels.

    Args:
        values: (n,) label codes, 0 to 3, -1 or NaN where missing (these rows are in no group).
        models: model -> predictions (n,) of the label, all on one scale.
        baseline: the model that the others are set against.
        patients: (n,) the patient of each row.
        label: the label's name.
        scale: the scale of the predictions, for the reader.
        resamples: number of bootstrap resamples.
        minimum: fewest patients of a group for which an AUC has an interval; means and shares need 10.
        truth: (n,) what was really there, 0 or 1, -1 where it is not known; None where nobody knows.

    Raises:
        UsageError: the baseline is not among the models.
        DataError: a prediction is NaN or infinite.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    if baseline not in models:
        raise UsageError(f"The baseline must be one of {', '.join(models)}. Received: {baseline!r}.")
    codes = label_codes(values)
    scores = {model: as_scores(predicted) for model, predicted in models.items()}
    clusters, n_patients = patient_clusters(patients)
    drawn = Resampling(clusters, n_patients, resamples, max(minimum, 2))
    members = {
        "positive": codes == Value.positive,
        "uncertain": codes == Value.uncertain,
        "negative": (codes == Value.negative) | (codes == Value.not_mentioned),
    }
    known = None if truth is None else np.asarray(truth, dtype=np.int64)
    return Effects(
        label,
        scale,
        baseline,
        tuple(scores),
        {group: _moved(group, rows, scores, baseline, drawn) for group, rows in members.items()},
        {model: _placement(model, members, of_model, known, drawn) for model, of_model in scores.items()},
    )


def _moved(
    group: str, rows: BoolArray, scores: Mapping[str, FloatArray], baseline: str, drawn: Resampling
) -> MovedGroup:
    n, n_patients = int(rows.sum()), np.unique(drawn.clusters[rows]).size
    others = [model for model in scores if model != baseline]
    sums = resampled_sums([rows, *((scores[m] - scores[baseline]) * rows for m in others)], drawn)
    shifts = {}
    for model, replicates in zip(others, sums[1:], strict=True):
        moved = (scores[model] - scores[baseline])[rows]
        if not n:
            shifts[model] = Shift(0, None, None, None, "there are no such images")
            continue
        mean, above = float(moved.mean()), float(np.mean(moved > 0))
        few = why_few(n_patients, FEWEST_FOR_A_SHARE)
        if few:
            shifts[model] = Shift(n, mean, None, above, few)
            continue
        interval = percentile_interval(ratio(replicates, sums[0]), n_patients, "have no such image")
        shifts[model] = Shift(n, mean, interval.ci, above, interval.why)
    return MovedGroup(group, n, n_patients, {model: _spread(of[rows]) for model, of in scores.items()}, shifts)


def _spread(scores: FloatArray) -> Spread:
    if not scores.size:
        return Spread(0, None, None)
    quantiles = tuple(float(value) for value in np.quantile(scores, QUANTILES))
    return Spread(scores.size, float(scores.mean()), quantiles)


def _placement(
    model: str, members: Mapping[str, BoolArray], scores: FloatArray, truth: IntArray | None, drawn: Resampling
) -> Placement:
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
    auc = roc_auc(y, of_rows)
    if auc is None:
        return None, None, "one of the two groups has no image"
    counted = class_patients(y, clusters)
    why = why_few(counted.rarer, drawn.minimum)
    if why:
        return auc, None, why
    replicates = bootstrap([rank_rows(y, of_rows, clusters, drawn.patients)], drawn.patients, drawn.resamples)[:, 0, 0]
    freedom = degrees_of_freedom(auc_influence(y, of_rows, clusters), counted.rarer - 1)
    interval = area_interval(auc, replicates, counted.rarer, freedom, "lack one of the two groups")
    return auc, interval.ci, interval.why
