"""Models beside labels: which one is best on each label, and which others cannot be told from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.arrays import FloatArray
from cxr_core.evaluation.comparison import holm, paired_answer
from cxr_core.evaluation.labels import FIGURES, Figures, evaluate_models, mean_figure
from cxr_core.evaluation.results import Bounds, MeanFigure

#: The row of a grid that holds the means over its labels.
MEAN = "mean"
#: A difference whose corrected p is below it is told from nothing.
LEVEL = 0.05

BEST, ALIKE, BEHIND = "best", "alike", "behind"


@dataclass(frozen=True)
class GridCell:
    """One model on one label.

    `mark` is `best` for the largest figure of the label, `alike` where the difference to the best one has a corrected
    p of 0.05 or more (not distinguishable from it), `behind` where it is below; None with the reason in `why` where it
    cannot be said. `difference` is the best model's figure minus this one's, with its interval and p.
    """

    model: str
    label: str
    value: float | None
    ci: Bounds | None
    n: int
    n_positive: int
    mark: str | None
    difference: float | None = None
    difference_ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    why: str | None = None


@dataclass(frozen=True)
class Grid:
    """A figure of several models on the same rows, on each label that all of them have.

    `cells[label][model]`; the last label is `mean`, over the labels on which every model has the figure. `family` says
    for which tests p is corrected. The best is chosen on the same rows, so those `behind` it look a little worse than
    they are; those `alike` are alike all the same.
    """

    figure: str
    models: tuple[str, ...]
    cells: dict[str, dict[str, GridCell]]
    family: str
    n_rows: int
    figures: dict[str, Figures]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, without the row of means."""
        return tuple(label for label in self.cells if label != MEAN)


def evaluate_grid(
    values: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    patients: Any,
    resamples: int,
    minimum: int,
    figure: str = "roc_auc",
) -> Grid:
    """Evaluate several models on the same rows, and mark on each label the best and those alike it.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing.
        models: model -> label -> predictions (n,) as stored.
        patients: (n,) the patient of each row.
        resamples: number of bootstrap resamples, the same for all models and labels.
        minimum: fewest patients of each class for which an interval or a p is given.
        figure: `roc_auc` or `average_precision`.

    Raises:
        UnknownNameError: there is no such figure.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    if figure not in FIGURES:
        raise UnknownNameError("figure", figure, list(FIGURES))
    names = tuple(models)
    labels = [label for label in values if all(label in scores for scores in models.values())]
    shared = {model: {label: models[model][label] for label in labels} for model in names}
    figures = evaluate_models(values, shared, patients, resamples, minimum)
    place = list(FIGURES).index(figure)
    # (models, resamples, labels): the replicates that every difference is taken from.
    replicates = np.array([figures[model].replicates[:, :, place] for model in names])
    cells = {
        label: _marked([_cell(figures[model], model, label, figure) for model in names], replicates[:, :, column],
                       next(iter(figures.values())).fewest_patients[label])
        for column, label in enumerate(labels)
    }  # fmt: skip
    if labels:
        cells[MEAN] = _mean_row(figures, labels, figure, replicates)
    family = (
        f"Holm over the {len(names) - 1} differences to the best model of each label; "
        f"alike means a corrected p of {LEVEL:g} or more"
    )
    return Grid(figure, names, cells, family, int(np.size(patients)), figures)


def _cell(figures: Figures, model: str, label: str, figure: str) -> GridCell:
    found = figures.labels[label]
    why = found.why.get(figure) or found.why.get(f"{figure}_ci")
    value, ci = getattr(found, figure), getattr(found, f"{figure}_ci")
    return GridCell(model, label, value, ci, found.n, found.n_positive, None, why=why)


def _mean_row(
    figures: Mapping[str, Figures], labels: list[str], figure: str, replicates: FloatArray
) -> dict[str, GridCell]:
    """Return the means over the labels on which every model has the figure, marked like the labels."""
    columns = [
        column
        for column, label in enumerate(labels)
        if all(getattr(of_model.labels[label], figure) is not None for of_model in figures.values())
    ]
    chosen = [labels[column] for column in columns]
    fewest = [next(iter(figures.values())).fewest_patients[label] for label in chosen]
    cells, means = [], []
    for of_model, (model, found) in zip(replicates, figures.items(), strict=True):
        mean = mean_figure([getattr(found.labels[label], figure) for label in chosen], of_model[:, columns], fewest)
        cells.append(_mean_cell(model, mean))
        means.append(of_model[:, columns].mean(axis=1) if columns else of_model[:, :0].sum(axis=1))
    return _marked(cells, np.array(means), min(fewest, default=0))


def _mean_cell(model: str, mean: MeanFigure) -> GridCell:
    return GridCell(model, MEAN, mean.value, mean.ci, mean.labels, 0, None, why=mean.why)


def _marked(cells: list[GridCell], replicates: FloatArray, patients: int) -> dict[str, GridCell]:
    """Mark the cells of one label; `replicates` (models, resamples) are the models' figures."""
    defined = [place for place, cell in enumerate(cells) if cell.value is not None]
    if not defined:
        return {cell.model: cell for cell in cells}
    best = max(defined, key=lambda place: cells[place].value or 0.0)
    top = cells[best].value or 0.0
    found = list(cells)
    found[best] = replace(cells[best], mark=BEST)
    tested = []
    for place in defined:
        if place == best:
            continue
        cell = replace(cells[place], difference=top - (cells[place].value or 0.0))
        if cell.ci is None or cells[best].ci is None:
            found[place] = replace(cell, why=cell.why or "the best model has no interval")
            continue
        interval, p = paired_answer(replicates[best] - replicates[place], patients)
        if p is None:
            # The same in every resample: equal ranks are alike, whatever else is undefined.
            alike = ALIKE if cell.difference == 0 else None
            found[place] = replace(cell, mark=alike, why=interval.why)
            continue
        found[place] = replace(cell, difference_ci=interval.ci, p=p)
        tested.append(place)
    p_values = [found[place].p for place in tested]
    for place, corrected in zip(tested, holm([p for p in p_values if p is not None]), strict=True):
        mark = BEHIND if corrected < LEVEL else ALIKE
        found[place] = replace(found[place], p_corrected=corrected, mark=mark)
    return {cell.model: cell for cell in found}
