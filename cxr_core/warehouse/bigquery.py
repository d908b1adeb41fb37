"""BigQuery through Google's own client; the only module that loads it, and only when it is asked something."""

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from cxr_core.errors import CxrError, TableError, UsageError, WarehouseError
from cxr_core.schema import DEFAULT_SCALE, SCALE_KEY, SCALES
from cxr_core.settings import settings
from cxr_core.warehouse.answers import Answer
from cxr_core.warehouse.engine import TableInfo
from cxr_core.warehouse.questions import Query
from cxr_core.warehouse.tables import MODEL_FIELD, check_pattern, check_project, check_table

if TYPE_CHECKING:
    from google.cloud import bigquery

#: Who asks, on the bill; BigQuery allows lower-case letters, digits, '_' and '-'.
_APP = "cxr-lab"
#: A table label cannot hold a '.'.
_SCALE_LABEL = SCALE_KEY.replace(".", "_")


class BigQueryEngine:
    """Answers questions over BigQuery tables, within a limit of billed bytes and of seconds."""

    def __init__(self, project: str | None, maximum_bytes_billed: int | None) -> None:
        self.project = None if project is None else check_project(project)
        self._maximum = maximum_bytes_billed

    @property
    def maximum_bytes_billed(self) -> int:
        """Most bytes that one query may bill."""
        return self._maximum or settings().maximum_bytes_billed

    def name(self, location: str) -> str:
        """Return a checked table name."""
        return check_table(location)

    def run(self, query: Query, locations: Sequence[str]) -> tuple[pa.Table, Answer]:
        """Answer a question.

        Raises:
            TableError: a table that does not exist.
            UsageError: no credentials.
            WarehouseError: access refused, limit exceeded, timeout, or no connection.
        """
        timeout = settings().bigquery_timeout
        start = time.perf_counter()
        with self._plain_errors():
            job = self._client().query(
                query.sql, self._config(query), timeout=timeout, retry=_retry(timeout), job_retry=None
            )
            with _cancelling(job):
                rows = job.result(timeout=timeout, retry=_retry(timeout), job_retry=None)
            table = rows.to_arrow(create_bqstorage_client=not settings().bigquery_endpoint)
        seconds = time.perf_counter() - start
        billed, cached = job.total_bytes_billed, bool(job.cache_hit)
        return table, Answer(query.question, query.sql, query.parameters, seconds, billed, cached)

    def estimate(self, query: Query) -> int | None:
        """Return the bytes that a question would read, without running it."""
        timeout = settings().bigquery_timeout
        with self._plain_errors():
            config = self._config(query, dry_run=True)
            job = self._client().query(query.sql, config, timeout=timeout, retry=_retry(timeout), job_retry=None)
        return job.total_bytes_processed

    def describe(self, location: str) -> TableInfo:
        """Return the columns and the scale of a table (its label `cxr_scale`)."""
        timeout = _look_up_timeout()
        with self._plain_errors():
            table = self._client().get_table(check_table(location), timeout=timeout, retry=_retry(timeout))
        scale = table.labels.get(_SCALE_LABEL, DEFAULT_SCALE)
        if scale not in SCALES:
            raise WarehouseError(
                f"The label {_SCALE_LABEL} of {location} must be one of {', '.join(SCALES)}. Received: {scale!r}."
            )
        return TableInfo(tuple(field.name for field in table.schema), scale, {})

    def models(self, pattern: str) -> dict[str, str]:
        """Return the models whose table matches a pattern such as `project.dataset.{model}_predictions`."""
        dataset, _, table = check_pattern(pattern).rpartition(".")
        before, after = (re.escape(part) for part in table.split(MODEL_FIELD))
        wanted = re.compile(f"{before}([A-Za-z0-9][A-Za-z0-9_-]{{0,127}}){after}")
        timeout = _look_up_timeout()
        with self._plain_errors():
            listed = list(self._client().list_tables(dataset, timeout=timeout, retry=_retry(timeout)))
        matches = (wanted.fullmatch(item.table_id) for item in listed)
        return {match.group(1): f"{dataset}.{match.group(0)}" for match in matches if match}

    def _client(self) -> "bigquery.Client":
        return _client(self.project, settings().bigquery_endpoint)

    def _config(self, query: Query, dry_run: bool = False) -> "bigquery.QueryJobConfig":
        from google.cloud import bigquery

        config = bigquery.QueryJobConfig(
            query_parameters=[
                bigquery.ScalarQueryParameter(name, "INT64", value) for name, value in query.parameters.items()
            ],
            labels={"app": _APP, "question": query.question},
            dry_run=dry_run,
            use_query_cache=not dry_run,
        )
        if not dry_run:
            # A dry run over the limit would be refused instead of saying by how much.
            config.maximum_bytes_billed = self.maximum_bytes_billed
        return config

    @contextlib.contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """Turn what Google's libraries raise into one sentence that says what to do."""
        import requests
        from google.api_core import exceptions
        from google.auth import exceptions as auth

        try:
            yield
        except (auth.DefaultCredentialsError, auth.RefreshError) as error:
            raise UsageError(
                "BigQuery needs Google credentials, and none that work were found. Run "
                "`gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS."
            ) from error
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise self._refusal(error) from error
        except (TimeoutError, requests.ReadTimeout) as error:
            raise self._too_slow() from error
        except (auth.TransportError, requests.RequestException, ConnectionError) as error:
            raise _unreachable() from error
        except OSError as error:
            raise UsageError(
                f"BigQuery needs to know which project pays: set `project` in cxr.toml. {error}"
            ) from error

    def _refusal(self, error: Exception) -> CxrError:
        """Say in words what BigQuery (or the client's own retrying) answered."""
        from google.api_core import exceptions

        text = _first_line(error)
        if _reason(error) == "bytesBilledLimitExceeded" or "bytes billed" in text:
            return WarehouseError(
                f"The query would bill more than maximum_bytes_billed = {self.maximum_bytes_billed:,} bytes. "
                f"Raise it for this source in cxr.toml. BigQuery says: {text}"
            )
        if isinstance(error, exceptions.RetryError):
            cause = error.cause
            refused = isinstance(cause, exceptions.GoogleAPICallError)
            return self._refusal(cause) if refused else _unreachable()
        if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized):
            return WarehouseError(
                "BigQuery refused access. Ask for the roles BigQuery Job User on the project that pays and BigQuery "
                f"Data Viewer on the tables. BigQuery says: {text}"
            )
        if isinstance(error, exceptions.NotFound):
            return TableError(
                f"BigQuery found no such project, data set or table. Correct cxr.toml. BigQuery says: {text}"
            )
        if isinstance(error, exceptions.GatewayTimeout | exceptions.DeadlineExceeded):
            return self._too_slow()
        return WarehouseError(f"BigQuery could not answer. Try again later, or check the tables. BigQuery says: {text}")

    def _too_slow(self) -> WarehouseError:
        seconds = settings().bigquery_timeout
        return WarehouseError(
            f"BigQuery did not answer within {seconds:g} s. Try again, or raise CXR_BIGQUERY_TIMEOUT."
        )


@lru_cache(maxsize=8)
def _client(project: str | None, endpoint: str) -> "bigquery.Client":
    """Return a client; with an endpoint, one that sends no credentials."""
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    if not endpoint:
        return bigquery.Client(project=project)
    return bigquery.Client(
        project=project or _APP, credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=endpoint)
    )


def _look_up_timeout() -> float:
    # What stands in a catalogue is answered within a second or not at all; a page waits for it.
    return min(15.0, settings().bigquery_timeout)


def _retry(timeout: float) -> object:
    """Return Google's rules for what is tried again, ended after `timeout` seconds instead of ten minutes."""
    from google.cloud.bigquery import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(timeout)


@contextlib.contextmanager
def _cancelling(job: "bigquery.QueryJob") -> Iterator[None]:
    """Cancel a query that nobody waits for any more, since it would go on and be billed."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            job.cancel(retry=None, timeout=5)
        raise


def _unreachable() -> WarehouseError:
    return WarehouseError(f"BigQuery cannot be reached at {_address()}. Check the network connection.")


def _address() -> str:
    return settings().bigquery_endpoint or "bigquery.googleapis.com"


def _reason(error: Exception) -> str:
    errors = getattr(error, "errors", None) or [{}]
    return str(errors[0].get("reason", ""))


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
