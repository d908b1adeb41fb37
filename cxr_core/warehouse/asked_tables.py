"""The tables of one source as they are asked: by which runner, kept under which stamp, and found by which name."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from cxr_core.cache.answers import ANSWERS, Found, Question
from cxr_core.errors import CxrError, UnknownNameError, UsageError
from cxr_core.schema import Value
from cxr_core.settings import settings
from cxr_core.stamps import Stamp, one_look
from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.bigquery import bigquery_runner
from cxr_core.warehouse.local import LocalRunner
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.noted import note
from cxr_core.warehouse.null_labels import NOT_MENTIONED, null_question
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.sql_runner import SqlRunner, TableState
from cxr_core.warehouse.tables import MODEL_FIELD, TableSet, is_file


class AskedTables:
    """What `Warehouse` puts its questions to."""

    def __init__(self, tables: TableSet) -> None:
        self.tables = tables
        self._local = LocalRunner(tables.allowed)
        self._main: SqlRunner = bigquery_runner(tables) if tables.kind == "bigquery" else self._local
        self._last = threading.local()

    def states(self, models: Sequence[str] | None = ()) -> tuple[TableState, ...]:
        """Return how label tables, truth, readings, groups and the prediction tables of some models (None: all) stand.

        Of a model every table is among them that might be its own, since one that is not there yet may come.
        """
        tables = self.tables
        names = self._locations() if models is None else models
        wanted = [pattern.replace(MODEL_FIELD, model) for model in names for pattern in tables.predictions]
        wanted += [] if tables.truth is None else [str(tables.truth)]
        wanted += [] if tables.groups is None else [str(tables.groups)]
        with contextlib.suppress(CxrError):  # whoever asks for readings hears why
            wanted += self._found(tables.readings).values()
        main = [*self._label_places(), *(place for place in wanted if not is_file(place))]
        return (*self._main.states(main), *self._local.states([*filter(is_file, wanted)]))

    def refresh(self) -> None:
        """Forget what was answered, so that each question is asked anew."""
        ANSWERS.forget(self.tables)

    @property
    def refreshes(self) -> int:
        """How often answers were forgotten; who keeps what is made of them has to make it anew when this grows."""
        return ANSWERS.refreshes(self.tables)

    def last_answer(self, question: str) -> AskedQuery | None:
        """Return how this thread's last question of that name was answered (SQL, seconds, bytes)."""
        return self._answers().get(question)

    def _label_places(self) -> tuple[str, ...]:
        """Return the label tables that there are."""
        if not self.tables.labels:
            raise UsageError("The source has no label table. Import labels, or name its tables in cxr.toml.")
        return tuple(dict.fromkeys(place for name in self.tables.labels for place in self._main.places(name)))

    def _labels_named(self, places: Sequence[str]) -> list[NamedTable]:
        null_label = Value.not_mentioned.value if self.tables.null_is == NOT_MENTIONED else None
        return [replace(table, null_label=null_label) for table in self._main.named(places)]

    def _ask_labels(self, make: Callable[[list[NamedTable]], Query], places: Sequence[str] | None = None) -> pa.Table:
        """Ask the label tables (None: all of them) what `make` makes a question of."""
        with one_look():
            asked = self._label_places() if places is None else places
            return self._ask(self._main, make(self._labels_named(asked)), asked)

    def _ask_one(self, runner: SqlRunner, location: str, make: Callable[[NamedTable], Query]) -> pa.Table:
        """Ask one table what `make` makes a question of."""
        with one_look():
            (table,) = runner.named([location])
            return self._ask(runner, make(table), [location])

    def _ask(
        self,
        runner: SqlRunner,
        query: Query,
        locations: Sequence[str],
        arranged: Callable[[pa.Table], pa.Table] = lambda table: table,
    ) -> pa.Table:
        """Return the answer to a question, which is kept as it was `arranged`."""
        stamp = self._stamp(runner, locations)

        def ask() -> tuple[pa.Table, AskedQuery]:
            table, answer = runner.run(query, locations)
            return arranged(table), answer

        (table, answer), kept = ANSWERS.answer(self._question(query), stamp, ask)
        self._note(replace(answer, counted=query.counted, kept=kept))
        return table

    def _note(self, answer: AskedQuery) -> None:
        self._answers()[answer.question] = answer
        note([answer])

    def _check_nulls(self, labels: Sequence[str]) -> None:
        """Raise the question what NULL is where labels of BigQuery have it and nobody has answered yet."""
        if labels and self.tables.kind == "bigquery" and self.tables.null_is is None:
            raise null_question(self.tables.source, labels)

    def _kept(self, query: Query) -> Found | None:
        return ANSWERS.peek(self._question(query), self._stamp(self._main, self._label_places()))

    def _question(self, query: Query) -> Question:
        return Question(self.tables, (settings().bigquery_endpoint, query.sql, tuple(query.parameters.items())))

    def _stamp(self, runner: SqlRunner, locations: Sequence[str]) -> tuple[Stamp, ...]:
        return tuple(state.stamp for state in runner.states(locations))

    def _answers(self) -> dict[str, AskedQuery]:
        # A thread of its own for each session of the dashboard: nobody sees another's SQL beside his figures.
        if not hasattr(self._last, "answers"):
            self._last.answers = {}
        return self._last.answers

    def _runner(self, location: str) -> SqlRunner:
        return self._local if is_file(location) else self._main

    def _locations(self) -> dict[str, str]:
        """Return each model's table; the first pattern that has one wins."""
        return self._found(self.tables.predictions)

    def _found(self, patterns: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for pattern in patterns:
            for model, location in self._runner(pattern).models(pattern).items():
                found.setdefault(model, location)
        return found

    def _find(self, model: str) -> tuple[str, SqlRunner]:
        return self._one_of(self._locations(), "model", model)

    def _one_of(self, locations: dict[str, str], what: str, name: str) -> tuple[str, SqlRunner]:
        if name not in locations:
            raise UnknownNameError(what, name, sorted(locations))
        return locations[name], self._runner(locations[name])
