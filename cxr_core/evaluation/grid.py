"""Models beside labels: which one is best on each label, and which others cannot be told from it.

The marks hold over the whole grid: of grids of equally good models one in twenty has a false mark, however many models
and labels there are. `benchmarks/false_marks.py` measures it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.areas import FIGURES
from cxr_core.evaluation.grid_tests import MeanTests, RowTests, grid_family, label_tests
from cxr_core.evaluation.judged_labels import JudgedLabel, judge_labels
from cxr_core.evaluation.labels import Figures, figures_of, label_evaluation
from cxr_core.evaluation.results import ALIKE, AUTO, LEVEL, UNTESTED, Bounds, LabelEvaluation, bounds_as_json
from cxr_core.evaluation.simultaneous import NO_VARIANCE, Family
from cxr_core.progress import hand_over
from cxr_core.words import counted

#: The row of a grid that holds the means over its labels.
MEAN = "mean"
BEST, BEHIND = "best", "behind"
#: The mark of a cell that is handed over before all are there: what it is, is told of all together.
TO_COME = "to come"
#: Figures that differ by less are one figure that was rounded in two ways.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class GridCell:
    """One model on one label.

    `mark` is `best` for the largest figure of the label (all that have it), `alike` where the difference to the best
    has a corrected p of 0.05 or more (not told from it), `behind` where it is below, and `untested` where nothing can
    be said, with the reason in `why`. `difference` is the best model's figure minus this one's; `p` is for this
    difference alone, `p_corrected` and `difference_ci` are corrected over the whole grid and say the same as the mark.
    """

    model: str
    label: str
    value: float | None
    ci: Bounds | None
    n: int
    n_positive: int
    mark: str = UNTESTED
    difference: float | None = None
    difference_ci: Bounds | None = None
    p: float | None = None
    p_corrected: float | None = None
    why: str | None = None
    ci_method: str | None = None

    @property
    def among_the_best(self) -> bool:
        """Whether this is the best, or not told from it."""
        return self.mark in (BEST, ALIKE)

    def as_json(self) -> dict[str, Any]:
        """Return the figures for scripts."""
        own = {name: getattr(self, name) for name in ("n", "n_positive", "mark", "difference", "p", "p_corrected")}
        intervals = {name: bounds_as_json(getattr(self, name)) for name in ("ci", "difference_ci")}
        return {"value": self.value} | intervals | own | {"why": self.why, "ci_method": self.ci_method}


@dataclass(frozen=True)
class Grid:
    """A figure of several models on the same rows, on each label that all of them have.

    `cells[label][model]`; the last label is `mean`, over the labels on which every model has the figure. `family` says
    for which tests the marks are corrected.
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

    @property
    def untested(self) -> dict[str, str]:
        """The labels on which no two models were tested, and why not."""
        found = {}
        for label in self.labels:
            cells = self.cells[label].values()
            if len(self.models) > 1 and all(cell.mark == UNTESTED for cell in cells):
                found[label] = "; ".join(dict.fromkeys(cell.why for cell in cells if cell.why))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the figures for scripts."""
        cells = {label: {model: cell.as_json() for model, cell in row.items()} for label, row in self.cells.items()}
        return {"figure": self.figure, "family": self.family, "labels": cells}


def evaluate_grid(
    values: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    patients: Any,
    resamples: int,
    minimum: int,
    figure: str = "roc_auc",
    method: str = AUTO,
    families: int = 1,
) -> Grid:
    """Evaluate several models on the same rows, and mark on each label the best and those not told from it.

    Args:
        values: label -> label codes (n,), 0 to 3, -1 or NaN where missing.
        models: model -> label -> predictions (n,) as stored.
        patients: (n,) the patient of each row.
        resamples: number of resamples behind the intervals of single figures, where these are the bootstrap's.
        minimum: fewest patients of each class for which an interval or a p is given.
        figure: `roc_auc` or `average_precision`.
        method: of the intervals of single figures, as for `evaluate_labels`; differences are always by formula.
        families: how many such grids stand side by side; the marks hold over all of them.

    The cells of a label that needs no resamples are handed over as soon as they are there (`progress.hand_over`), as a
    list; their mark is `TO_COME`, as it comes of all labels together.

    Raises:
        UnknownNameError: there is no such figure.
        TableError: a label value is neither missing nor one of the codes 0 to 3.
    """
    if figure not in FIGURES:
        raise UnknownNameError("figure", figure, list(FIGURES))
    labels = [label for label in values if all(label in scores for scores in models.values())]
    shared = {model: {label: scores[label] for label in labels} for model, scores in models.items()}

    def found(label: str, of_models: Mapping[str, JudgedLabel]) -> None:
        each = ((model, label_evaluation(label, one, minimum)) for model, one in of_models.items())
        hand_over([_cell(evaluation, model, figure, TO_COME) for model, evaluation in each])

    judged = judge_labels(values, shared, patients, resamples, minimum, method, found)
    figures = {model: figures_of(of_model, minimum) for model, of_model in judged.items()}
    tests: dict[str, RowTests] = {}
    for label in labels:
        tests[label] = label_tests(figure, {model: judged[model][label] for model in models}, minimum)
    cells = {label: [_cell(found.labels[label], model, figure) for model, found in figures.items()] for label in labels}
    if labels:
        complete = [label for label in labels if all(cell.value is not None for cell in cells[label])]
        cells[MEAN] = [_mean_cell(found, model, complete, figure) for model, found in figures.items()]
        tests[MEAN] = MeanTests([one for label in complete if not isinstance(one := tests[label], MeanTests)], minimum)
    family = replace(grid_family(list(tests.values())), families=families)
    marked = {label: _marked(row, tests[label], family) for label, row in cells.items()}
    rows_tested = sum(not row.why and len(row.models) > 1 for label, row in tests.items() if label != MEAN)
    return Grid(figure, tuple(models), marked, _family_words(family, rows_tested), int(np.size(patients)), figures)


def _cell(found: LabelEvaluation, model: str, figure: str, mark: str = UNTESTED) -> GridCell:
    why = found.why.get(figure)
    value, ci = getattr(found, figure), getattr(found, f"{figure}_ci")
    return GridCell(model, found.label, value, ci, found.n, found.n_positive, mark, why=why, ci_method=found.ci_method)


def _mean_cell(figures: Figures, model: str, labels: list[str], figure: str) -> GridCell:
    if not labels:
        return GridCell(model, MEAN, None, None, 0, 0, why="there is no label on which every model has it")
    mean = figures.mean(figure, labels)
    return GridCell(model, MEAN, mean.value, mean.ci, mean.labels, 0, ci_method=mean.ci_method)


def _marked(cells: list[GridCell], tests: RowTests, family: Family) -> dict[str, GridCell]:
    """Return the cells of one row by model, each with its mark."""
    defined = [cell for cell in cells if cell.value is not None]
    if not defined or (tests.why and len(cells) > 1):
        return {cell.model: replace(cell, why=cell.why or tests.why) for cell in cells}
    best = max(defined, key=lambda cell: cell.value or 0.0)
    return {cell.model: _against(best, cell, tests, family) for cell in cells}


def _against(best: GridCell, cell: GridCell, tests: RowTests, family: Family) -> GridCell:
    """Return a cell with its mark against the best of its row."""
    if best.value is None or cell.value is None:
        return cell
    gap = best.value - cell.value
    if gap < _ROUNDING:
        return replace(cell, mark=BEST)
    found = tests.difference(best.model, cell.model, gap)
    if found is None:
        return replace(cell, difference=gap, why=NO_VARIANCE)
    corrected = family.corrected(found.p)
    return replace(
        cell,
        mark=BEHIND if corrected < LEVEL else ALIKE,
        difference=gap,
        difference_ci=found.interval(family.level),
        p=found.p,
        p_corrected=corrected,
    )


def _family_words(family: Family, labels: int) -> str:
    if not family.tests:
        return "Nothing is tested here"
    over, what = "the whole grid", "grids"
    if family.families > 1:
        over, what = f"{family.families} grids side by side (Bonferroni)", "tables"
    return (
        f"Marks, corrected p and intervals of differences hold over {over}: max-T over "
        f"{counted(family.tests, 'difference')} of every two models on {counted(labels, 'tested label')} and the mean. "
        f"Of {what} of equally good models, 5 % have a false mark"
    )
