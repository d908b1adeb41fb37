"""The tables of one source as they are asked: by which runner, kept under which stamp, and found by which name."""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from cxr_core.cache.answers import ANSWERS, Found, Question
from cxr_core.errors import CxrError, UnknownNameError
from cxr_core.settings import settings
from cxr_core.stamps import Stamp
from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.bigquery import bigquery_runner
from cxr_core.warehouse.local import LocalRunner
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
        main = [*tables.labels, *(place for place in wanted if not is_file(place))]
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

    def _ask(self, runner: SqlRunner, query: Query, locations: Sequence[str]) -> pa.Table:
        stamp = self._stamp(runner, locations)
        (table, answer), kept = ANSWERS.answer(self._question(query), stamp, lambda: runner.run(query, locations))
        self._answers()[query.question] = replace(answer, counted=query.counted, kept=kept)
        return table

    def _kept(self, query: Query) -> Found | None:
        return ANSWERS.peek(self._question(query), self._stamp(self._main, self.tables.labels))

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
