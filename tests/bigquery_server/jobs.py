"""Jobs: queries (dry or not, cached or not, within a limit of bytes) and loads of Parquet."""

import io
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bigquery_server import answering, googlesql
from bigquery_server.answering import REFERENCE_ROWS, Parameters, Statement
from bigquery_server.partitions import rows_read
from bigquery_server.refusals import STATUS, RefusedError, colon
from bigquery_server.storing import Tables, billed_bytes, fields, json_rows, logical_bytes

#: Most rows in one page of results.
PAGE_ROWS = 500

_READERS: dict[str, Callable[[str], Any]] = {
    "INT64": int,
    "FLOAT64": float,
    "STRING": str,
    "BOOL": lambda text: text == "true",
}


class Jobs:
    """The jobs of a server, and its log of statements."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.by_id: dict[str, dict[str, Any]] = {}
        self.results: dict[str, pa.Table] = {}
        self.statements: list[Statement] = []
        self.reference_rows = REFERENCE_ROWS
        self.log: Callable[[str], None] | None = None
        self._cache: dict[Any, pa.Table] = {}
        self._requests: dict[tuple[str, str], str] = {}
        self._lock = threading.RLock()

    def insert(self, project: str, body: dict[str, Any], data: bytes | None = None, stuck: bool = False) -> Any:
        """Carry out a job and return its resource; what is wrong with the statement stands in its status."""
        self._check_project(project)
        number = body.get("jobReference", {}).get("jobId") or uuid.uuid4().hex
        configuration = body["configuration"]
        dry = bool(configuration.get("dryRun"))
        with self._lock:
            if number in self.by_id:
                raise RefusedError(409, "duplicate", f"Already Exists: Job {project}:US.{number}")
            job = _new_job(project, number, configuration, body.get("jobReference", {}).get("location", "US"))
            if not dry:
                self.by_id[number] = job
        if stuck and not dry:
            job["status"] = {"state": "RUNNING"}
            return job
        try:
            if "load" in configuration:
                self._load(configuration["load"], data or b"")
            else:
                self._query(job, configuration)
        except RefusedError as refusal:
            if dry:
                raise
            job["status"] |= {"errorResult": refusal.error, "errors": [refusal.error]}
        return job

    def query(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer `jobs.query`: a job and its first page in one request; one `requestId` is one job."""
        request = (project, body.get("requestId", ""))
        number = self._requests.get(request) if request[1] else None
        if number is None:
            statement = {"query", "queryParameters", "parameterMode", "useLegacySql", "useQueryCache"}
            configuration = {
                "query": {key: value for key, value in body.items() if key in {*statement, "maximumBytesBilled"}},
                "labels": body.get("labels", {}),
                "dryRun": body.get("dryRun", False),
            }
            job = self.insert(project, {"configuration": configuration})
            if body.get("dryRun"):
                return {"jobComplete": True, "jobReference": job["jobReference"], **job["statistics"]["query"]}
            number = job["jobReference"]["jobId"]
            self._requests[request] = number
        return self.page(number, {"maxResults": str(body.get("maxResults", PAGE_ROWS))})

    def get(self, number: str) -> dict[str, Any]:
        if number not in self.by_id:
            raise RefusedError(404, "notFound", f"Not found: Job {number}")
        return self.by_id[number]

    def cancel(self, number: str) -> dict[str, Any]:
        job = self.get(number)
        if job["status"]["state"] != "DONE":
            stopped = {"reason": "stopped", "message": "Job execution was cancelled: User requested cancellation"}
            job["status"] = {"state": "DONE", "errorResult": stopped, "errors": [stopped]}
        return {"kind": "bigquery#jobCancelResponse", "job": job}

    def page(self, number: str, options: dict[str, str]) -> dict[str, Any]:
        """Return one page of a query's results."""
        job = self.get(number)
        answer: dict[str, Any] = {"kind": "bigquery#getQueryResultsResponse", "jobReference": job["jobReference"]}
        if job["status"]["state"] != "DONE":
            time.sleep(0.05)
            return answer | {"jobComplete": False}
        if "errorResult" in job["status"]:
            error = job["status"]["errorResult"]
            raise RefusedError(STATUS.get(error["reason"], 400), error["reason"], error["message"])
        rows = self.results[number]
        start = int(options.get("pageToken") or options.get("startIndex") or 0)
        end = start + min(int(options.get("maxResults", PAGE_ROWS)), PAGE_ROWS)
        answer |= {"jobComplete": True, "totalRows": str(rows.num_rows), "schema": {"fields": fields(rows.schema)}}
        answer |= job["statistics"]["query"]
        if end > start:
            answer["rows"] = json_rows(rows.slice(start, end - start))
            answer |= {"pageToken": str(end)} if end < rows.num_rows else {}
        return answer

    def _query(self, job: dict[str, Any], configuration: dict[str, Any]) -> None:
        query = configuration["query"]
        sql, parameters = query["query"], _parameters(query)
        project, labels = job["jobReference"]["projectId"], configuration.get("labels", {})
        values = {name: value for name, (_, value) in parameters.items()}

        def tell(engine: str, rows: int = 0, processed: int = 0, billed: int = 0) -> None:
            statement = Statement(sql, values, project, labels, engine, rows, processed, billed)
            self.statements.append(statement)
            if self.log is not None:
                self.log(str(statement))

        try:
            found, tables = self._analysed(sql, parameters)
            read = {name: self._read(sql, name, rows, values) for name, rows in tables.items()}
        except RefusedError:
            tell("refused")
            raise
        each = [logical_bytes(rows, found.read[name]) for name, rows in read.items()]
        processed, billed = sum(each), billed_bytes(each)
        if configuration.get("dryRun"):
            job["statistics"]["query"] = _statistics(processed, 0, False)
            job["configuration"]["query"]["schema"] = {"fields": fields(found.schema)}
            return tell("dry run", processed=processed)
        key = (sql, tuple(values.items()), tuple((name, self.tables.by_name[name].version) for name in sorted(tables)))
        number = job["jobReference"]["jobId"]
        if query.get("useQueryCache", True) and key in self._cache:
            self.results[number] = self._cache[key]
            job["statistics"]["query"] = _statistics(0, 0, True)
            return tell("cache", self.results[number].num_rows)
        limit = int(query.get("maximumBytesBilled") or billed)
        if billed > limit:
            tell("refused", processed=processed)
            message = f"Query exceeded limit for bytes billed: {limit}. {billed} or higher required."
            raise RefusedError(400, "bytesBilledLimitExceeded", message)
        rows, engine = answering.rows_of(sql, tables, found, parameters, self.reference_rows)
        self.results[number] = self._cache[key] = rows
        job["statistics"]["query"] = _statistics(processed, billed, False)
        return tell(engine, rows.num_rows, processed, billed)

    def _read(self, sql: str, name: str, rows: pa.Table, values: dict[str, Any]) -> pa.Table:
        table = self.tables.by_name[name]
        if table.partition is None:
            return rows
        return rows_read(sql, name, rows, table.partition, table.require_filter, values)

    def _analysed(self, sql: str, parameters: Parameters) -> tuple[googlesql.Analysis, dict[str, pa.Table]]:
        """Return what the analyser found, and the tables that are read; a table that is not there is refused first."""
        for name in googlesql.table_names(sql):
            self.tables.get(name, "bigquery.tables.getData")
        schemas = {name: table.rows.schema for name, table in self.tables.by_name.items()}
        named = {name: schemas[name] for name in googlesql.table_names(sql)}
        found = googlesql.analyse(sql, named, {name: kind for name, (kind, _) in parameters.items()})
        return found, {name: self.tables.by_name[name].rows for name in found.read}

    def _load(self, load: dict[str, Any], data: bytes) -> None:
        """Write a Parquet file into a table as its dispositions say."""
        destination = load["destinationTable"]
        full = ".".join(destination[key] for key in ("projectId", "datasetId", "tableId"))
        with self.tables.lock:
            self.tables.names(full.rpartition(".")[0])
            there = full in self.tables.by_name
            former = self.tables.get(full, "bigquery.tables.updateData") if there else None
            if not there and load.get("createDisposition") == "CREATE_NEVER":
                raise RefusedError(404, "notFound", f"Not found: Table {colon(full)}")
            disposition = load.get("writeDisposition", "WRITE_APPEND")
            if former is not None and former.rows.num_rows and disposition == "WRITE_EMPTY":
                raise RefusedError(409, "duplicate", f"Already Exists: Table {colon(full)}")
            try:
                rows = pq.read_table(io.BytesIO(data))
            except (pa.ArrowException, OSError) as error:
                raise RefusedError(400, "invalid", f"Error while reading data, error message: {error}") from error
            if former is not None and disposition == "WRITE_APPEND":
                rows = pa.concat_tables([former.rows, rows])
            properties = load.get("destinationTableProperties", {})
            labels = properties.get("labels", {})
            if former is not None:
                if labels and labels != former.labels:
                    raise RefusedError(400, "invalid", "Table labels do not match those of the existing table")
                labels = former.labels
            self.tables.add(full, rows, labels=labels, description=properties.get("description"))

    def _check_project(self, project: str) -> None:
        if project in self.tables.denied_projects:
            message = (
                f"Access Denied: Project {project}: User does not have bigquery.jobs.create permission "
                f"in project {project}."
            )
            raise RefusedError(403, "accessDenied", message)


def _new_job(project: str, number: str, configuration: dict[str, Any], location: str) -> dict[str, Any]:
    kind = "LOAD" if "load" in configuration else "QUERY"
    if kind == "QUERY" and not configuration.get("dryRun"):
        anonymous = {"projectId": project, "datasetId": "_anonymous", "tableId": f"anon{number.replace('-', '')}"}
        configuration["query"].setdefault("destinationTable", anonymous)
    return {
        "kind": "bigquery#job",
        "id": f"{project}:{location}.{number}",
        "jobReference": {"projectId": project, "jobId": number, "location": location},
        "configuration": {"jobType": kind, **configuration},
        "status": {"state": "DONE"},
        "statistics": {kind.lower(): {}},
    }


def _statistics(processed: int, billed: int, cached: bool) -> dict[str, Any]:
    return {
        "totalBytesProcessed": str(processed),
        "totalBytesBilled": str(billed),
        "cacheHit": cached,
        "statementType": "SELECT",
    }


def _parameters(query: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    found = {}
    for item in query.get("queryParameters", []):
        kind = item["parameterType"]["type"]
        found[item["name"]] = (kind, _READERS[kind](item["parameterValue"]["value"]))
    return found
