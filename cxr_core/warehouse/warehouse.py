"""Questions about one source's tables, answered by DuckDB or by BigQuery with equal frames."""

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd
import pyarrow as pa

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS, VALUES, dataset_code, view_code
from cxr_core.stamps import one_look
from cxr_core.warehouse import frames, questions
from cxr_core.warehouse.answers import Joined, PredictionTable
from cxr_core.warehouse.asked_tables import AskedTables
from cxr_core.warehouse.checks import labels_of, problems_of
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.readings import readings_frame
from cxr_core.warehouse.sql_runner import SqlRunner, TableInfo
from cxr_core.warehouse.studies import join_studies
from cxr_core.warehouse.tables import TableSet

#: What images are put together by.
GROUPS = {"studies": ("patient", "study"), "patients": ("patient",)}


class Warehouse(AskedTables):
    """Answers questions about the tables of `tables`; cheap to make, safe to share between threads.

    Every method may raise `TableError` (a table is missing, damaged or not as the schema says), `UsageError` (a name
    that does not exist, no credentials) or `WarehouseError` (network, permission, limit, timeout).
    """

    def distribution(self, view: str | None = "frontal") -> pd.DataFrame:
        """Count images per `label`, `value` and `dataset` (names, str) in `images` (int64).

        All 14 labels and 4 values, zeros included, for the data sets present, in the order of the schema; a path
        counts once. None means all views. A NULL label is counted at no value. How images were counted stands in
        `last_answer("distribution").counted`: by rows where `counts` has shown that no path stands twice.
        """
        query = self._distribution(view)
        with one_look():
            if self._kept(query) is None and self._paths_are_unique(view):
                query = questions.distribution(self._names(), view, unique=True)
            return frames.distribution_frame(self._ask_labels(query))

    def grouped_distribution(self, unit: str, view: str | None = "frontal") -> pd.DataFrame:
        """Count studies or patients as `distribution` counts images; the last column has the name of the `unit`.

        A study's (a patient's) value is the largest code among its images of the view.
        """
        if unit not in GROUPS:
            raise UnknownNameError("unit", unit, tuple(GROUPS))
        query = questions.grouped_distribution(self._names(), view, GROUPS[unit], f"distribution_of_{unit}")
        return frames.distribution_frame(self._ask_labels(query)).rename(columns={"images": unit})

    def estimate_distribution(self, view: str | None = "frontal") -> int | None:
        """Return the bytes that BigQuery would read for `distribution`, None for a local source."""
        return self._main.estimate(self._distribution(view))

    def counts(self) -> pd.DataFrame:
        """Return `dataset`, `view` (also `all`) and the number of `images`, `studies` and `patients` (int64)."""
        return frames.counts_frame(self._ask_labels(questions.counts(self._names())))

    def shared_patients(self) -> int:
        """Return how many patients stand in more than one data set, so that these are not independent."""
        return int(self._ask_labels(questions.shared_patients(self._names()))["patients"][0].as_py())

    def cooccurrence(
        self, value: str = "positive", view: str | None = "frontal", dataset: str | None = None
    ) -> pd.DataFrame:
        """Return the 14 x 14 square of image counts (int64) on which two labels both have `value`."""
        if value not in VALUES:
            raise UnknownNameError("label value", value, VALUES)
        return frames.cooccurrence_frame(self._ask_labels(questions.cooccurrence(self._names(), value, view, dataset)))

    def labels(self, dataset: str | None = None, view: str | None = None, extra: Sequence[str] = ()) -> pd.DataFrame:
        """Return the label rows sorted by path: keys and 14 labels (int64, -1 where NULL), then the `extra` columns.

        A column that was imported beside the label tables stands in front of one of theirs of that name.
        """
        imported = self.group_columns() if extra else []
        beside = [name for name in extra if name in imported]
        own = [name for name in extra if name not in beside]
        rows = frames.labels_frame(self._ask_labels(questions.labels(self._names(), dataset, view, own)))
        return rows.merge(self.groups(beside), how="left", on="path") if beside else rows

    def group_columns(self) -> list[str]:
        """Return the columns that were imported beside the label tables; none where there is no such table."""
        place = self.tables.groups
        if place is None or not place.is_file():
            return []
        return [name for name in self._local.describe(str(place)).columns if name != "path"]

    def groups(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return `path`, each once, and columns that were imported beside the label tables."""
        location = str(self.tables.groups)
        query = questions.groups(self._local.name(location), columns)
        return self._ask(self._local, query, [location]).to_pandas()

    def further_columns(self) -> list[str]:
        """Return what the label rows have beside the keys and the 14 labels, such as age, sex, or AP and PA.

        These are the columns that every label table has, then those that were imported beside them.
        """
        own = self.label_columns()
        return [*own, *(name for name in self.group_columns() if name not in own)]

    def label_columns(self) -> list[str]:
        """Return what every label table has beside the keys and the 14 labels."""
        each = [self._main.describe(location).columns for location in self.tables.labels]
        shared = [name for name in each[0] if all(name in columns for columns in each[1:])] if each else []
        return [name for name in shared if name not in (*KEY_COLUMNS, *LABELS)]

    def truth(self) -> pd.DataFrame | None:
        """Return `path` and the 14 labels as they really were (0 or 1), or None where nobody knows."""
        if self.tables.truth is None:
            return None
        location = str(self.tables.truth)
        return frames.truth_frame(self._ask(self._local, questions.truth(self._local.name(location)), [location]))

    def reading_sets(self) -> list[str]:
        """Return the names of the sets of readings, sorted."""
        return sorted(self._found(self.tables.readings))

    def readings(self, set_name: str) -> pd.DataFrame:
        """Return a set of readings sorted by path: the keys and `reader`, then the 14 labels as codes, 0 not read.

        Raises:
            UnknownNameError: there is no such set.
            TableError: it lacks a column, or a reader stands twice on a row.
        """
        location, runner = self._one_of(self._found(self.tables.readings), "set of readings", set_name)
        names = labels_of(runner.describe(location), location)
        table = self._ask(runner, questions.readings(runner.name(location), names), [location])
        return readings_frame(table, location)

    def prediction_tables(self) -> list[str]:
        """Return the names of the models that have a prediction table, sorted."""
        return sorted(self._locations())

    def prediction_info(self, model: str) -> tuple[str, TableInfo]:
        """Return where a model's predictions lie and what that table says of itself; asks nothing that is billed."""
        location, runner = self._find(model)
        return location, runner.describe(location)

    def prediction_table(self, model: str) -> PredictionTable:
        """Return what the prediction table of a model holds; `UnknownNameError` when it has none."""
        location, runner = self._find(model)
        info = runner.describe(location)
        query = questions.prediction_counts(runner.name(location))
        table = self._ask(runner, query, [location])
        return PredictionTable(
            model=model,
            scale=info.scale,
            labels=labels_of(info, location),
            images=sum(table["images"].to_pylist()),
            datasets=frames.present_datasets(table),
            location=location,
            metadata=info.metadata,
        )

    def predictions(self, model: str) -> pd.DataFrame:
        """Return all of a model's predictions sorted by path: the keys, then its labels as stored (float64)."""
        location, runner = self._find(model)
        names = labels_of(runner.describe(location), location)
        table = self._ask(runner, questions.predictions(runner.name(location), names), [location])
        return frames.predictions_frame(table)

    def stored_predictions(self, model: str) -> tuple[str, pa.Table, str]:
        """Return where a model's predictions lie, their rows as a prediction table has them, and their scale."""
        location, runner = self._find(model)
        info = runner.describe(location)
        query = questions.predictions(runner.name(location), labels_of(info, location))
        return location, frames.prediction_rows(self._ask(runner, query, [location])), info.scale

    def joined(self, model: str, dataset: str = "valid", view: str | None = None) -> Joined:
        """Return a model's predictions beside the labels of the same paths, of one data set on both sides.

        No view is filtered unless one is given, as in the notebook; labels that the model lacks are left out. A table
        of study rows (image 0, no path of an image) is joined by patient and study instead.
        """
        dataset_code(dataset)
        if view is not None:
            view_code(view)
        location, runner = self._find(model)
        info = runner.describe(location)
        names = labels_of(info, location)
        if runner is self._main:
            query = questions.joined(runner.name(location), self._names(), names, dataset, view)
            table = self._ask(runner, query, [location, *self.tables.labels])
        else:
            table = self._joined_here(location, names, dataset, view)
        found = frames.joined_result(table, info.scale, names)
        if found.unmatched and view is None and self._study_rows(location, runner, dataset) == found.n_predictions:
            return self._joined_studies(model, found, dataset)
        return found

    def _study_rows(self, location: str, runner: SqlRunner, dataset: str) -> int:
        table = self._ask(runner, questions.study_rows(runner.name(location), dataset), [location])
        return int(table["studies"][0].as_py() or 0)

    def _joined_studies(self, model: str, found: Joined, dataset: str) -> Joined:
        rows = self.predictions(model)
        of_studies = rows[(rows["image"] == 0) & (rows["dataset"] == dataset_code(dataset))]
        return join_studies(of_studies, self.labels(dataset), found.labels, found.scale)

    def check(self) -> list[str]:
        """Return what is wrong with the tables, one sentence each; empty when all can be answered."""
        return problems_of(self._main, self.tables.labels, self._runner, self._locations, self.estimate_distribution)

    def _joined_here(self, location: str, names: Sequence[str], dataset: str, view: str | None) -> pa.Table:
        """Join a local prediction table with labels that are fetched from BigQuery."""
        labels = self._ask_labels(questions.labels(self._names(), dataset, view))
        query = questions.joined(self._local.name(location), ["labels"], names, dataset, view)
        table, answer = self._local.run(query, [location], frames={"labels": labels})
        self._answers()[query.question] = answer
        return table

    def _distribution(self, view: str | None) -> Query:
        return questions.distribution(self._names(), view)

    def _names(self) -> list[str]:
        if not self.tables.labels:
            raise UsageError("The source has no label table. Import labels, or name its tables in cxr.toml.")
        return [self._main.name(location) for location in self.tables.labels]

    def _ask_labels(self, query: Query) -> pa.Table:
        return self._ask(self._main, query, self.tables.labels)

    def _paths_are_unique(self, view: str | None) -> bool:
        """Say whether `counts` was asked and has shown that no path of a view (None: at all) stands twice."""
        found = self._kept(questions.counts(self._names()))
        return found is not None and frames.paths_are_unique(found.value[0], view)


@lru_cache(maxsize=64)
def open_warehouse(tables: TableSet) -> Warehouse:
    """Return the warehouse of a set of tables; nothing is read or connected before the first question."""
    return Warehouse(tables)
