"""The HTTP side: requests of BigQuery's REST interface, routed to tables and jobs.

with BigQueryServer({"data-project.cxr.labels_train": "labels_train.parquet"}) as server:
    os.environ["CXR_BIGQUERY_ENDPOINT"] = server.endpoint
"""

import json
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bigquery_server.answering import Statement
from bigquery_server.faults import Fault, Faults
from bigquery_server.jobs import Jobs
from bigquery_server.partitions import PARTITION_TIME, partition_of
from bigquery_server.refusals import RefusedError, colon
from bigquery_server.storing import Rows, Table, Tables, fields
from bigquery_server.tokens import Tokens

PREFIX = "/bigquery/v2/projects/"
UPLOAD_PREFIX = "/upload/bigquery/v2/projects/"
#: Most tables in one page of a listing.
PAGE_TABLES = 3


class BigQueryServer(ThreadingHTTPServer):
    """Serves tables on 127.0.0.1 as BigQuery does, from the moment that it is made until `stop`.

    Args:
        tables: `project.dataset.table` -> an Arrow table, a frame, or the path of a Parquet file.
        labels: labels of some of these tables, such as {"project.dataset.net_predictions": {"cxr_scale": "logit"}}.
        port: 0 takes a free one.
        log: is told one line for each statement: which engine answered, how many rows, what was billed.

    `statements` is the same log as objects, `requests` the requests as `METHOD /path`; `misbehave` adds a `Fault`,
    `deny` takes a table from everybody, and with `tokens.required` nobody is answered without a valid token.
    """

    daemon_threads = True

    def __init__(
        self,
        tables: Mapping[str, Rows] | None = None,
        labels: Mapping[str, dict[str, str]] | None = None,
        port: int = 0,
        log: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._tables = Tables()
        self._jobs = Jobs(self._tables)
        self._jobs.log = log
        self.faults = Faults()
        self.tokens = Tokens()
        self.requests: list[str] = []
        self.uploads: dict[str, tuple[str, dict[str, Any], bytearray]] = {}
        for name, rows in (tables or {}).items():
            self.add(name, rows, labels=dict((labels or {}).get(name, {})))
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def __enter__(self) -> "BigQueryServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def tables(self) -> dict[str, Table]:
        return self._tables.by_name

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        return self._jobs.by_id

    @property
    def statements(self) -> list[Statement]:
        return self._jobs.statements

    @property
    def reference_rows(self) -> int:
        """Most rows that go to GoogleSQL's reference engine; DuckDB answers over more."""
        return self._jobs.reference_rows

    @reference_rows.setter
    def reference_rows(self, rows: int) -> None:
        self._jobs.reference_rows = rows

    def add(self, name: str, rows: Rows, **options: Any) -> None:
        self._tables.add(name, rows, **options)

    def add_dataset(self, name: str) -> None:
        """Make a data set (`project.dataset`) without tables."""
        self._tables.datasets.add(name)

    def misbehave(self, kind: str, where: str = "", times: int | None = None, seconds: float = 1.0) -> Fault:
        return self.faults.add(Fault(kind, where, times, seconds))

    def behave(self) -> None:
        self.faults.clear()

    def deny(self, full: str) -> None:
        self._tables.deny(full)

    def deny_project(self, project: str) -> None:
        """Let nobody run jobs in a project or list its tables."""
        self._tables.denied_projects.add(project)

    def billed(self) -> list[Statement]:
        """Return the statements that were billed."""
        return [statement for statement in self.statements if statement.bytes_billed]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that did not wait for their answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def insert_job(self, request: str, project: str, body: dict[str, Any], data: bytes | None = None) -> Any:
        stuck = "query" in body.get("configuration", {}) and self.faults.due(request, "stuck") is not None
        return self._jobs.insert(project, body, data, stuck)

    def route(self, method: str, path: str, options: dict[str, str], body: dict[str, Any]) -> Any:
        """Answer one request of the REST interface with a JSON document, None for an empty one."""
        request = f"{method} {path}"
        match method, *path.removeprefix(PREFIX).split("/"):
            case "POST", project, "jobs":
                return self.insert_job(request, project, body)
            case "GET", _, "jobs", number:
                return self._jobs.get(number)
            case "POST", _, "jobs", number, "cancel":
                return self._jobs.cancel(number)
            case "POST", project, "queries":
                return self._jobs.query(project, body)
            case "GET", _, "queries", number:
                return self._jobs.page(number, options)
            case "GET", project, "datasets", dataset:
                self._tables.names(f"{project}.{dataset}")
                return {"kind": "bigquery#dataset", "datasetReference": {"projectId": project, "datasetId": dataset}}
            case "GET", project, "datasets", dataset, "tables":
                return self._listed(f"{project}.{dataset}", options)
            case "POST", project, "datasets", dataset, "tables":
                return self._inserted(f"{project}.{dataset}", body)
            case "GET", project, "datasets", dataset, "tables", table:
                return self._resource(f"{project}.{dataset}.{table}")
            case "PATCH", project, "datasets", dataset, "tables", table:
                return self._patched(f"{project}.{dataset}.{table}", body)
            case "DELETE", project, "datasets", dataset, "tables", table:
                self._tables.get(f"{project}.{dataset}.{table}", "bigquery.tables.delete")
                del self.tables[f"{project}.{dataset}.{table}"]
                return None
        raise RefusedError(404, "notFound", f"Not served: {method} {path}")

    def _listed(self, dataset: str, options: dict[str, str]) -> dict[str, Any]:
        names = self._tables.names(dataset)
        start = int(options.get("pageToken", 0))
        page = names[start : start + PAGE_TABLES]
        tables = [{"tableReference": _reference(name), "labels": self.tables[name].labels} for name in page]
        more = {"nextPageToken": str(start + PAGE_TABLES)} if start + PAGE_TABLES < len(names) else {}
        return {"kind": "bigquery#tableList", "tables": tables, "totalItems": len(names)} | more

    def _resource(self, full: str) -> dict[str, Any]:
        self._tables.names(full.rpartition(".")[0])
        table = self._tables.get(full)
        return {
            "kind": "bigquery#table",
            "tableReference": _reference(full),
            "schema": {"fields": [one for one in fields(table.rows.schema) if one["name"] != PARTITION_TIME]},
            "labels": table.labels,
            "description": table.description,
            "numRows": str(table.rows.num_rows),
            "etag": f"{table.version}-{table.edits}",
            "lastModifiedTime": str(table.modified),
            "type": "TABLE",
        } | partition_of(table.rows, table.partition, table.require_filter)

    def _inserted(self, dataset: str, body: dict[str, Any]) -> dict[str, Any]:
        import pyarrow as pa

        from bigquery_server.storing import arrow_type

        full = f"{dataset}.{body['tableReference']['tableId']}"
        self._tables.names(dataset)
        if full in self.tables:
            raise RefusedError(409, "duplicate", f"Already Exists: Table {colon(full)}")
        standard = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
        columns = [
            (column["name"], arrow_type(standard.get(column["type"], column["type"])))
            for column in body.get("schema", {}).get("fields", [])
        ]
        self.add(full, pa.schema(columns).empty_table(), labels=body.get("labels", {}))
        return self._resource(full)

    def _patched(self, full: str, body: dict[str, Any]) -> dict[str, Any]:
        table = self._tables.get(full, "bigquery.tables.update")
        if "labels" in body:
            labels = table.labels | body["labels"]
            table.labels = {key: value for key, value in labels.items() if value is not None}
            table.edits += 1
        return self._resource(full)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BigQueryServer

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = f"{self.command} {self.path}"
        self.server.requests.append(request)
        if self.server.faults.due(request, "dropped"):
            return self._drop()
        headers: dict[str, str] = {}
        try:
            if self.path == self.server.tokens.path:
                answer: Any = self.server.tokens.issue(content)
            elif self.path == self.server.tokens.exchange:
                answer = self.server.tokens.exchanged(content)
            elif self.path.startswith(self.server.tokens.impersonation):
                answer = self.server.tokens.impersonated(self.headers.get("Authorization", ""))
            else:
                self.server.tokens.check(self.headers.get("Authorization", ""))
                self.server.faults.befall(request)
                answer = self._carry_out(request, content, headers)
            status = 200 if answer is not None else 204
        except RefusedError as refusal:
            status, answer = refusal.status, refusal.body()
        if "X-Status" in headers:
            status = int(headers.pop("X-Status"))
        if self.server.faults.due(request, "dropped-after"):
            return self._drop()
        return self._send(status, b"" if answer is None else json.dumps(answer).encode(), headers)

    def _carry_out(self, request: str, content: bytes, headers: dict[str, str]) -> Any:
        url = urlsplit(self.path)
        options = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path.startswith(UPLOAD_PREFIX):
            return self._upload(request, url.path, options, content, headers)
        return self.server.route(self.command, url.path, options, json.loads(content or b"{}"))

    def _upload(self, request: str, path: str, options: dict[str, str], content: bytes, headers: dict[str, str]) -> Any:
        """Take the file of a load job: with its description in one request, or in several."""
        project = path.removeprefix(UPLOAD_PREFIX).split("/")[0]
        if options.get("uploadType") == "multipart":
            description, data = _parts(self.headers["Content-Type"], content)
            return self.server.insert_job(request, project, description, data)
        if "upload_id" not in options:
            number = uuid.uuid4().hex
            self.server.uploads[number] = (project, json.loads(content), bytearray())
            headers["Location"] = f"{self.server.endpoint}{path}?uploadType=resumable&upload_id={number}"
            return {}
        project, description, received = self.server.uploads[options["upload_id"]]
        received += content
        total = self.headers["Content-Range"].rpartition("/")[2]
        if total == "*" or len(received) < int(total):
            headers |= {"X-Status": "308", "Range": f"bytes=0-{len(received) - 1}"}
            return {}
        return self.server.insert_job(request, project, description, bytes(received))

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _parts(content_type: str, content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the description and the file of a multipart upload."""
    boundary = content_type.partition("boundary=")[2].strip("\"' ").encode()
    _, description, file, _ = content.split(b"--" + boundary)
    document = json.loads(description.partition(b"\r\n\r\n")[2])
    return document, file.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


def _reference(full: str) -> dict[str, str]:
    return dict(zip(("projectId", "datasetId", "tableId"), full.rsplit(".", 2), strict=True))
