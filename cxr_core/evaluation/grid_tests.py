"""The tests behind a grid of models and labels: the difference of every two models in every row, judged together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cxr_core.arrays import FloatArray
from cxr_core.evaluation.defined import why_no_mean_interval
from cxr_core.evaluation.judged_labels import JudgedLabel
from cxr_core.evaluation.simultaneous import Difference, Family, clustered, clustered_mean, family_of


@dataclass(frozen=True, eq=False)
class LabelTests:
    """One label of several models: `influences` (patients, models) of each patient on each model's figure.

    `models` are those that have the figure, `rarer` counts the patients of the rarer class, and `why` is the reason for
    which the label is not tested, or None.
    """

    models: tuple[str, ...]
    influences: FloatArray
    rarer: int
    why: str | None

    def difference(self, a: str, b: str, value: float) -> Difference | None:
        """Return the difference of two models, `value`, with its error; None where it has no variance."""
        return clustered(value, self.influence(a, b), self.rarer)

    def influence(self, a: str, b: str) -> FloatArray:
        """Return the influence (patients,) of each patient on the difference of two models."""
        first, second = (self.influences[:, self.models.index(model)] for model in (a, b))
        return first - second


@dataclass(frozen=True, eq=False)
class MeanTests:
    """The mean over `labels`, of the models that have the figure on all of them.

    `minimum` is the fewest patients of each class for a test of one label.
    """

    labels: Sequence[LabelTests]
    minimum: int

    @property
    def models(self) -> tuple[str, ...]:
        """The models, those of every label."""
        return self.labels[0].models if self.labels else ()

    @property
    def influences(self) -> FloatArray:
        """Of each patient on each model's mean, (patients, models)."""
        return np.mean([label.influences for label in self.labels], axis=0)

    @property
    def why(self) -> str | None:
        """The reason for which the mean is not tested, or None."""
        return (
            why_no_mean_interval(np.array([label.rarer for label in self.labels]), self.minimum)
            if self.labels
            else None
        )

    def difference(self, a: str, b: str, value: float) -> Difference | None:
        """Return the mean difference of two models, `value`, with its error; None where it has no variance."""
        influences = np.stack([label.influence(a, b) for label in self.labels])
        return clustered_mean(value, influences @ influences.T, np.array([label.rarer for label in self.labels]))


RowTests = LabelTests | MeanTests


def label_tests(figure: str, judged: Mapping[str, JudgedLabel], minimum: int) -> LabelTests:
    """Prepare the tests of one label.

    Args:
        figure: `roc_auc` or `average_precision`.
        judged: the label of each model, on the same rows for all that have the figure.
        minimum: fewest patients of each class for a test.
    """
    having = {model: one for model, one in judged.items() if figure in one.areas}
    if not having:
        return LabelTests((), np.zeros((0, 0)), 0, None)
    counted = next(iter(having.values())).counted
    each = [one.areas[figure].influences for one in having.values()]
    return LabelTests(tuple(having), np.stack(each, axis=1), counted.rarer, counted.why_no_interval(max(minimum, 2)))


def grid_family(rows: Sequence[RowTests]) -> Family:
    """Return the family of every two models in every row that is tested."""
    tested = [row for row in rows if not row.why and row.models]
    if not tested:
        return family_of(np.zeros((1, 0)), [])
    starts = np.cumsum([0, *(len(row.models) for row in tested)])
    pairs = [
        (int(start) + a, int(start) + b)
        for start, row in zip(starts, tested, strict=False)
        for a, b in combinations(range(len(row.models)), 2)
    ]
    return family_of(np.concatenate([row.influences for row in tested], axis=1), pairs)
