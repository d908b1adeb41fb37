"""How much each patient moves a figure, and how far the spread of these influences can be trusted.

The influence of a patient is the derivative of the figure with respect to how often the patient is drawn (the
infinitesimal jackknife; Jaeckel 1972). For the AUC these are DeLong's placements (1988) summed by patient, as in
Obuchowski (1997); for average precision they follow from its sum over the positives. Their sum of squares is about
the figure's variance. Where few patients make up most of it, as a handful of low-scoring positives does when the AUC is
near 1, that variance is itself uncertain, and a normal interval covers too little. The influence on a difference is the
difference of the influences, so one product of such vectors gives the covariances of any number of models and labels.
"""

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.curves import falling_order
from cxr_core.evaluation.delong import placements
from cxr_core.evaluation.patient_sums import sum_by_patient


def auc_influence(y: IntArray, scores: FloatArray, clusters: IntArray, patients: int = 0) -> FloatArray:
    """Return the influence (patients,) of each patient on the AUC.

    Args:
        y: (n,) truth, 0 or 1, both of them there.
        scores: (n,) finite predictions.
        clusters: (n,) each row's patient, numbered from 0.
        patients: how many there are, where the last ones may have no row here.
    """
    of_positives, of_negatives = placements(y, scores)
    auc = of_positives.mean()
    of_rows = np.empty(y.size)
    of_rows[y == 1] = (of_positives - auc) / of_positives.size
    of_rows[y != 1] = (of_negatives - auc) / of_negatives.size
    return sum_by_patient(of_rows, clusters, patients)


def ap_influence(y: IntArray, scores: FloatArray, clusters: IntArray, patients: int = 0) -> FloatArray:
    """Return the influence (patients,) of each patient on the average precision; arguments as of `auc_influence`.

    AP = sum over positives i of T_i / (C_i P), T_i the positives and C_i all rows with a score of i's or more, P all
    positives. A row counts in T_i and C_i of every positive at or below it.
    """
    order, ends = falling_order(scores)
    positive = (y[order] == 1).astype(np.float64)
    last = np.repeat(ends, np.diff(ends, prepend=-1))
    true, called, total = np.cumsum(positive)[last], last + 1.0, positive.sum()
    precision = true / called
    gained, lost = _from_here_on(positive / called, last), _from_here_on(positive * precision / called, last)
    ap = (positive * precision).sum() / total
    of_rows = np.empty(y.size)
    of_rows[order] = (positive * (precision + gained - ap) - lost) / total
    return sum_by_patient(of_rows, clusters, patients)


#: By the names of the figures.
INFLUENCES = {"roc_auc": auc_influence, "average_precision": ap_influence}


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


def _from_here_on(rows: FloatArray, last: IntArray) -> FloatArray:
    """Return, for each row in falling order, the sum over the rows with its score or less."""
    through = np.cumsum(rows)
    first = np.concatenate([[0], last[:-1] + 1])
    starts = np.maximum.accumulate(np.where(np.diff(last, prepend=-1) > 0, first, 0))
    return through[-1] - through[starts] + rows[starts]
