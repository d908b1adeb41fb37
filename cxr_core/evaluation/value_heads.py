"""How probable each label value is for an image, by heads that have not seen the labels of its patient.

A head is a multinomial logistic regression of the four values of one label on a model's scores of all its labels. It
is cross-fitted: patients are dealt into folds, and a row's probabilities come from a head that was fitted on the
patients of the other folds. The scores must be out of sample too, from a model that was not trained on these rows.
"""

from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.fitted import FEWEST_PATIENTS, FOLDS, deal_patients
from cxr_core.schema import VALUES

#: A head has a few dozen numbers: it is fitted on this many rows at the most, evenly spread.
_MOST_FITTED = 20_000


@dataclass(frozen=True, eq=False)
class ValueProbabilities:
    """The probabilities (m, 4) of the values on the rows (m,) that take part; none take part where `why` says so.

    Rows of a value that fewer than `FEWEST_PATIENTS` patients have take no part, nor do rows without a value.
    """

    rows: IntArray
    probabilities: FloatArray
    why: str | None = None


def value_probabilities(
    values: IntArray, features: FloatArray, patients: IntArray, folds: int = FOLDS
) -> ValueProbabilities:
    """Return how probable each value is for each row, out of sample.

    Args:
        values: (n,) label codes 0 to 3, -1 where nothing is stated.
        features: (n, m) numbers that tell of the images, such as a model's logits; rows that lack one take no part.
        patients: (n,) whose rows they are.
        folds: into how many the patients are dealt.
    """
    usable = np.isfinite(features).all(axis=1) & (values >= 0)
    for value in range(len(VALUES)):
        if np.unique(patients[usable & (values == value)]).size < FEWEST_PATIENTS:
            usable &= values != value
    rows = np.flatnonzero(usable)
    given, of_rows = values[rows], features[rows]
    if why := _why_no_head(given):
        return _nothing(why)
    fold, found = deal_patients(patients[rows], folds), np.zeros((rows.size, len(VALUES)))
    for held_out in np.unique(fold):
        here = fold == held_out
        if np.unique(given[~here]).size < np.unique(given).size:
            return _nothing(f"all patients of one value fell into one of the {folds} parts")
        found[here] = _predicted(of_rows, given, ~here, here)
    return ValueProbabilities(rows, found)


def _why_no_head(given: IntArray) -> str | None:
    if np.unique(given).size >= 2:
        return None
    return f"no two of its values are on images of {FEWEST_PATIENTS} patients or more, so none is told from another"


def _nothing(why: str) -> ValueProbabilities:
    return ValueProbabilities(np.empty(0, np.int64), np.empty((0, len(VALUES))), why)


def _predicted(features: FloatArray, given: IntArray, others: BoolArray, here: BoolArray) -> FloatArray:
    """Return the probabilities of the held-out rows by a head that was fitted on the `others`."""
    from sklearn.linear_model import LogisticRegression

    fitted = np.flatnonzero(others)
    fitted = fitted[:: -(-fitted.size // _MOST_FITTED)]
    mean, scale = features[fitted].mean(axis=0), features[fitted].std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    found = np.zeros((int(here.sum()), len(VALUES)))
    head = LogisticRegression(C=1.0, solver="newton-cholesky")
    head.fit((features[fitted] - mean) / scale, given[fitted])
    found[:, head.classes_] = head.predict_proba((features[here] - mean) / scale)
    return found
