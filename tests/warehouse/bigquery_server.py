"""A small BigQuery over HTTP, for Google's own client to talk to: jobs, results in pages, tables, dry runs, errors.

The SQL runs in DuckDB, translated by sqlglot; what BigQuery alone would refuse is not noticed. Bytes are those of the
columns' tables, billed as BigQuery bills them: at least 10 MiB.
"""

import json
import math
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import pandas as pd
import pyarrow as pa
import sqlglot
from sqlglot import exp

PREFIX = "/bigquery/v2/projects/"
MINIMUM_BILLED = 10 * 1024 * 1024
PAGE_ROWS = 500
PAGE_TABLES = 3


class RefusedError(Exception):
    """An error as BigQuery words it: an HTTP status, a reason and a message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"reason": reason, "message": message, "domain": "global"}

    def body(self) -> dict[str, Any]:
        return {"error": {"code": self.status, "message": str(self), "errors": [self.error]}}


@dataclass
class Table:
    """A stored table with its labels; a `refusal` is what everybody who touches it gets."""

    rows: pa.Table
    labels: dict[str, str] = field(default_factory=dict)
    refusal: RefusedError | None = None


class BigQueryServer(ThreadingHTTPServer):
    """Serves `tables` by their full names; with `stuck` no query ever ends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tables: dict[str, Table] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.results: dict[str, pa.Table] = {}
        self.requests: list[str] = []
        self.stuck = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, frame: pd.DataFrame | pa.Table, **options: Any) -> None:
        rows = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
        self.tables[name] = Table(rows, **options)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def insert_job(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        configuration = body["configuration"]
        number = body.get("jobReference", {}).get("jobId") or uuid.uuid4().hex
        job = {
            "kind": "bigquery#job",
            "id": f"{project}:US.{number}",
            "jobReference": {"projectId": project, "jobId": number, "location": "US"},
            "configuration": configuration,
            "status": {"state": "DONE"},
            "statistics": {},
        }
        self._run(job, configuration)
        if not configuration.get("dryRun"):
            self.jobs[number] = job
        return job

    def _run(self, job: dict[str, Any], configuration: dict[str, Any]) -> None:
        query = configuration["query"]
        tree = sqlglot.parse_one(query["query"], read="bigquery")
        names = self._bind(tree)
        processed = sum(self.tables[name].rows.nbytes for name in names.values())
        billed = max(MINIMUM_BILLED, processed)
        job["statistics"] = {
            "query": {
                "totalBytesProcessed": str(processed),
                "totalBytesBilled": "0" if configuration.get("dryRun") else str(billed),
                "cacheHit": False,
            }
        }
        limit = int(query.get("maximumBytesBilled", billed))
        if configuration.get("dryRun"):
            return
        if self.stuck:
            job["status"] = {"state": "RUNNING"}
        elif billed > limit:
            message = f"Query exceeded limit for bytes billed: {limit}. {billed} or higher required."
            job["status"] |= {"errorResult": {"reason": "bytesBilledLimitExceeded", "message": message}}
        else:
            self.results[job["jobReference"]["jobId"]] = self._execute(tree, names, query.get("queryParameters", []))

    def _bind(self, tree: exp.Expr) -> dict[str, str]:
        """Give each table of a query a plain name and return {plain name: full name}."""
        names: dict[str, str] = {}
        common = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table.name in common and not table.db:
                continue
            full = ".".join(part.name for part in table.parts)
            self.table(full)
            plain = f"table_{sorted(self.tables).index(full)}"
            names[plain] = full
            table.set("this", exp.to_identifier(plain))
            table.set("db", None)
            table.set("catalog", None)
        return names

    def _execute(self, tree: exp.Expr, names: dict[str, str], parameters: list[dict[str, Any]]) -> pa.Table:
        values = {item["name"]: int(item["parameterValue"]["value"]) for item in parameters}
        with duckdb.connect(":memory:") as connection:
            for plain, full in names.items():
                connection.register(plain, self.tables[full].rows)
            try:
                return connection.sql(tree.sql(dialect="duckdb"), params=values).to_arrow_table()
            except duckdb.Error as error:
                raise RefusedError(400, "invalidQuery", str(error).split("\n", 1)[0]) from error

    def table(self, full: str) -> Table:
        if full not in self.tables:
            raise RefusedError(
                404, "notFound", f"Not found: Table {full.replace('.', ':', 1)} was not found in location US"
            )
        found = self.tables[full]
        if found.refusal is not None:
            raise found.refusal
        return found

    def job(self, number: str) -> dict[str, Any]:
        if number not in self.jobs:
            raise RefusedError(404, "notFound", f"Not found: Job {number}")
        return self.jobs[number]

    def query_results(self, number: str, options: dict[str, str]) -> dict[str, Any]:
        job = self.job(number)
        answer: dict[str, Any] = {"kind": "bigquery#getQueryResultsResponse", "jobReference": job["jobReference"]}
        if job["status"]["state"] != "DONE":
            time.sleep(0.05)
            return answer | {"jobComplete": False}
        if "errorResult" in job["status"]:
            error = job["status"]["errorResult"]
            raise RefusedError(400, error["reason"], error["message"])
        rows = self.results[number]
        start = int(options.get("pageToken") or options.get("startIndex") or 0)
        end = start + min(int(options.get("maxResults", PAGE_ROWS)), PAGE_ROWS)
        answer |= {"jobComplete": True, "totalRows": str(rows.num_rows), "schema": {"fields": _fields(rows.schema)}}
        if end > start:
            answer["rows"] = _rows(rows.slice(start, end - start))
            answer |= {"pageToken": str(end)} if end < rows.num_rows else {}
        return answer

    def list_tables(self, project: str, dataset: str, options: dict[str, str]) -> dict[str, Any]:
        names = [name for name in sorted(self.tables) if name.startswith(f"{project}.{dataset}.")]
        if not names:
            raise RefusedError(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        start = int(options.get("pageToken", 0))
        page = names[start : start + PAGE_TABLES]
        answer = {"kind": "bigquery#tableList", "tables": [{"tableReference": _reference(name)} for name in page]}
        return answer | ({"nextPageToken": str(start + PAGE_TABLES)} if start + PAGE_TABLES < len(names) else {})

    def get_table(self, full: str) -> dict[str, Any]:
        table = self.table(full)
        return {
            "kind": "bigquery#table",
            "tableReference": _reference(full),
            "schema": {"fields": _fields(table.rows.schema)},
            "labels": table.labels,
            "numRows": str(table.rows.num_rows),
            "type": "TABLE",
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BigQueryServer

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(json.loads(self.rfile.read(length) or b"{}"))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, body: dict[str, Any]) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        try:
            status, answer = 200, self._route(body)
        except RefusedError as refusal:
            status, answer = refusal.status, refusal.body()
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _route(self, body: dict[str, Any]) -> dict[str, Any]:
        url = urlsplit(self.path)
        options = {key: values[0] for key, values in parse_qs(url.query).items()}
        match self.command, *url.path.removeprefix(PREFIX).split("/"):
            case "POST", project, "jobs":
                return self.server.insert_job(project, body)
            case "GET", _, "jobs", number:
                return self.server.job(number)
            case "POST", _, "jobs", number, "cancel":
                return {"kind": "bigquery#jobCancelResponse", "job": self.server.job(number)}
            case "GET", _, "queries", number:
                return self.server.query_results(number, options)
            case "GET", project, "datasets", dataset, "tables":
                return self.server.list_tables(project, dataset, options)
            case "GET", project, "datasets", dataset, "tables", table:
                return self.server.get_table(f"{project}.{dataset}.{table}")
        raise RefusedError(404, "notFound", f"Not served: {self.command} {self.path}")


def _reference(full: str) -> dict[str, str]:
    return dict(zip(("projectId", "datasetId", "tableId"), full.split("."), strict=True))


def _fields(schema: pa.Schema) -> list[dict[str, str]]:
    return [{"name": column.name, "type": _type(column.type), "mode": "NULLABLE"} for column in schema]


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        return "INTEGER"
    return "FLOAT" if pa.types.is_floating(kind) else "STRING"


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    return [{"f": [{"v": value} for value in row]} for row in zip(*columns, strict=True)]


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return str(value)
