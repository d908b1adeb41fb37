"""Do two judges rank models alike? Kendall's tau-b of the models' figures under either, with its interval by patient.

Both judges judge the same rows, so a resample of the patients gives each model its figure under both, and the ranking
of the models under both: the interval holds the percentiles of the tau of each resample.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.defined import why_no_mean_interval
from cxr_core.evaluation.intervals import percentile_interval
from cxr_core.evaluation.labels import Figures
from cxr_core.evaluation.patient_sums import ratio
from cxr_core.evaluation.results import Bounds, MeanFigure, bounds_as_json

METHOD = "Kendall's tau-b"
#: Two models can only be ranked alike or the other way round.
FEWEST_MODELS = 3


@dataclass(frozen=True)
class RankCorrelation:
    """How alike two judges rank `models` models: 1 alike, 0 no relation, -1 reversed; None with the reason in `why`."""

    models: int
    value: float | None
    ci: Bounds | None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        return {
            "method": METHOD,
            "models": self.models,
            "value": self.value,
            "ci": bounds_as_json(self.ci),
            "why": self.why,
        }


@dataclass(frozen=True)
class JudgedTwice:
    """Each model's mean figure over `labels` under either of two judges, and how alike these rank the models."""

    labels: tuple[str, ...]
    first: dict[str, MeanFigure]
    second: dict[str, MeanFigure]
    correlation: RankCorrelation


def judged_twice(first: Mapping[str, Figures], second: Mapping[str, Figures], figure: str) -> JudgedTwice:
    """Set models judged by two judges side by side.

    Args:
        first: model -> its figures by one judge, with resamples (the method `BOOTSTRAP`).
        second: model -> its figures by the other judge on the same rows.
        figure: `roc_auc` or `average_precision`.
    """
    labels = _defined([*first.values(), *second.values()], figure)
    means = [{model: found.mean(figure, labels) for model, found in judged.items()} for judged in (first, second)]
    return JudgedTwice(tuple(labels), means[0], means[1], _correlation(first, second, labels, figure, means))


def kendall(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return Kendall's tau-b (k,) of the columns of two rankings (models, k), NaN where one ties all models."""
    pairs = list(combinations(range(first.shape[0]), 2))
    signs = [np.sign([ranking[a] - ranking[b] for a, b in pairs]) for ranking in (first, second)]
    untied = [np.count_nonzero(of_pairs, axis=0) for of_pairs in signs]
    return ratio((signs[0] * signs[1]).sum(axis=0), np.sqrt(untied[0] * untied[1].astype(np.float64)))


def _defined(figures: Sequence[Figures], figure: str) -> list[str]:
    """Return the labels on which every model has the figure by both judges."""
    if not figures:
        return []
    return [
        label
        for label in figures[0].labels
        if all(label in one.labels and getattr(one.labels[label], figure) is not None for one in figures)
    ]


def _correlation(
    first: Mapping[str, Figures],
    second: Mapping[str, Figures],
    labels: list[str],
    figure: str,
    means: Sequence[Mapping[str, MeanFigure]],
) -> RankCorrelation:
    n = len(first)
    if n < FEWEST_MODELS:
        return RankCorrelation(n, None, None, f"a rank correlation needs {FEWEST_MODELS} models")
    if not labels:
        return RankCorrelation(n, None, None, "there is no label on which all models have the figure by both judges")
    values = [np.array([[of_judge[model].value] for model in first], np.float64) for of_judge in means]
    value = float(kendall(*values)[0])
    if np.isnan(value):
        return RankCorrelation(n, None, None, "one of the judges ranks all models alike")
    resampled = [np.stack([_resampled(judged[model], labels, figure) for model in first]) for judged in (first, second)]
    if any(np.size(of_judge) == 0 for of_judge in resampled):
        return RankCorrelation(n, value, None, "a class of one of these labels is of too few patients to resample")
    taus = kendall(*resampled)
    taus[np.isnan(resampled[0]).any(axis=0) | np.isnan(resampled[1]).any(axis=0)] = np.nan
    rarer = np.minimum.reduce([_rarer(found, labels, figure) for of in (first, second) for found in of.values()])
    why = why_no_mean_interval(rarer, next(iter(first.values())).each[figure].minimum)
    if why:
        return RankCorrelation(n, value, None, why)
    found = percentile_interval(taus, int(rarer.min()))
    return RankCorrelation(n, value, found.ci, found.why)


def _resampled(figures: Figures, labels: list[str], figure: str) -> FloatArray:
    """Return the mean of a figure over labels in each resample (resamples,); nothing where none was drawn."""
    each = figures.each[figure]
    if each.replicates is None:
        return np.zeros(0)
    means: FloatArray = each.replicates[:, [each.labels.index(label) for label in labels]].mean(axis=1)
    return means


def _rarer(figures: Figures, labels: list[str], figure: str) -> IntArray:
    """Return the patients (labels,) of the rarer class of each label."""
    each = figures.each[figure]
    return np.asarray(each.rarer[[each.labels.index(label) for label in labels]], dtype=np.int64)
