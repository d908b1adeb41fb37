"""A BigQuery over HTTP on loopback, for Google's own client to talk to; see `server.BigQueryServer`."""

from bigquery_server.faults import Fault
from bigquery_server.refusals import RefusedError
from bigquery_server.server import BigQueryServer
from bigquery_server.storing import MINIMUM_BILLED, Table

__all__ = ["MINIMUM_BILLED", "BigQueryServer", "Fault", "RefusedError", "Table"]
