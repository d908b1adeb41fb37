"""BigQuery through Google's own client, which is loaded only when BigQuery is asked something."""

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cxr_core.billed import billed_to_caller
from cxr_core.errors import TableError, UsageError
from cxr_core.settings import settings
from cxr_core.stamps import looked
from cxr_core.warehouse.answers import AskedQuery
from cxr_core.warehouse.approvals import check_cost
from cxr_core.warehouse.google_client import APP, Account, client_of, forget_clients
from cxr_core.warehouse.google_errors import plain_errors
from cxr_core.warehouse.google_schema import named_table, table_info
from cxr_core.warehouse.google_tables import described_table, found_tables, look_up, retry_within, table_states
from cxr_core.warehouse.named_table import NamedTable
from cxr_core.warehouse.noted import tell_estimate
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.sql_runner import TableInfo, TableState
from cxr_core.warehouse.tables import (
    MODEL_FIELD,
    WILDCARD,
    TableSet,
    check_pattern,
    check_project,
    check_region,
    check_table,
    check_tables,
    tables_like,
)

if TYPE_CHECKING:
    from google.cloud import bigquery

#: Accounts to which the Storage API was refused; they are not asked to wait for the same refusal again.
_without_storage: set[Account] = set()


class BigQueryRunner:
    """Answers questions over BigQuery tables, within a limit of billed bytes and of seconds."""

    def __init__(
        self,
        project: str | None,
        maximum_bytes_billed: int | None,
        key_file: str | None = None,
        location: str | None = None,
    ) -> None:
        self.account = Account(
            None if project is None else check_project(project),
            key_file,
            None if location is None else check_region(location),
        )
        self._maximum = maximum_bytes_billed

    @property
    def maximum_bytes_billed(self) -> int:
        """Most bytes that one query may bill."""
        return self._maximum or settings().maximum_bytes_billed

    def places(self, location: str) -> list[str]:
        """Return the tables that there are of a name with `*`, sorted.

        Raises:
            TableError: there is none; besides as `models`.
        """
        if WILDCARD not in location:
            return [check_table(location)]
        dataset, _, pattern = check_tables(location).rpartition(".")
        found = [f"{dataset}.{name}" for name in tables_like(pattern, self._names(dataset))]
        if not found:
            raise TableError(f"BigQuery has no table of the name {location}. Correct its name in cxr.toml.")
        return found

    def named(self, locations: Sequence[str]) -> list[NamedTable]:
        """Return tables as they stand in the SQL, by their checked names and what the catalogue knows of them."""
        names = [check_table(location) for location in locations]
        return [named_table(name, table) for name, table in zip(names, found_tables(self.account, names), strict=True)]

    def states(self, locations: Sequence[str]) -> tuple[TableState, ...]:
        """Return how each table stands by the catalogue, which is asked once a look and free of charge."""
        return table_states(self.account, locations)

    def run(self, query: Query, locations: Sequence[str]) -> tuple[pa.Table, AskedQuery]:
        """Answer a question: a dry run, which costs nothing and finds what is wrong, and then the query.

        Raises:
            TableError: a table that does not exist.
            UsageError: no credentials, or expired ones; or whoever asks was billed enough today.
            AccessError: a table that may not be read.
            CostlyError: it would read much, and nobody said yes.
            WarehouseError: access refused, limit exceeded, timeout, or no connection.
        """
        start = time.perf_counter()
        left = _Seconds(settings().bigquery_timeout)
        with self.plain_errors():
            estimated = self._insert(query, left, dry_run=True).total_bytes_processed
            check_cost((self.account, settings().bigquery_endpoint), query, estimated)
            tell_estimate(query.question, estimated or 0)
            with billed_to_caller(estimated or 0) as was_billed:
                job = self._insert(query, left)
                with _cancelling(job):
                    table = self._rows(job, left)
                was_billed(job.total_bytes_billed or 0)
        return table, AskedQuery(
            question=query.question,
            sql=query.sql,
            parameters=query.parameters,
            seconds=time.perf_counter() - start,
            bytes_estimated=estimated,
            bytes_billed=job.total_bytes_billed,
            cached=bool(job.cache_hit),
        )

    def estimate(self, query: Query) -> int | None:
        """Return the bytes that a question would read, without running it."""
        with self.plain_errors():
            job = self._insert(query, _Seconds(settings().bigquery_timeout), dry_run=True)
        return job.total_bytes_processed

    def describe(self, location: str) -> TableInfo:
        """Return the columns and the scale of a table (its label `cxr_scale`)."""
        with self.plain_errors():
            table = described_table(self.account, check_table(location))
        return table_info(table, location)

    def models(self, pattern: str) -> dict[str, str]:
        """Return the models whose table matches a pattern such as `project.dataset.{model}_predictions`."""
        dataset, _, table = check_pattern(pattern).rpartition(".")
        before, after = (re.escape(part) for part in table.split(MODEL_FIELD))
        wanted = re.compile(f"{before}([A-Za-z0-9][A-Za-z0-9_-]{{0,127}}){after}")
        matches = (wanted.fullmatch(name) for name in self._names(dataset))
        return {match.group(1): f"{dataset}.{match.group(0)}" for match in matches if match}

    def _names(self, dataset: str) -> list[str]:
        return looked((self.account, settings().bigquery_endpoint, dataset), lambda: self._listed(dataset))

    def _listed(self, dataset: str) -> list[str]:
        with self.plain_errors():
            return [table.table_id for table in client_of(self.account).list_tables(dataset, **look_up())]

    @contextlib.contextmanager
    def plain_errors(self) -> Iterator[None]:
        """Turn what Google's libraries raise into one sentence that says what to do."""
        try:
            with plain_errors(self.maximum_bytes_billed, self.account.key_file):
                yield
        except UsageError:
            # Whoever signs in anew is known without a restart.
            forget_clients()
            raise

    def _insert(self, query: Query, left: "_Seconds", dry_run: bool = False) -> "bigquery.QueryJob":
        # One job a question: `job_retry` would start, and bill, another one.
        config = self._config(query, dry_run, left)
        return client_of(self.account).query(
            query.sql, config, timeout=left.now(), retry=retry_within(left.now()), job_retry=None
        )

    def _config(self, query: Query, dry_run: bool, left: "_Seconds") -> "bigquery.QueryJobConfig":
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(
            query_parameters=[
                bigquery.ScalarQueryParameter(name, "INT64", value) for name, value in query.parameters.items()
            ],
            labels={"app": APP, "question": query.question},
            dry_run=dry_run,
            use_query_cache=not dry_run,
        )
        if not dry_run:
            # A dry run over the limit would be refused instead of saying by how much.
            config.maximum_bytes_billed = self.maximum_bytes_billed
            config.job_timeout_ms = int(1000 * left.now()) + 1
        return config

    def _rows(self, job: "bigquery.QueryJob", left: "_Seconds") -> pa.Table:
        """Wait for a job and return its rows, through the Storage API where that is installed and allowed."""
        from google.api_core import exceptions

        if _storage_is_there() and self.account not in _without_storage:
            try:
                return self._result(job, left).to_arrow(create_bqstorage_client=True, timeout=left.now())
            except (exceptions.Forbidden, exceptions.MethodNotImplemented):
                if job.error_result:
                    raise
                _without_storage.add(self.account)
        # The rows of a job that is done are read again without a second query.
        return self._result(job, left).to_arrow(create_bqstorage_client=False)

    def _result(self, job: "bigquery.QueryJob", left: "_Seconds") -> Any:
        return job.result(timeout=left.now(), retry=retry_within(left.now()), job_retry=None)


def bigquery_runner(tables: TableSet) -> BigQueryRunner:
    """Return the runner that asks BigQuery as a source's settings say."""
    return BigQueryRunner(tables.project, tables.maximum_bytes_billed, tables.credentials, tables.location)


class _Seconds:
    """What is left of the seconds that one question may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def now(self) -> float:
        """Return the seconds that are left; never 0, which would mean no limit."""
        return max(0.05, self._end - time.monotonic())


def _storage_is_there() -> bool:
    """Say whether rows can come through the Storage API; an endpoint that stands for BigQuery has none."""
    from importlib.util import find_spec

    return not settings().bigquery_endpoint and find_spec("google.cloud.bigquery_storage") is not None


@contextlib.contextmanager
def _cancelling(job: "bigquery.QueryJob") -> Iterator[None]:
    """Cancel a query that nobody waits for any more, since it would go on and be billed."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            job.cancel(retry=None, timeout=5)
        raise
