"""Questions about one source's tables, answered by DuckDB or by BigQuery with equal frames."""

from functools import lru_cache

import pandas as pd
import pyarrow as pa

from cxr_core.errors import UnknownNameError
from cxr_core.schema import DATASETS, LABELS, SET_ASIDE_COLUMN, VALUES
from cxr_core.stamps import one_look
from cxr_core.warehouse import frames, questions
from cxr_core.warehouse.answers import PredictionTable
from cxr_core.warehouse.checks import labels_of, problems_of
from cxr_core.warehouse.null_labels import counted_nulls
from cxr_core.warehouse.questions import NULLS, Query
from cxr_core.warehouse.readings import readings_frame
from cxr_core.warehouse.sql_runner import TableInfo
from cxr_core.warehouse.table_sums import TableSums
from cxr_core.warehouse.tables import TableSet

#: What images are put together by.
GROUPS = {"studies": ("patient", "study"), "patients": ("patient",)}


class Warehouse(TableSums):
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
        with one_look():
            places = self._label_places()
            query = self._distribution(view)
            if self._kept(query) is None and self._paths_are_unique(view):
                query = self._distribution(view, unique=True)
            return self._distribution_frame(self._ask(self._main, query, places))

    def grouped_distribution(self, unit: str, view: str | None = "frontal") -> pd.DataFrame:
        """Count studies or patients as `distribution` counts images; the last column has the name of the `unit`.

        A study's (a patient's) value is the largest code among its images of the view.
        """
        if unit not in GROUPS:
            raise UnknownNameError("unit", unit, tuple(GROUPS))
        question = f"distribution_of_{unit}"
        found = self._ask_labels(lambda tables: questions.grouped_distribution(tables, view, GROUPS[unit], question))
        return self._distribution_frame(found).rename(columns={"images": unit})

    def estimate_distribution(self, view: str | None = "frontal") -> int | None:
        """Return the bytes that BigQuery would read for `distribution`, None for a local source."""
        with one_look():
            return self._main.estimate(self._distribution(view))

    def counts(self) -> pd.DataFrame:
        """Return `dataset`, `view` (also `all`) and the number of `images`, `studies` and `patients` (int64)."""
        return frames.counts_frame(self._ask_labels(questions.counts))

    def shared_patients(self) -> int:
        """Return how many patients stand in more than one data set, so that these are not independent."""
        return int(self._ask_labels(questions.shared_patients)["patients"][0].as_py())

    def cooccurrence(
        self, value: str = "positive", view: str | None = "frontal", dataset: str | None = None
    ) -> pd.DataFrame:
        """Return the 14 x 14 square of image counts (int64) on which two labels both have `value`."""
        if value not in VALUES:
            raise UnknownNameError("label value", value, VALUES)
        found = self._ask_labels(lambda tables: questions.cooccurrence(tables, value, view, dataset))
        return frames.cooccurrence_frame(found)

    def truth(self) -> pd.DataFrame | None:
        """Return `path` and the 14 labels as they really were (0 or 1), or None where nobody knows."""
        if self.tables.truth is None:
            return None
        location = str(self.tables.truth)
        return frames.truth_frame(self._ask_one(self._local, location, questions.truth))

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
        with one_look():
            info = runner.describe(location)
            names, has_set_aside = labels_of(info, location), SET_ASIDE_COLUMN in info.columns
            rows = self._ask_one(runner, location, lambda table: questions.readings(table, names, has_set_aside))
        return readings_frame(rows, location)

    def prediction_tables(self) -> list[str]:
        """Return the names of the models that have a prediction table, sorted."""
        return sorted(self._locations())

    def prediction_info(self, model: str) -> tuple[str, TableInfo]:
        """Return where a model's predictions lie and what that table says of itself; asks nothing that is billed."""
        location, runner = self._find(model)
        return location, runner.describe(location)

    def prediction_table(self, model: str, by_rows: bool = False) -> PredictionTable:
        """Return what the prediction table of a model holds; `UnknownNameError` when it has none.

        `by_rows` counts rows in place of images, which is as many where no path stands twice, and reads no path.
        """
        with one_look():
            location, runner = self._find(model)
            info = runner.describe(location)
            make = questions.prediction_rows if by_rows else questions.prediction_counts
            table = self._ask_one(runner, location, make)
        images, datasets = sum(table["images"].to_pylist()), frames.present_datasets(table)
        return self._prediction_table(model, location, info, images, datasets)

    def listed_table(self, model: str) -> PredictionTable:
        """Return what can be told of a model's prediction table for nothing, rows in place of images.

        Of a table of BigQuery the catalogue tells the rows, and not of which data sets they are: it may be any.
        """
        location, runner = self._find(model)
        if runner is self._local:
            return self.prediction_table(model, by_rows=True)
        info = runner.describe(location)
        return self._prediction_table(model, location, info, info.rows or 0, DATASETS)

    def _prediction_table(
        self, model: str, location: str, info: TableInfo, images: int, datasets: tuple[str, ...]
    ) -> PredictionTable:
        labels = labels_of(info, location)
        return PredictionTable(model, info.scale, labels, images, datasets, location, info.metadata)

    def check(self) -> list[str]:
        """Return what is wrong with the tables, one sentence each; empty when all can be answered."""
        places = lambda: self._label_places() if self.tables.labels else ()  # noqa: E731
        with one_look():
            return problems_of(self._main, places, self._runner, self._locations, self.estimate_distribution)

    def _distribution(self, view: str | None, unique: bool = False) -> Query:
        return questions.distribution(self._labels_named(self._label_places()), view, unique)

    def _distribution_frame(self, table: pa.Table) -> pd.DataFrame:
        self._check_nulls(counted_nulls(table, LABELS, NULLS))
        return frames.distribution_frame(table)

    def _paths_are_unique(self, view: str | None) -> bool:
        """Say whether `counts` was asked and has shown that no path of a view (None: at all) stands twice."""
        found = self._kept(questions.counts(self._labels_named(self._label_places())))
        return found is not None and frames.paths_are_unique(found.value[0], view)


@lru_cache(maxsize=64)
def open_warehouse(tables: TableSet) -> Warehouse:
    """Return the warehouse of a set of tables; nothing is read or connected before the first question."""
    return Warehouse(tables)
