"""Confident learning: which labels contradict what is expected of their images, by class thresholds.

After Northcutt, Jiang & Chuang 2021 ("Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70,
equations 1 and 2): the threshold of a class is the mean probability of that class among the rows that are labelled so;
a row is expected to be of the most probable class among those whose threshold it reaches, and of none where it reaches
no threshold. The counts of rows by given and expected class are the confident joint; what lies off its diagonal is in
doubt. So a rare class, whose probabilities are all small, is held to its own measure.

The probabilities must come from a model that has not seen the labels of these rows (`value_heads` makes such).
"""

import numpy as np

from cxr_core.arrays import FloatArray, IntArray

#: What is expected of a row that reaches no threshold.
NONE_EXPECTED = -1


def class_thresholds(given: IntArray, probabilities: FloatArray) -> FloatArray:
    """Return the threshold of each class (k,), NaN for a class that no row is labelled with.

    Args:
        given: (n,) the class that each row is labelled with, 0 to k - 1.
        probabilities: (n, k) of the classes.
    """
    k = probabilities.shape[1]
    own = self_confidence(given, probabilities)
    count = np.bincount(given, minlength=k)
    total = np.bincount(given, weights=own, minlength=k)
    return np.divide(total, count, out=np.full(k, np.nan), where=count > 0)


def expected_classes(probabilities: FloatArray, thresholds: FloatArray) -> IntArray:
    """Return the most probable class of each row (n,) among those whose threshold it reaches, else `NONE_EXPECTED`.

    Of equally probable classes it is the first. A class with the threshold NaN is never expected.
    """
    reached = probabilities >= thresholds
    best = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), best, NONE_EXPECTED).astype(np.int64)


def confident_joint(given: IntArray, expected: IntArray, k: int) -> IntArray:
    """Return how many rows are labelled with class i and expected to be of class j, shape (k, k)."""
    sure = expected != NONE_EXPECTED
    counts = np.bincount(given[sure] * k + expected[sure], minlength=k * k)
    return counts.reshape(k, k).astype(np.int64)


def self_confidence(given: IntArray, probabilities: FloatArray) -> FloatArray:
    """Return the probability of each row's own label (n,): the smaller, the more doubtful."""
    return np.asarray(probabilities[np.arange(given.size), given], np.float64)


def normalised_margin(given: IntArray, probabilities: FloatArray) -> FloatArray:
    """Return how much more probable each row's own label is than the likeliest other, (n,), between -1 and 1."""
    rows = np.arange(given.size)
    others = probabilities.copy()
    others[rows, given] = -np.inf
    return np.asarray(probabilities[rows, given] - others.max(axis=1), np.float64)
