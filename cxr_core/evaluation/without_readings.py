"""The share present among the uncertain images without any reading: two estimates, each under an assumption of its own.

The data cannot tell how reports come to hedge, so the share is not identified (Blanchard, Lee & Scott 2010 state when
it is). The two ends of what is thinkable:

- *Hedging depends on the image alone*: of two images that look alike, the present one is hedged as often as the absent
  one. Then the share is the mean probability that a classifier of the certain images gives to the uncertain ones.
- *Hedging depends on the truth*: absent ones are hedged at one rate, whatever they look like. That rate shows among the
  images that look most clearly absent, and the share is 1 - rate x negatives / uncertain, the rate being uncertain per
  negative (mixture proportion estimation; Scott 2015).

Neither is right in general; fifty readings decide. The classifier is a logistic regression on a model's predictions,
cross-fitted by patient. The intervals are by patient and take classifier and cut as given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtri
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from cxr_core.arrays import BoolArray, FloatArray, IntArray, inner
from cxr_core.evaluation.fitted import FEWEST_PATIENTS, FOLDS, deal_patients
from cxr_core.evaluation.intervals import CONFIDENCE
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.results import Bounds, bounds_as_json
from cxr_core.schema import Value

#: Of the negatives, this share with the smallest probabilities are the clearest.
CLEAREST = 0.25
#: Fewer uncertain images than this give no estimate.
FEWEST_UNCERTAIN = 10
BY_IMAGE, BY_TRUTH = "hedging depends on the image alone", "absent ones are hedged at one rate"

_Z = float(ndtri((1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class Estimate:
    """A share in [0, 1] with its interval, and what it assumes."""

    share: float
    ci: Bounds
    assumes: str

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        return {"share": self.share, "share_ci": bounds_as_json(self.ci), "assumes": self.assumes}


@dataclass(frozen=True)
class HonestRange:
    """Both estimates for `n` uncertain images, and the range from the lowest to the highest end of their intervals."""

    n: int
    by_image: Estimate | None
    by_truth: Estimate | None
    why: str | None = None

    @property
    def range(self) -> Bounds | None:
        """From the lowest end to the highest."""
        if self.by_image is None or self.by_truth is None:
            return None
        return min(self.by_image.ci[0], self.by_truth.ci[0]), max(self.by_image.ci[1], self.by_truth.ci[1])

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        ends = {"by_image": self.by_image, "by_truth": self.by_truth}
        estimates = {name: None if one is None else one.as_json() for name, one in ends.items()}
        return {"n": self.n, **estimates, "range": bounds_as_json(self.range), "why": self.why}


def certain_probabilities(values: IntArray, features: FloatArray, patients: IntArray) -> FloatArray | None:
    """Return the probability of present (n,) that certain images of other patients give, None where they are too few.

    Args:
        values: (n,) label codes; uncertain ones, and codes that are missing, are not learned from.
        features: (n, m) a model's predictions, finite.
        patients: (n,) whose images they are.
    """
    y, certain = values == Value.positive, np.isin(values, (Value.not_mentioned, Value.negative, Value.positive))
    folds = deal_patients(patients)
    found = np.empty(values.size)
    for fold in range(FOLDS):
        learned, held_out = certain & (folds != fold), folds == fold
        if any(np.unique(patients[learned & (y == one)]).size < FEWEST_PATIENTS for one in (True, False)):
            return None
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        with threadpool_limits(1):  # the threads of BLAS would wait for one another nine tenths of the time
            classifier.fit(features[learned], y[learned])
        if held_out.any():
            found[held_out] = classifier.predict_proba(features[held_out])[:, 1]
    return found


def honest_range(values: IntArray, probabilities: FloatArray | None, patients: IntArray) -> HonestRange:
    """Return both estimates of the share present among the uncertain.

    Args:
        values: (n,) label codes.
        probabilities: (n,) of `certain_probabilities`.
        patients: (n,) whose images they are.
    """
    uncertain = values == Value.uncertain
    n = int(uncertain.sum())
    if probabilities is None:
        return HonestRange(n, None, None, "too few certain patients of either class to learn from")
    if n < FEWEST_UNCERTAIN:
        return HonestRange(n, None, None, f"only {n} images are uncertain; an estimate needs {FEWEST_UNCERTAIN}")
    negative = np.isin(values, (Value.not_mentioned, Value.negative))
    _, clusters = np.unique(patients, return_inverse=True)
    by_image = _mean_probability(uncertain, probabilities, clusters)
    return HonestRange(n, by_image, _mixture_share(uncertain, negative, probabilities, clusters))


def _mean_probability(uncertain: BoolArray, probabilities: FloatArray, clusters: IntArray) -> Estimate:
    share = float(probabilities[uncertain].mean())
    moved = sum_by_patient(np.where(uncertain, probabilities - share, 0.0), clusters)
    of = np.unique(clusters[uncertain]).size
    half = _Z * sqrt(inner(moved, moved) * of / max(of - 1, 1)) / int(uncertain.sum())
    return Estimate(share, (max(0.0, share - half), min(1.0, share + half)), BY_IMAGE)


def _mixture_share(
    uncertain: BoolArray, negative: BoolArray, probabilities: FloatArray, clusters: IntArray
) -> Estimate:
    """Return 1 - (uncertain per negative among the clearest) x negatives / uncertain, its ratio's interval on logs."""
    clear = probabilities <= np.quantile(probabilities[negative], CLEAREST)
    groups: Mapping[str, BoolArray] = {
        "clear uncertain": uncertain & clear,
        "clear negative": negative & clear,
        "negative": negative,
        "uncertain": uncertain,
    }
    counts = {name: max(float(rows.sum()), 0.5) for name, rows in groups.items()}
    signs = {"clear uncertain": 1, "clear negative": -1, "negative": 1, "uncertain": -1}
    ratio = exp(sum(sign * log(counts[name]) for name, sign in signs.items()))
    moved = sum(sign * sum_by_patient(groups[name], clusters) / counts[name] for name, sign in signs.items())
    spread = _Z * sqrt(float(np.sum(np.square(moved))))
    ends = [1 - ratio * exp(step) for step in (spread, -spread)]
    low, high = (float(np.clip(end, 0, 1)) for end in ends)
    return Estimate(float(np.clip(1 - ratio, 0, 1)), (low, high), BY_TRUTH)
