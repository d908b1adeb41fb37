"""What u and w did: how treatments of uncertain labels move the predictions, and where the uncertain ones stand.

Models that were trained with different (u, w) predict the same images; each is set against one of them, the baseline,
image by image. The natural baseline is *ignore* (w = 0): it never saw an uncertain label, so what it says of the
uncertain images is said from the pictures alone.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, as_scores
from cxr_core.errors import UsageError
from cxr_core.evaluation.binary import label_codes
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, why_few
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.patient_sums import Resampling, ratio, resampled_sums
from cxr_core.evaluation.placement import Placement, placement
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import Bounds
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
class Distribution:
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
    spreads: dict[str, Distribution]
    shifts: dict[str, Shift]


@dataclass(frozen=True)
class Effects:
    """What the treatments of uncertain labels did to one label's predictions, on the rows that all models predict."""

    label: str
    scale: str
    baseline: str
    models: tuple[str, ...]
    groups: dict[str, MovedGroup]
    placements: dict[str, Placement]

    def as_json(self) -> dict[str, Any]:
        """Return the effects under the names that scripts rely on."""
        return asdict(self) | {"models": list(self.models)}


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
        {model: placement(model, members, of_model, known, drawn) for model, of_model in scores.items()},
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


def _spread(scores: FloatArray) -> Distribution:
    if not scores.size:
        return Distribution(0, None, None)
    quantiles = tuple(float(value) for value in np.quantile(scores, QUANTILES))
    return Distribution(scores.size, float(scores.mean()), quantiles)
