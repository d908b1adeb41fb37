"""Weights of an ensemble that are fitted to labels, and judged on patients that they have not seen.

Patients are dealt into folds. The weights that predict a patient were fitted on the patients of the other folds, so
that what is stored and evaluated is out of sample for every patient; those of data sets that took no part in the
fitting are predicted by weights fitted on all of it.

Each fold's fit has a scale of its own: with more positives held out, fewer are left to fit on and every prediction is
lower. Ranked together such predictions lose AUC for no fault of the weights (Parker et al. 2007; Forman & Scholz 2010).
So the predictions of a fold are shifted and stretched: over all rows that take part, its weights give the same mean and
standard deviation as those fitted on all. That changes no rank within a fold, and the two numbers are the same for all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.resamples import SEED
from cxr_core.words import counted

#: Into how many folds the patients are dealt.
FOLDS = 5
#: Fewest patients of each class from which weights are fitted.
FEWEST_PATIENTS = 5


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """Predictions (n,) as logits, and the weights that were fitted on all patients.

    `weights` (features,) are those of the features as given; `intercept` is 0 for a weighted mean. `why` is None, or
    why nothing was fitted: then the weights are equal.
    """

    predictions: FloatArray
    weights: FloatArray
    intercept: float
    why: str | None


@dataclass(frozen=True, eq=False)
class _Fit:
    weights: FloatArray
    intercept: float

    def predict(self, features: FloatArray) -> FloatArray:
        return features @ self.weights + self.intercept


def deal_patients(patients: IntArray, folds: int = FOLDS, seed: int = SEED) -> IntArray:
    """Return the fold of each row (n,), 0 to `folds` - 1: all rows of a patient in one, folds of about equal size."""
    distinct, place = np.unique(patients, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(distinct.size) % folds
    return dealt[place].astype(np.int64)


def cross_fitted(
    features: FloatArray, y: IntArray, usable: BoolArray, patients: IntArray, method: str, folds: int = FOLDS
) -> CrossFitted:
    """Fit the weights of one label and predict every row out of sample.

    Args:
        features: (n, m) logits of the members, all finite.
        y: (n,) truth, 0 or 1; only that of usable rows matters.
        usable: (n,) the rows that may be fitted on: labelled, certain, of the data set that weights are fitted on.
        patients: (n,) each row's patient.
        method: `weighted` or `stacking`.
        folds: into how many the patients of usable rows are dealt.
    """
    why = _why_not(y[usable], patients[usable])
    if why:
        return _equal_weights(features, why)
    fit = fit_weighted if method == "weighted" else fit_stacking
    whole = fit(features[usable], y[usable])
    predictions = whole.predict(features)
    taking_part = np.isin(patients, patients[usable])
    fold = np.full(y.size, -1)
    fold[taking_part] = deal_patients(patients[taking_part], folds)
    for held_out in range(folds):
        rows, others = fold == held_out, usable & (fold != held_out)
        why = _why_not(y[others], patients[others])
        if why:
            return _equal_weights(features, f"without one of {folds} parts of the patients: {why}")
        of_fold = fit(features[others], y[others])
        predictions[rows] = _on_scale(of_fold, whole, features[taking_part])(features[rows])
    return CrossFitted(predictions, whole.weights, whole.intercept, None)


def _on_scale(fit: _Fit, whole: _Fit, features: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return the predictions of `fit` as a function of features, with the mean and spread of `whole` on `features`."""
    own, wanted = fit.predict(features), whole.predict(features)
    stretch = wanted.std() / own.std() if own.std() > 0 else 0.0
    return lambda rows: (fit.predict(rows) - own.mean()) * stretch + wanted.mean()


def fit_stacking(features: FloatArray, y: IntArray) -> _Fit:
    """Fit a logistic regression with an L2 penalty (C = 1) on standardised features, as scikit-learn's does."""
    mean, scale = _standard(features)
    slopes, intercept = _logistic((features - mean) / scale, y, None)
    weights = slopes / scale
    return _Fit(weights, float(intercept - mean @ weights))


def fit_weighted(features: FloatArray, y: IntArray) -> _Fit:
    """Fit the same with no weight below 0, and scale the weights to a sum of 1: a weighted mean of the features.

    Where no member helps, all weigh the same.
    """
    mean, scale = _standard(features)
    slopes, _ = _logistic((features - mean) / scale, y, 0.0)
    weights = slopes / scale
    total = weights.sum()
    if total <= 0:
        return _Fit(np.full(weights.size, 1 / weights.size), 0.0)
    return _Fit(weights / total, 0.0)


def _logistic(features: FloatArray, y: IntArray, smallest: float | None) -> tuple[FloatArray, float]:
    """Minimise the cross-entropy plus half the squared slopes; the slopes are at least `smallest` when it is given."""
    from scipy.optimize import minimize

    sign = 2.0 * y - 1

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (features @ theta[:-1] + theta[-1])
        pull = -sign * expit(-margin)
        value = np.logaddexp(0, -margin).sum() + 0.5 * theta[:-1] @ theta[:-1]
        return float(value), np.append(features.T @ pull + theta[:-1], pull.sum())

    m = features.shape[1]
    bounds = [(smallest, None)] * m + [(None, None)]
    options = {"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8}
    with threadpool_limits(1):  # the steps are so small that the threads of BLAS would only wait for one another
        found = minimize(loss, np.zeros(m + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x[:-1], float(found.x[-1])


def _standard(features: FloatArray) -> tuple[FloatArray, FloatArray]:
    scale = features.std(axis=0)
    return features.mean(axis=0), np.where(scale > 0, scale, 1.0)


def _why_not(y: IntArray, patients: IntArray) -> str | None:
    positive, negative = (np.unique(patients[y == value]).size for value in (1, 0))
    if min(positive, negative) >= FEWEST_PATIENTS:
        return None
    return (
        f"{counted(positive, 'patient')} with a positive and {negative} with a negative label are too few to fit "
        f"weights, which needs {FEWEST_PATIENTS} of each; the members weigh the same"
    )


def _equal_weights(features: FloatArray, why: str) -> CrossFitted:
    m = features.shape[1]
    return CrossFitted(features.mean(axis=1), np.full(m, 1 / m), 0.0, why)
