"""Writing a prediction table into BigQuery: one load job, so that the table is there as a whole or not at all."""

import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from cxr_core.errors import ExistsError
from cxr_core.settings import settings
from cxr_core.warehouse.bigquery import BigQueryRunner
from cxr_core.warehouse.google_client import APP, client_of
from cxr_core.warehouse.google_schema import SCALE_LABEL
from cxr_core.warehouse.google_tables import retry_within
from cxr_core.warehouse.tables import check_table

if TYPE_CHECKING:
    from google.cloud import bigquery

#: How often a part of the file is sent again, at growing distances; six times, as by default, takes minutes.
_UPLOAD_RETRIES = 2
_TYPES = {"string": "STRING", "int64": "INT64", "double": "FLOAT64"}


def write_predictions(runner: BigQueryRunner, location: str, rows: pa.Table, scale: str, replace: bool) -> None:
    """Write rows to the BigQuery table `location`, which is labelled with their scale.

    Args:
        runner: whose account writes and pays.
        location: a `project.dataset.table`; the data set has to exist.
        rows: string, int64 and float64 columns.
        scale: `logit`, `probability` or `score`.
        replace: whether a table that exists is overwritten.

    Raises:
        ExistsError: the table exists and is not to be replaced.
        UsageError: the name is no table's, or there are no credentials.
        AccessError, TableError, WarehouseError: no permission, no such data set, no connection.
    """
    from google.api_core import exceptions

    check_table(location)
    seconds = settings().bigquery_timeout
    with runner.plain_errors():
        client = client_of(runner.account)
        there = _existing(client, location, seconds)
        if there is not None and not replace:
            raise _exists(location)
        file = io.BytesIO()
        pq.write_table(rows, file)
        config = _config(rows, None if there is not None else scale)
        try:
            job = client.load_table_from_file(
                file,
                location,
                rewind=True,
                size=file.tell(),
                job_config=config,
                timeout=seconds,
                num_retries=_UPLOAD_RETRIES,
            )
            job.result(timeout=seconds, retry=retry_within(seconds))
        except exceptions.Conflict as error:  # somebody else was faster
            raise _exists(location) from error
        if there is not None and there.labels.get(SCALE_LABEL) != scale:
            loaded = client.get_table(location, timeout=seconds, retry=retry_within(seconds))
            loaded.labels = {**loaded.labels, SCALE_LABEL: scale}
            client.update_table(loaded, ["labels"], timeout=seconds, retry=retry_within(seconds))


def _existing(client: "bigquery.Client", location: str, seconds: float) -> "bigquery.Table | None":
    from google.api_core import exceptions

    try:
        return client.get_table(location, timeout=seconds, retry=retry_within(seconds))
    except exceptions.NotFound as error:
        if "Table" in str(error):
            return None
        raise


def _config(rows: pa.Table, scale: str | None) -> "bigquery.LoadJobConfig":
    """Describe the load: of a new table with its scale, or (None) in place of one whose labels stay."""
    from google.cloud import bigquery

    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        schema=[bigquery.SchemaField(column.name, _TYPES[str(column.type)]) for column in rows.schema],
        write_disposition="WRITE_TRUNCATE" if scale is None else "WRITE_EMPTY",
        labels={"app": APP, "question": "export"},
    )
    if scale is not None:
        # In the same job, so that there is no moment in which the table says nothing of its scale.
        config._properties["load"]["destinationTableProperties"] = {"labels": {SCALE_LABEL: scale}}
    return config


def _exists(location: str) -> ExistsError:
    return ExistsError(f"The table {location} exists already. Choose another name, or add --replace to overwrite it.")
