"""Where the uncertain ones fall: how a model scores the rows on which it is not judged."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, as_scores
from cxr_core.evaluation.binary import label_codes
from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.results import Bounds
from cxr_core.schema import Value


@dataclass(frozen=True)
class ShareAbove:
    """Of the `n` rows with one label value, `n_above` score at or above a threshold; no share when n is 0.

    `ci` is the 95 % interval by patient, None with the reason in `why` below 10 patients with such a row.
    """

    value: str
    n: int
    n_above: int
    share: float | None
    ci: Bounds | None
    why: str | None = None


def scores_by_value(values: Any, scores: Any) -> dict[str, FloatArray]:
    """Return the scores of the rows with each label value, by its name, sorted; rows without a value are in none.

    Raises:
        DataError: a score is NaN or infinite.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    codes, scores = label_codes(values), as_scores(scores)
    return {value.name: np.sort(scores[codes == value]) for value in Value}


def shares_above(values: Any, scores: Any, threshold: float, patients: Any) -> dict[str, ShareAbove]:
    """Return, for each label value, how many of its rows a threshold calls positive (score >= threshold).

    If most uncertain rows fall on the positive side, the reports hedge on what the model takes for present.

    Args:
        values: (n,) label codes, 0 to 3, -1 or NaN where missing.
        scores: (n,) predictions as stored.
        threshold: on the stored scale.
        patients: (n,) the patient of each row.

    Raises:
        DataError: a score is NaN or infinite.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    codes, above = label_codes(values), as_scores(scores) >= threshold
    clusters, n_patients = patient_clusters(patients)

    shares = {}
    for value in Value:
        rows = codes == value
        counting, images = (sum_by_patient(each, clusters, n_patients) for each in (rows & above, rows))
        shares[value.name] = _share_above(value.name, counting, images)
    return shares


def _share_above(name: str, above: FloatArray, rows: FloatArray) -> ShareAbove:
    n, n_above = int(rows.sum()), int(above.sum())
    if not n:
        return ShareAbove(name, 0, 0, None, None, "there are no such images")
    interval = share_interval(above, rows, FEWEST_FOR_A_SHARE)
    return ShareAbove(name, n, n_above, n_above / n, interval.ci, interval.why)
