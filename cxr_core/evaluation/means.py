"""Means of a figure over labels: their patients are shared, so are the intervals' covariances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.defined import NO_VARIANCE, why_no_mean_interval
from cxr_core.evaluation.intervals import Interval, area_interval, resampled_area_interval
from cxr_core.evaluation.judged_labels import JudgedLabel
from cxr_core.evaluation.results import BOOTSTRAP, FORMULA, MeanFigure
from cxr_core.evaluation.simultaneous import clustered_mean

_NO_PRODUCTS = "of so many rows the tables tell sums of each label, and not what the labels have in common"


@dataclass(frozen=True, eq=False)
class LabelsOfFigure:
    """One figure of a model on the `labels` on which it is defined: what means over any of them are made of.

    `values` (labels,), `rarer` (labels,) the patients of the rarer class, `minimum` the fewest of them for the interval
    of a label, `products` (labels, labels) the sums over the patients of what each adds to two labels (None where only
    sums of each label are known), and `replicates` (resamples, labels) where every label was resampled.
    """

    labels: tuple[str, ...]
    values: FloatArray
    rarer: IntArray
    minimum: int
    products: FloatArray | None
    replicates: FloatArray | None

    @property
    def method(self) -> str:
        """How the intervals of means come about: by the bootstrap where every label was resampled."""
        return FORMULA if self.replicates is None else BOOTSTRAP

    def mean(self, chosen: Sequence[str]) -> MeanFigure:
        """Return the mean over those of the `chosen` labels on which the figure is defined, with its interval."""
        columns = [self.labels.index(label) for label in chosen if label in self.labels]
        if not columns:
            return MeanFigure(None, None, 0, "it is defined on no label")
        value = float(np.mean(self.values[columns]))
        why = why_no_mean_interval(self.rarer[columns], self.minimum)
        if why:
            return MeanFigure(value, None, len(columns), why)
        found = self._interval(value, columns)
        return MeanFigure(value, found.ci, len(columns), found.why, self.method if found.ci else None)

    def _interval(self, value: float, columns: list[int]) -> Interval:
        rarer = self.rarer[columns]
        if self.replicates is not None:
            few = int(rarer.min())
            return resampled_area_interval(value, self.replicates[:, columns].mean(axis=1), few, few - 1)
        if self.products is None:
            return Interval(None, _NO_PRODUCTS, 0)
        mean = clustered_mean(value, self.products[np.ix_(columns, columns)], rarer)
        no_variance = Interval(None, NO_VARIANCE, 0) if 0 < value < 1 else area_interval(value, 0.0, 1)
        return no_variance if mean is None else area_interval(value, mean.error, mean.freedom)


def labels_of_figure(figure: str, position: int, judged: Mapping[str, JudgedLabel], minimum: int) -> LabelsOfFigure:
    """Gather one figure of a model; `position` is its place on the last axis of the replicates."""
    having = {label: one for label, one in judged.items() if figure in one.areas}
    areas = [one.areas[figure] for one in having.values()]
    influences = np.stack([area.influences for area in areas]) if areas else np.zeros((0, 0))
    resampled = [one.replicates[:, position] for one in having.values() if one.replicates is not None]
    return LabelsOfFigure(
        tuple(having),
        np.array([area.value for area in areas]),
        np.array([one.counted.rarer for one in having.values()], dtype=np.int64),
        minimum,
        influences @ influences.T,
        np.stack(resampled, axis=1) if resampled and len(resampled) == len(having) else None,
    )
