"""Rows of one source's tables: labels, predictions, and both of them beside each other."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from cxr_core.schema import KEY_COLUMNS, LABELS, dataset_code
from cxr_core.stamps import one_look
from cxr_core.warehouse import frames, questions
from cxr_core.warehouse.answers import Joined
from cxr_core.warehouse.asked_tables import AskedTables
from cxr_core.warehouse.checks import labels_of
from cxr_core.warehouse.joined_rows import are_study_rows, joined_result, kept_rows, labelled
from cxr_core.warehouse.label_places import tables_called
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.null_labels import labels_with_nulls
from cxr_core.warehouse.sql_parts import bound_to
from cxr_core.warehouse.studies import join_studies


class TableRows(AskedTables):
    """The rows of tables; what it raises stands at `Warehouse`."""

    def labels(self, dataset: str | None = None, view: str | None = None, extra: Sequence[str] = ()) -> pd.DataFrame:
        """Return the label rows sorted by path: keys and 14 labels (int64, -1 where NULL), then the `extra` columns.

        A column that was imported beside the label tables stands in front of one of theirs of that name.
        """
        imported = self.group_columns() if extra else []
        beside = [name for name in extra if name in imported]
        own = [name for name in extra if name not in beside]
        rows = frames.labels_frame(self._label_rows(dataset, view, own))
        return rows.merge(self.groups(beside), how="left", on="path") if beside else rows

    def label_keys(self) -> pd.DataFrame:
        """Return the keys of all label rows (int64, `view` -1: not said), in no order."""
        if self.tables.kind == "local":  # whole columns of files are read as they are, which no database does sooner
            read = [self._local.keys(place) for place in self._label_places()]
            table = pa.concat_tables(read, promote_options="permissive")
        else:
            table = self._ask_labels(questions.label_keys)
        return pd.DataFrame(frames.key_columns(table, KEY_COLUMNS))

    def group_columns(self) -> list[str]:
        """Return the columns that were imported beside the label tables; none where there is no such table."""
        place = self.tables.groups
        if place is None or not place.is_file():
            return []
        return [name for name in self._local.describe(str(place)).columns if name != "path"]

    def groups(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return `path`, each once, and columns that were imported beside the label tables."""
        location = str(self.tables.groups)
        return self._ask_one(self._local, location, lambda table: questions.groups(table, columns)).to_pandas()

    def further_columns(self) -> list[str]:
        """Return what the label rows have beside the keys and the 14 labels, such as age, sex, or AP and PA.

        These are the columns that every label table has, then those that were imported beside them.
        """
        own = self.label_columns()
        return [*own, *(name for name in self.group_columns() if name not in own)]

    def label_columns(self) -> list[str]:
        """Return what every label table has beside the keys and the 14 labels."""
        with one_look():
            places = self._label_places() if self.tables.labels else ()
            each = [self._main.describe(location).columns for location in places]
        shared = [name for name in each[0] if all(name in columns for columns in each[1:])] if each else []
        return [name for name in shared if name.lower() not in (*KEY_COLUMNS, *LABELS)]

    def predictions(self, model: str) -> pd.DataFrame:
        """Return all of a model's predictions sorted by path: the keys, then its labels as stored (float64)."""
        return frames.predictions_frame(self._predictions(model)[1])

    def stored_predictions(self, model: str) -> tuple[str, pa.Table, str]:
        """Return where a model's predictions lie, their rows as a prediction table has them, and their scale."""
        location, rows, scale = self._predictions(model)
        return location, frames.prediction_rows(rows), scale

    def joined(self, model: str, dataset: str = "valid", view: str | None = None) -> Joined:
        """Return a model's predictions beside the labels of the same paths, of one data set on both sides.

        No view is filtered unless one is given, as in the notebook; labels that the model lacks are left out. A table
        of study rows (image 0, no path of an image) is joined by patient and study instead.
        """
        bound_to(view, dataset)  # an unknown name is told before anything is asked
        with one_look():
            location, runner = self._find(model)
            info = runner.describe(location)
            names = labels_of(info, location)
            rows = self._joined_there if runner is self._main else self._joined_here
            table = rows(location, names, dataset, view)
            found = joined_result(table, info.scale, names)
            if found.unmatched and view is None and are_study_rows(table):
                return self._joined_studies(model, found, dataset)
            return found

    def _joined_there(self, location: str, names: Sequence[str], dataset: str, view: str | None) -> pa.Table:
        """Join a prediction table with the label tables that it stands beside.

        Those that are called by another data set are left out, until an image turns out to have no label without them.
        """
        every = self._label_places()
        chosen = self._places_of(dataset, every) or tables_called(dataset, every)
        table = self._joined_with(chosen, location, names, dataset, view)
        lost = table["label_rows"].null_count and chosen != every and not are_study_rows(table)
        if lost and self._places_of(dataset, every) is None:
            table = self._joined_with(every, location, names, dataset, view)
        return table

    def _joined_with(
        self, places: Sequence[str], location: str, names: Sequence[str], dataset: str, view: str | None
    ) -> pa.Table:
        (predictions,) = self._main.named([location])
        query = questions.joined(predictions, self._labels_named(places), names, dataset, view)
        labels = (self.tables, tuple(places), self._stamp(self._main, places), dataset, view)
        table = self._ask(self._main, query, [location, *places], lambda table: kept_rows(table, labels))
        self._check_nulls(labels_with_nulls(labelled(table), {name: f"true_{name}" for name in names}))
        return table

    def _joined_here(self, location: str, names: Sequence[str], dataset: str, view: str | None) -> pa.Table:
        """Join a local prediction table with labels that are fetched from BigQuery."""
        labels = self._label_rows(dataset, view)
        (predictions,) = self._local.named([location])
        query = questions.joined(predictions, [NamedTable("labels")], names, dataset, view)
        table, answer = self._local.run(query, [location], frames={"labels": labels})
        self._note(answer)
        return table

    def _joined_studies(self, model: str, found: Joined, dataset: str) -> Joined:
        rows = self.predictions(model)
        of_studies = rows[(rows["image"] == 0) & (rows["dataset"] == dataset_code(dataset))]
        return join_studies(of_studies, self.labels(dataset), found.labels, found.scale)

    def _label_rows(self, dataset: str | None, view: str | None, extra: Sequence[str] = ()) -> pa.Table:
        with one_look():
            every = self._label_places()
            places = every if dataset is None else self._places_of(dataset, every) or every
            table = self._ask_labels(lambda tables: questions.labels(tables, dataset, view, extra), places)
        self._check_nulls(labels_with_nulls(table, {label: label for label in LABELS}))
        return table

    def _places_of(self, dataset: str, every: Sequence[str]) -> tuple[str, ...] | None:
        """Return the label tables with rows of a data set, as `counts` has shown; None where it was not asked."""
        if self.tables.kind == "local":  # reading the others costs nothing
            return tuple(every)
        found = self._kept(questions.counts(self._labels_named(every)))
        if found is None:
            return None
        holding = frames.tables_with(found.value[0], dataset)
        return tuple(every[place] for place in holding) or tuple(every)

    def _predictions(self, model: str) -> tuple[str, pa.Table, str]:
        location, runner = self._find(model)
        with one_look():
            info = runner.describe(location)
            names = labels_of(info, location)
            rows = self._ask_one(runner, location, lambda table: questions.predictions(table, names))
        return location, rows, info.scale
