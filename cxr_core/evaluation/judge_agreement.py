"""Do two judges rank models alike, and does one of them find a model better? By patient, on the same rows.

A resample of the patients gives each model its figure under both judges, and the ranking of the models under both. The
interval of Kendall's tau-b of the two rankings holds the percentiles of the tau of each resample. The difference of a
model's figures is judged by Student's t on its standard deviation over the resamples, and corrected for all models by
Holm (1979).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from cxr_core.arrays import FloatArray, IntArray
from cxr_core.evaluation.defined import why_no_mean_interval
from cxr_core.evaluation.intervals import percentile_interval, resampled_error
from cxr_core.evaluation.labels import Figures
from cxr_core.evaluation.patient_sums import ratio
from cxr_core.evaluation.results import Bounds, MeanFigure, bounds_as_json
from cxr_core.evaluation.simultaneous import Difference, holm_corrected

METHOD = "Kendall's tau-b"
#: Two models can only be ranked alike or the other way round.
FEWEST_MODELS = 3
_NO_LABEL = "there is no label on which all models have the figure by both judges"
_NOT_DRAWN = "a class of one of these labels is of too few patients to resample"
_NO_DIFFERENCE = "it is the same whichever patients are drawn, as where both judges say the same"


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
class JudgeDifference:
    """A model's figure by the first judge minus that by the second, or None with the reason in `why`.

    `ci` and `p` are for this model alone, `ci_corrected` and `p_corrected` for all models.
    """

    value: float | None = None
    ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    ci_corrected: Bounds | None = None
    why: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        document = {name: getattr(self, name) for name in ("value", "p", "p_corrected", "why")}
        return document | {name: bounds_as_json(getattr(self, name)) for name in ("ci", "ci_corrected")}


@dataclass(frozen=True)
class JudgedTwice:
    """Each model's mean figure over `labels` under either of two judges, how they differ and how alike they rank."""

    labels: tuple[str, ...]
    first: dict[str, MeanFigure]
    second: dict[str, MeanFigure]
    differences: dict[str, JudgeDifference]
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
    differences = _differences(first, second, labels, figure)
    return JudgedTwice(
        tuple(labels), means[0], means[1], differences, _correlation(first, second, labels, figure, means)
    )


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


def _differences(
    first: Mapping[str, Figures], second: Mapping[str, Figures], labels: list[str], figure: str
) -> dict[str, JudgeDifference]:
    found: dict[str, JudgeDifference] = {}
    tested: dict[str, Difference] = {}
    for model in first:
        found[model], difference = _difference(first[model], second[model], labels, figure)
        if difference is not None:
            tested[model] = difference
    for model, (p, ends) in holm_corrected(tested).items():
        found[model] = replace(found[model], p_corrected=p, ci_corrected=ends)
    return found


def _difference(
    first: Figures, second: Figures, labels: list[str], figure: str
) -> tuple[JudgeDifference, Difference | None]:
    if not labels:
        return JudgeDifference(why=_NO_LABEL), None
    value = (first.mean(figure, labels).value or 0.0) - (second.mean(figure, labels).value or 0.0)
    rarer = np.minimum(_rarer(first, labels, figure), _rarer(second, labels, figure))
    drawn = [_resampled(of_judge, labels, figure) for of_judge in (first, second)]
    if not all(map(np.size, drawn)):
        return JudgeDifference(value, why=_NOT_DRAWN), None
    why = why_no_mean_interval(rarer, first.each[figure].minimum)
    error, unusable = (None, None) if why else resampled_error(drawn[0] - drawn[1], int(rarer.min()))
    if not error:
        return JudgeDifference(value, why=why or unusable or _NO_DIFFERENCE), None
    difference = Difference(value, error, int(rarer.min()) - 1)
    return JudgeDifference(value, difference.interval(), difference.p), difference


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
        return RankCorrelation(n, None, None, _NO_LABEL)
    values = [np.array([[of_judge[model].value] for model in first], np.float64) for of_judge in means]
    value = float(kendall(*values)[0])
    if np.isnan(value):
        return RankCorrelation(n, None, None, "one of the judges ranks all models alike")
    resampled = [np.stack([_resampled(judged[model], labels, figure) for model in first]) for judged in (first, second)]
    if any(np.size(of_judge) == 0 for of_judge in resampled):
        return RankCorrelation(n, value, None, _NOT_DRAWN)
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
