"""The server of the tests behaves towards Google's own client as BigQuery does."""

import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from bigquery_server import MINIMUM_BILLED, BigQueryServer
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import InvalidOperation, RefreshError
from google.cloud import bigquery
from google.oauth2 import service_account

ROWS = pd.DataFrame({"path": ["a", "bb", None], "edema": pd.array([3, None, 1], dtype="Int64"), "score": [0.5, 1, 2]})
NAME = "data-project.cxr.rows"


@pytest.fixture
def server():
    with BigQueryServer({NAME: ROWS}) as running:
        yield running


@pytest.fixture
def client(server):
    options = ClientOptions(api_endpoint=server.endpoint)
    with bigquery.Client("paying-project", AnonymousCredentials(), client_options=options) as made:
        yield made


def ask(client, sql, **options):
    return client.query_and_wait(sql, job_config=bigquery.QueryJobConfig(**options)).to_arrow(
        create_bqstorage_client=False
    )


def test_few_rows_are_answered_by_googlesql_and_many_by_duckdb_alike(server, client):
    sql = f"SELECT edema, COUNT(*) AS n, MAX(path) AS p, SUM(score) AS s FROM `{NAME}` GROUP BY edema ORDER BY edema"
    small = ask(client, sql)
    server.reference_rows = 2
    assert ask(client, sql, use_query_cache=False) == small
    assert [statement.engine for statement in server.statements] == ["googlesql", "duckdb"]
    assert small.to_pylist()[0] == {"edema": None, "n": 1, "p": "bb", "s": 1.0}


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        (f"SELECT COUNT_IF(edema = 3) FROM `{NAME}`", exceptions.BadRequest, "Function not found: COUNT_IF"),
        (f"SELECT * EXCLUDE (edema) FROM `{NAME}`", exceptions.BadRequest, "Syntax error"),
        (f"SELECT oedema FROM `{NAME}`", exceptions.BadRequest, "Unrecognized name: oedema"),
        (f"DROP TABLE `{NAME}`", exceptions.BadRequest, "Statement not supported"),
        (f"SELECT CAST(path AS INT64) FROM `{NAME}`", exceptions.BadRequest, "Bad int64 value"),
        (
            "SELECT 1 FROM `data-project.cxr.none`",
            exceptions.NotFound,
            "Table data-project:cxr.none was not found in location US",
        ),
    ],
)
def test_what_bigquery_refuses_is_refused_in_its_words(client, sql, error, words):
    with pytest.raises(error, match=words):
        ask(client, sql)
    with pytest.raises(error, match=words):
        client.query(sql).result()


def test_bytes_are_those_of_the_columns_that_are_read(server, client):
    dry = bigquery.QueryJobConfig(dry_run=True)
    union = f"(SELECT * FROM `{NAME}` UNION ALL SELECT * FROM `{NAME}`)"
    job = client.query(f"SELECT edema, COUNT(DISTINCT path) AS n FROM {union} WHERE edema = 3 GROUP BY edema", dry)
    assert job.total_bytes_processed == 16 + 7
    for columns, expected in [("edema", 16), ("path", 3 + 4), ("path, score", 7 + 24), ("1", 0)]:
        job = client.query(f"SELECT {columns} FROM (SELECT * FROM `{NAME}`)", dry)
        assert (job.total_bytes_processed, job.state) == (expected, "DONE")
    assert server.jobs == {}
    job = client.query(f"SELECT edema FROM `{NAME}`")
    assert (job.total_bytes_billed, job.cache_hit) == (MINIMUM_BILLED, False)


def test_the_same_query_again_comes_from_the_cache_until_the_table_changes(server, client):
    sql = f"SELECT COUNT(*) AS n FROM `{NAME}`"
    assert [client.query(sql).cache_hit for _ in range(2)] == [False, True]
    server.add(NAME, ROWS[:1])
    again = client.query(sql)
    assert (again.cache_hit, next(iter(again.result())).n) == (False, 1)
    assert len(server.billed()) == 2


def test_a_query_over_the_limit_is_refused_before_it_runs(server, client):
    for call in (client.query_and_wait, lambda sql, job_config: client.query(sql, job_config).result()):
        with pytest.raises(exceptions.GoogleAPICallError, match=f"bytes billed: 1000. {MINIMUM_BILLED} or higher"):
            call(f"SELECT edema FROM `{NAME}`", job_config=bigquery.QueryJobConfig(maximum_bytes_billed=1000))
    assert server.billed() == []


@pytest.mark.parametrize("kind", ["429", "500", "503", "dropped", "dropped-after", "slow"])
def test_a_passing_fault_costs_no_second_query(server, client, kind):
    fault = server.misbehave(kind, "POST", times=1, seconds=0.05)
    sql = f"SELECT COUNT(*) AS n FROM `{NAME}`"
    job = client.query(sql, retry=bigquery.DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.02))
    assert next(iter(job.result())).n == 3
    assert (fault.seen, len(server.billed())) == (1, 1)


def test_denied_tables_and_projects_and_missing_data_sets(server, client):
    server.deny(NAME)
    with pytest.raises(exceptions.Forbidden, match="Access Denied: Table data-project:cxr.rows"):
        ask(client, f"SELECT 1 FROM `{NAME}`")
    with pytest.raises(exceptions.NotFound, match="Dataset data-project:none"):
        list(client.list_tables("data-project.none"))
    server.deny_project("paying-project")
    with pytest.raises(exceptions.Forbidden, match="bigquery.jobs.create"):
        ask(client, "SELECT 1")


def test_tables_are_listed_in_pages_with_their_labels(server, client):
    for number in range(7):
        server.add(f"data-project.cxr.t{number}", ROWS, labels={"number": str(number)})
    listed = {item.table_id: item.labels for item in client.list_tables("data-project.cxr")}
    assert listed == {"rows": {}} | {f"t{number}": {"number": str(number)} for number in range(7)}
    assert sum("pageToken" in request for request in server.requests) == 2


@pytest.mark.parametrize("size", [10, 400_000])
def test_parquet_is_loaded_in_one_request_or_in_several(server, client, size):
    rows = pd.DataFrame({"path": [str(n) for n in range(size)], "edema": np.random.default_rng(0).normal(size=size)})
    file = io.BytesIO()
    rows.to_parquet(file)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_EMPTY")
    client.load_table_from_file(
        file, "data-project.cxr.new", rewind=True, job_config=config, size=file.tell() if size == 10 else None
    ).result()
    assert server.tables["data-project.cxr.new"].rows.to_pandas().equals(rows.astype({"path": "str"}))
    with pytest.raises(exceptions.Conflict, match="Already Exists: Table data-project:cxr.new"):
        client.load_table_from_file(file, "data-project.cxr.new", rewind=True, job_config=config).result()


def test_a_service_account_is_given_a_token_until_it_is_revoked(server, tmp_path):
    server.tokens.required = True
    key = server.tokens.write_key(tmp_path / "key.json", server.endpoint)
    scopes = ["https://www.googleapis.com/auth/bigquery"]

    def client_of(credentials):
        return bigquery.Client(
            "paying-project", credentials, client_options=ClientOptions(api_endpoint=server.endpoint)
        )

    with client_of(service_account.Credentials.from_service_account_file(key, scopes=scopes)) as known:
        assert ask(known, "SELECT 1 AS one").to_pylist() == [{"one": 1}]
    with client_of(AnonymousCredentials()) as nobody, pytest.raises(InvalidOperation, match="be refreshed"):
        ask(nobody, "SELECT 1 AS one")
    server.tokens.revoked = True
    with (
        client_of(service_account.Credentials.from_service_account_file(key, scopes=scopes)) as late,
        pytest.raises(RefreshError, match="expired or revoked"),
    ):
        ask(late, "SELECT 1 AS one")


def test_parquet_files_are_served_as_tables(tmp_path):
    file = tmp_path / "rows.parquet"
    ROWS.to_parquet(file)
    lines = []
    with BigQueryServer({NAME: file}, labels={NAME: {"cxr_scale": "score"}}, log=lines.append) as running:
        options = ClientOptions(api_endpoint=running.endpoint)
        with bigquery.Client("paying-project", AnonymousCredentials(), client_options=options) as client:
            assert client.get_table(NAME).labels == {"cxr_scale": "score"}
            assert ask(client, f"SELECT path FROM `{NAME}`").num_rows == pq.read_metadata(file).num_rows
    assert lines[0].split() == ["googlesql", "3", "rows,", "7", "bytes", "read,", "10,485,760", "billed"]
