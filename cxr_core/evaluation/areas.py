"""AUC and average precision of one sort, each with its standard error by patients: an interval without a resample.

The variance of an AUC is that of Obuchowski (1997) for clustered rows, DeLong's (1988) where each patient has one row;
that of an average precision is the sum of squares of its influences by patient. Which patients make up a variance
says how far it can be trusted: `influence.degrees_of_freedom`, at most the patients of the rarer class less one. That
such intervals are as good as resampled ones from `intervals.FEWEST_FOR_FORMULA` patients on is measured in
`benchmarks/formula_intervals.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.curves import ranked_ap, ranked_auc
from cxr_core.evaluation.defined import ClassPatients
from cxr_core.evaluation.influence import (
    OF_CLASSES,
    clustered_auc_variance,
    clustered_variance,
    degrees_of_freedom,
)
from cxr_core.evaluation.intervals import Interval, area_interval
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import Ranking

#: The figures, in the order of every axis that holds both, and what they are called.
FIGURES: dict[str, str] = {"roc_auc": "AUC", "average_precision": "AP"}
_VALUES = {"roc_auc": ranked_auc, "average_precision": ranked_ap}


@dataclass(frozen=True, eq=False)
class Area:
    """An area in [0, 1], the influence (patients,) of each patient on it, its standard error and degrees of freedom.

    With a class of a single patient the error is NaN.
    """

    value: float
    influences: FloatArray
    error: float
    freedom: float

    def interval(self) -> Interval:
        """Return its 95 % interval."""
        return area_interval(self.value, self.error, self.freedom)


def area(figure: str, ranked: Ranking, clusters: IntArray, counted: ClassPatients, patients: int = 0) -> Area:
    """Return a figure of `FIGURES`; arguments as of `areas`."""
    return areas(ranked, clusters, counted, patients, (figure,))[figure]


def areas(
    ranked: Ranking,
    clusters: IntArray,
    counted: ClassPatients,
    patients: int = 0,
    figures: Sequence[str] = tuple(FIGURES),
) -> dict[str, Area]:
    """Return figures of one label by their names.

    Args:
        ranked: the n rows, of both classes.
        clusters: (n,) each row's patient, numbered from 0.
        counted: the patients of each class.
        patients: how many there are, where the last ones may have no row here.
        figures: which of `FIGURES`.
    """
    in_order, most = clusters[ranked.order], max(int(clusters.max()) + 1, patients)
    of_class = [in_order[places] for places in ranked.classes]

    def found(figure: str) -> Area:
        added = zip(OF_CLASSES[figure](ranked), of_class, strict=True)
        of_positives, of_negatives = (sum_by_patient(rows, patient, most) for rows, patient in added)
        influences, value = of_positives + of_negatives, _VALUES[figure](ranked)
        if counted.rarer < 2:
            return Area(value, influences, nan, 0)
        if figure == "roc_auc":
            variance = clustered_auc_variance(of_positives, of_negatives, counted)
        else:
            variance = clustered_variance(influences, counted.rarer)
        return Area(value, influences, sqrt(variance), degrees_of_freedom(influences, counted.rarer - 1))

    return {figure: found(figure) for figure in figures}
