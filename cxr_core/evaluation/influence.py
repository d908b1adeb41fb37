"""How much each patient moves a figure, and how far the spread of these influences can be trusted.

The influence of a patient is the derivative of the figure with respect to how often the patient is drawn (the
infinitesimal jackknife; Jaeckel 1972). For the AUC these are DeLong's placements (1988) summed by patient, as in
Obuchowski (1997); for average precision they follow from its sum over the positives. Their sum of squares is about
the figure's variance. Where few patients make up most of it, as a handful of low-scoring positives does when the AUC is
near 1, that variance is itself uncertain, and a normal interval covers too little. The influence on a difference is the
difference of the influences, so one product of such vectors gives the covariances of any number of models and labels.
"""

from collections.abc import Callable

import numpy as np

from cxr_core.arrays import FloatArray, inner
from cxr_core.evaluation.defined import ClassPatients
from cxr_core.evaluation.ranking import Ranking

#: What each positive (P,) and each negative (N,) adds to a figure, from the largest score down.
OfClasses = tuple[FloatArray, FloatArray]


def auc_of_classes(ranked: Ranking) -> OfClasses:
    """Return the influence of each row on the AUC: how far its placement is from the mean, shared by its class.

    The placement of a positive is the share of the negatives below it, that of a negative the share of the positives
    above it, ties counting one half. Both classes must be there.
    """
    positives, negatives = ranked.positives, ranked.negatives
    of_positives, of_negatives = ranked.scores
    below = 1 - (ranked.fp[of_positives] + ranked.above(ranked.fp, of_positives, 0)) / (2 * negatives)
    above = (ranked.tp[of_negatives] + ranked.above(ranked.tp, of_negatives, 0)) / (2 * positives)
    auc = float(below.mean())
    return (below - auc) / positives, (above - auc) / negatives


def ap_of_classes(ranked: Ranking) -> OfClasses:
    """Return the influence of each row on the average precision; both classes must be there.

    AP = sum over positives i of T_i / (C_i P), T_i the positives and C_i all rows with a score of i's or more, P all
    positives. A row counts in T_i and C_i of every positive at or below it.
    """
    of_positives, of_negatives = ranked.scores
    total, gains = ranked.positives, ranked.tp[of_positives]
    called = gains + ranked.fp[of_positives]
    precision = gains / called
    gained, lost = _from_here_on(1 / called), _from_here_on(precision / called)
    here, there = ranked.above(ranked.tp, of_positives, 1), ranked.above(ranked.tp, of_negatives, 0)
    return (precision + gained[here] - precision.mean() - lost[here]) / total, -lost[there] / total


#: By the names of the figures.
OF_CLASSES: dict[str, Callable[[Ranking], OfClasses]] = {
    "roc_auc": auc_of_classes,
    "average_precision": ap_of_classes,
}


def auc_of_rows(ranked: Ranking) -> FloatArray:
    """Return the influence (n,) of each row on the AUC, in the order in which rows were given."""
    return ranked.of_rows(*auc_of_classes(ranked))


def clustered_auc_variance(of_positives: FloatArray, of_negatives: FloatArray, counted: ClassPatients) -> float:
    """Return Obuchowski's (1997) variance of the AUC of clustered rows; with one row a patient it is DeLong's (1988).

    Args:
        of_positives: (patients,) the sums of the influences of each patient's positives.
        of_negatives: (patients,) those of the negatives.
        counted: the patients of each class, two or more.
    """
    products = (
        inner(of_positives, of_positives),
        inner(of_negatives, of_negatives),
        2 * inner(of_positives, of_negatives),
    )
    counts = np.array([counted.positive, counted.negative, counted.all])
    return float(np.array(products) @ (counts / (counts - 1)))


def clustered_variance(influences: FloatArray, patients: int) -> float:
    """Return the variance of a figure from each patient's influence (patients,) on it.

    Like that of a mean of n, it is the sum of squares times n / (n - 1), n being the `patients` of the rarer class.
    """
    return inner(influences, influences) * patients / (patients - 1)


def degrees_of_freedom(influences: FloatArray, most: int) -> float:
    """Return the degrees of freedom of the variance estimate that is the sum of squared `influences`.

    Satterthwaite's (1946) match of a chi-squared variable, with the fourth moment as observed (Fay & Graubard 2001):
    2 S^2 / (sum of u^4 - S^2 / k) for k influences u with S = sum of u^2. Two when one patient makes up everything;
    never more than `most`.
    """
    squares = influences**2
    return freedom(float(squares.sum()), float((squares**2).sum()), influences.size, most)


def freedom(total: float, fourth: float, patients: int, most: int) -> float:
    """Return the degrees of freedom from the sums of squares and of fourth powers of the influences of all patients."""
    spread = fourth - total**2 / patients
    return float(most) if spread <= 2 * total**2 / most else 2 * total**2 / spread


def _from_here_on(added: FloatArray) -> FloatArray:
    """Return, for each row of a class and for what is below all of them (m + 1,), the sum over it and all below."""
    return np.append(np.cumsum(added[::-1])[::-1], 0.0)
