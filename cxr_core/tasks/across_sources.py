"""Models on several sources and by several judges, in one table: does the best here stay the best elsewhere?

Each column, a source and a judge, is a grid of its own, in which models are paired on the same images; the marks of all
columns together are one family.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.evaluation.grid import MEAN, GridCell
from cxr_core.schema import REPORT, dataset_code
from cxr_core.sources.registry import get_source
from cxr_core.tasks.grid import ModelGrid, model_grid
from cxr_core.tasks.judging import judges


@dataclass(frozen=True)
class SourceColumn:
    """The models on one source by one judge; `why` says of each model what is missing."""

    source: str
    judge: str
    grid: ModelGrid | None
    why: dict[str, str] = field(default_factory=dict)

    def cells(self, label: str = MEAN) -> dict[str, GridCell]:
        """Return the cell of each model that has the label here; `mean` is over the labels that all of them have."""
        grids = self.grid.grids.values() if self.grid else ()
        return {model: cell for grid in grids for model, cell in grid.cells.get(label, {}).items()}

    @property
    def alone(self) -> frozenset[str]:
        """The models that no other one predicts the same images beside, so that nothing can be told of them."""
        grids = self.grid.grids.values() if self.grid else ()
        return frozenset(grid.models[0] for grid in grids if len(grid.models) == 1)

    def as_json(self) -> dict[str, Any]:
        """Return the column for scripts."""
        grids = self.grid.grids.values() if self.grid else ()
        return {
            "source": self.source,
            "judge": self.judge,
            "family": [grid.family for grid in grids],
            "labels": {
                label: {model: cell.as_json() for model, cell in self.cells(label).items()}
                for label in dict.fromkeys(label for grid in grids for label in grid.cells)
            },
            "alone": sorted(self.alone),
            "left_out": self.grid.left_out if self.grid else {},
            "why": self.why,
        }


@dataclass(frozen=True)
class AcrossSources:
    """A figure of models, one row each, in columns of sources and judges."""

    models: tuple[str, ...]
    dataset: str
    view: str | None
    figure: str
    columns: tuple[SourceColumn, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that any column has, the mean first."""
        found = dict.fromkeys(label for column in self.columns for label in column.as_json()["labels"])
        return tuple(dict.fromkeys((MEAN, *found)))

    def as_json(self) -> dict[str, Any]:
        """Return what `compare --json` prints of several sources or judges."""
        own = {name: getattr(self, name) for name in ("dataset", "view", "figure")}
        return {"models": list(self.models)} | own | {"columns": [column.as_json() for column in self.columns]}


def across_sources(
    source_name: str,
    models: Sequence[str],
    judged_by: Sequence[str] = (REPORT,),
    dataset: str = "valid",
    view: str | None = None,
    figure: str = "roc_auc",
    also_in: Sequence[str] = (),
) -> AcrossSources:
    """Evaluate models on each source by each judge that it has, and mark in each column the best.

    A source without a judge has no column for it; a model without predictions there has no cell, with the reason.

    Args:
        source_name: the first source.
        models: models that one of them or more have predictions of.
        judged_by: who judges, each once: `report`, `truth` or sets of readings.
        dataset: train, valid or test, of all sources.
        view: only images of this view.
        figure: `roc_auc` or `average_precision`.
        also_in: further sources, each once.

    Raises:
        UnknownNameError: there is no such source, data set, view or figure; or none of the sources has the judge, or
            predictions of the model.
        UsageError: a source or a judge is named twice.
        TableError: a table is damaged, or a path occurs more than once.
        WarehouseError: the warehouse could not answer.
    """
    sources = [source_name, *also_in]
    for what, names in (("source", sources), ("judge", judged_by), ("model", models)):
        if not names or len(set(names)) < len(names):
            raise UsageError(f"Name each {what} once, one or more. Received: {', '.join(names) or 'none'}.")
    dataset_code(dataset)
    having = {name: judges(get_source(name)) for name in sources}
    for judge in judged_by:
        if not any(judge in known for known in having.values()):
            raise UnknownNameError("judge", judge, sorted({one for known in having.values() for one in known}))
    missing = {name: _missing(name, models, dataset) for name in sources}
    for model in models:
        if all(model in of_source for of_source in missing.values()):
            raise UnknownNameError(f"model with predictions of {dataset}", model, _predicted(sources))
    places = [(name, judge) for name in sources for judge in judged_by if judge in having[name]]
    columns = []
    for name, judge in places:
        present = [model for model in models if model not in missing[name]]
        columns.append(_column(name, judge, present, missing[name], (dataset, view, figure), len(places)))
    return AcrossSources(tuple(models), dataset, view, figure, tuple(columns))


def _column(
    source: str, judge: str, models: list[str], missing: dict[str, str], what: tuple[str, str | None, str], columns: int
) -> SourceColumn:
    if not models:
        return SourceColumn(source, judge, None, missing)
    dataset, view, figure = what
    try:
        return SourceColumn(source, judge, model_grid(source, models, dataset, view, figure, judge, columns), missing)
    except UsageError as error:  # the models share no labelled image here
        return SourceColumn(source, judge, None, missing | dict.fromkeys(models, str(error)))


def _missing(source: str, models: Sequence[str], dataset: str) -> dict[str, str]:
    """Return why models have no figure on a source: no predictions there, or none of the data set."""
    warehouse = get_source(source).warehouse()
    known = set(warehouse.prediction_tables())
    found = {model: f"{source} has no predictions of it" for model in models if model not in known}
    for model in models:
        if model in known and dataset not in warehouse.prediction_table(model).datasets:
            found[model] = f"its predictions on {source} have no {dataset} images"
    return found


def _predicted(sources: Sequence[str]) -> list[str]:
    return sorted({model for name in sources for model in get_source(name).warehouse().prediction_tables()})
