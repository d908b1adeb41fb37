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

from cxr_core.arrays import BoolArray, FloatArray, IntArray
from cxr_core.evaluation.defined import ClassPatients
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import Ranking


def auc_of_rows(ranked: Ranking) -> FloatArray:
    """Return the influence (n,) of each row on the AUC: how far its placement is from the mean, shared by its class.

    The placement of a positive is the share of the negatives below it, that of a negative the share of the positives
    above it, ties counting one half. Both classes must be there.
    """
    positives, negatives = ranked.positives, ranked.negatives
    here, there = np.diff(ranked.tp, prepend=0), np.diff(ranked.fp, prepend=0)
    below, above = (negatives - ranked.fp + there / 2) / negatives, (ranked.tp - here / 2) / positives
    auc = float(here @ below) / positives
    return ranked.of_rows((below - auc) / positives, (above - auc) / negatives)


def ap_of_rows(ranked: Ranking) -> FloatArray:
    """Return the influence (n,) of each row on the average precision; both classes must be there.

    AP = sum over positives i of T_i / (C_i P), T_i the positives and C_i all rows with a score of i's or more, P all
    positives. A row counts in T_i and C_i of every positive at or below it.
    """
    here, called = np.diff(ranked.tp, prepend=0), ranked.tp + ranked.fp
    precision, total = ranked.tp / called, ranked.positives
    gained, lost = _from_here_on(here / called), _from_here_on(here * precision / called)
    ap = float(here @ precision) / total
    return ranked.of_rows((precision + gained - ap - lost) / total, -lost / total)


#: By the names of the figures.
OF_ROWS: dict[str, Callable[[Ranking], FloatArray]] = {"roc_auc": auc_of_rows, "average_precision": ap_of_rows}


def clustered_auc_variance(
    of_rows: FloatArray, positive: BoolArray, clusters: IntArray, counted: ClassPatients
) -> float:
    """Return Obuchowski's (1997) variance of the AUC of clustered rows; with one row a patient it is DeLong's (1988).

    Args:
        of_rows: (n,) the influences of the rows, `auc_of_rows`.
        positive: (n,) their truth.
        clusters: (n,) each row's patient, numbered from 0.
        counted: the patients of each class, two or more.
    """
    patients = int(clusters.max()) + 1
    of_positives = sum_by_patient(of_rows[positive], clusters[positive], patients)
    of_negatives = sum_by_patient(of_rows[~positive], clusters[~positive], patients)
    products = (of_positives @ of_positives, of_negatives @ of_negatives, 2 * of_positives @ of_negatives)
    counts = np.array([counted.positive, counted.negative, counted.all])
    return float(products @ (counts / (counts - 1)))


def clustered_variance(influences: FloatArray, patients: int) -> float:
    """Return the variance of a figure from each patient's influence (patients,) on it.

    Like that of a mean of n, it is the sum of squares times n / (n - 1), n being the `patients` of the rarer class.
    """
    return float(influences @ influences) * patients / (patients - 1)


def degrees_of_freedom(influences: FloatArray, most: int) -> float:
    """Return the degrees of freedom of the variance estimate that is the sum of squared `influences`.

    Satterthwaite's (1946) match of a chi-squared variable, with the fourth moment as observed (Fay & Graubard 2001):
    2 S^2 / (sum of u^4 - S^2 / k) for k influences u with S = sum of u^2. Two when one patient makes up everything;
    never more than `most`.
    """
    squares = influences**2
    total = float(squares.sum())
    spread = float((squares**2).sum()) - total**2 / influences.size
    return float(most) if spread <= 2 * total**2 / most else 2 * total**2 / spread


def _from_here_on(groups: FloatArray) -> FloatArray:
    """Return, for each distinct score (k,), the sum over it and all lower ones."""
    return np.cumsum(groups[::-1])[::-1]
