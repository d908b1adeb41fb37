"""The real client against a small BigQuery over HTTP."""

import socket
from pathlib import Path

import pandas as pd
import pytest
from bigquery_server import MINIMUM_BILLED, RefusedError

from cxr_core.caller import VIEWER, Caller, acting_for
from cxr_core.errors import CxrError, TableError, UsageError, WarehouseError
from cxr_core.warehouse.parquet import write_table
from cxr_core.warehouse.tables import TableSet
from cxr_core.warehouse.warehouse import open_warehouse


@pytest.fixture
def warehouse(bigquery_tables):
    return open_warehouse(bigquery_tables)


def test_both_warehouses_give_equal_frames(bigquery_tables, local_tables):
    remote, here = open_warehouse(bigquery_tables), open_warehouse(local_tables)
    pd.testing.assert_frame_equal(remote.distribution("frontal"), here.distribution("frontal"))
    pd.testing.assert_frame_equal(remote.joined("net").frame, here.joined("net").frame)
    pd.testing.assert_frame_equal(remote.counts(), here.counts())
    for unit in ("studies", "patients"):
        pd.testing.assert_frame_equal(remote.grouped_distribution(unit), here.grouped_distribution(unit))
    pd.testing.assert_frame_equal(remote.cooccurrence(), here.cooccurrence())


def test_results_come_in_pages(warehouse, bigquery_server, label_rows):
    assert len(warehouse.labels()) == len(label_rows)
    assert any("pageToken=500" in request for request in bigquery_server.requests)


def test_each_job_is_labelled_limited_and_paid_by_the_project(warehouse, bigquery_server):
    warehouse.distribution("lateral")
    (job,) = bigquery_server.jobs.values()
    configuration = job["configuration"]
    assert configuration["labels"] == {"app": "cxr-lab", "question": "distribution"}
    assert configuration["query"]["maximumBytesBilled"] == "10000000000"
    assert configuration["query"]["useLegacySql"] is False
    assert job["jobReference"]["projectId"] == "paying-project"
    assert warehouse.last_answer("distribution").bytes_billed == 2 * MINIMUM_BILLED


def test_the_bytes_are_estimated_without_a_job(warehouse, bigquery_server, label_rows):
    # 14 labels, view and dataset of 8 bytes each, and two more than its length for each path.
    stored = 16 * 8 * len(label_rows) + (label_rows["path"].str.len() + 2).sum()
    assert warehouse.estimate_distribution() == stored
    assert bigquery_server.jobs == {}


def test_a_limit_of_bytes_is_kept(bigquery_tables):
    limited = open_warehouse(TableSet(**(vars(bigquery_tables) | {"maximum_bytes_billed": 1000})))
    with pytest.raises(WarehouseError, match=r"maximum_bytes_billed = 1,000 bytes. Raise it .* 20971520 or higher"):
        limited.distribution()


def test_a_person_who_was_billed_enough_today_is_told_so(warehouse, bigquery_server, monkeypatch):
    monkeypatch.setenv("CXR_BYTES_BILLED_PER_DAY", str(2 * MINIMUM_BILLED))
    ada = Caller("ada@lab.example", VIEWER, frozenset({"ada@lab.example"}))
    with acting_for(ada):
        warehouse.distribution()
        jobs = len(bigquery_server.jobs)
        with pytest.raises(UsageError, match=f"Yours were {2 * MINIMUM_BILLED:,} today"):
            warehouse.distribution("lateral")
    assert len(bigquery_server.jobs) == jobs, "nothing was billed"
    warehouse.distribution("lateral")


def test_tables_of_models_are_found_among_others(warehouse, bigquery_server, prediction_rows):
    for number in range(4):
        bigquery_server.add(f"data-project.cxr.net-{number}_predictions", prediction_rows)
    bigquery_server.add("data-project.cxr.net_predictions_old", prediction_rows)
    assert warehouse.prediction_tables() == ["net", "net-0", "net-1", "net-2", "net-3"]


def test_the_scale_is_a_label_of_the_table(warehouse, bigquery_server, prediction_rows):
    bigquery_server.add("data-project.cxr.p_predictions", prediction_rows, labels={"cxr_scale": "probability"})
    assert warehouse.joined("p").scale == "probability"
    bigquery_server.add("data-project.cxr.p_predictions", prediction_rows, labels={"cxr_scale": "odds"})
    with pytest.raises(WarehouseError, match="must be one of logit, probability, score"):
        warehouse.joined("p")


def test_scale_place_and_origin_of_predictions_are_known_without_a_question(warehouse, bigquery_server):
    location, info = warehouse.prediction_info("net")
    assert (location, info.scale) == ("data-project.cxr.net_predictions", "logit")
    assert bigquery_server.statements == []


def test_predictions_of_the_workspace_join_labels_of_bigquery(bigquery_tables, local_tables, tmp_path, prediction_rows):
    own = tmp_path / "own"
    write_table(own / "mine_predictions.parquet", prediction_rows, scale="logit")
    patterns = (*bigquery_tables.predictions, str(own / "{model}_predictions.parquet"))
    mixed = open_warehouse(TableSet(**(vars(bigquery_tables) | {"predictions": patterns, "allowed": (own,)})))
    assert mixed.prediction_tables() == ["mine", "net"]
    pd.testing.assert_frame_equal(mixed.joined("mine").frame, open_warehouse(local_tables).joined("net").frame)
    assert (
        mixed.joined("mine", "valid", "frontal").unmatched
        == open_warehouse(local_tables).joined("net", "valid", "frontal").unmatched
    )
    assert mixed.prediction_table("mine").location == str(own / "mine_predictions.parquet")


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        ((403, "accessDenied", "Access Denied: Table x"), WarehouseError, "Job User .* BigQuery says: .*Access Denied"),
        ((403, "quotaExceeded", "Quota exceeded: bytes scanned per day"), WarehouseError, "quota .* is used up.*anew"),
        (
            (403, "quotaExceeded", "Custom quota exceeded: Your usage exceeded the custom quota"),
            WarehouseError,
            "quota",
        ),
        ((403, "rateLimitExceeded", "Exceeded rate limits: too many table reads"), WarehouseError, "too often.*minute"),
        (
            (403, "billingNotEnabled", "Billing has not been enabled for this project."),
            WarehouseError,
            "Billing is off",
        ),
        (
            (403, "accessNotConfigured", "BigQuery API has not been used in project 1 before or it is disabled."),
            WarehouseError,
            "API is switched off .*gcloud services enable bigquery.googleapis.com",
        ),
        (
            (403, "accessDenied", "VPC Service Controls: Request is prohibited by organization's policy."),
            WarehouseError,
            "A policy of the organisation forbids .* no role helps",
        ),
        ((403, "responseTooLarge", "Response too large to return."), WarehouseError, "answer is larger"),
        ((400, "resourcesExceeded", "Resources exceeded during query execution"), WarehouseError, "more memory"),
        (
            (
                400,
                "invalidQuery",
                "Cannot query over table 'a.b.c' without a filter that can be used for partition elimination",
            ),
            WarehouseError,
            "only with a filter on its partitions",
        ),
        ((400, "billingTierLimitExceeded", "Query exceeded resource limits"), WarehouseError, "billing tier"),
        ((403, "blocked", "The operation is blocked"), WarehouseError, "has blocked such questions"),
        ((400, "tableUnavailable", "Table x is unavailable"), WarehouseError, "cannot be read just now"),
        ((403, "invalidUser", "Invalid user"), WarehouseError, "may not be used with BigQuery"),
        ((400, "invalidQuery", "Syntax error"), WarehouseError, "BigQuery says: .*Syntax error"),
    ],
)
def test_refusals_say_what_to_do(warehouse, bigquery_server, monkeypatch, refusal, error, words):
    if refusal[1] in ("rateLimitExceeded", "backendError"):  # the client tries again until the time is over
        warehouse.estimate_distribution()
        monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "3")
    bigquery_server.tables["data-project.cxr.labels_b"].refusal = RefusedError(*refusal)
    with pytest.raises(error, match=words) as caught:
        warehouse.distribution()
    assert "\n" not in str(caught.value)
    is_about_roles = "Job User" in str(caught.value)
    assert is_about_roles == (refusal[2] == "Access Denied: Table x"), "a role is advised only where one is missing"
    assert len(warehouse.check()) == 1


def test_a_missing_table_is_named(warehouse, bigquery_server):
    del bigquery_server.tables["data-project.cxr.labels_b"]
    with pytest.raises(TableError, match=r"no such table data-project.cxr.labels_b in the location US"):
        warehouse.distribution()
    assert [("labels_b" in problem) for problem in warehouse.check()] == [True]


def test_a_query_that_does_not_end_is_given_up_and_cancelled(warehouse, bigquery_server, monkeypatch):
    warehouse.estimate_distribution()  # the first statement of a process takes longer
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "3")
    bigquery_server.misbehave("stuck")
    with pytest.raises(WarehouseError, match=r"did not answer within 3 s"):
        warehouse.distribution()
    assert bigquery_server.requests[-1].startswith("POST") and "/cancel" in bigquery_server.requests[-1]


def test_no_connection_is_said_in_words(warehouse, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    monkeypatch.setenv("CXR_BIGQUERY_ENDPOINT", endpoint)
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "0.3")
    with pytest.raises(WarehouseError, match=f"cannot be reached at {endpoint}"):
        warehouse.distribution()


def test_missing_credentials_are_said_in_words(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    tables = TableSet("bigquery", ("data-project.cxr.labels_a",), (), project="paying-project")
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        open_warehouse(tables).distribution()


def test_names_that_are_no_tables_never_leave_the_machine(bigquery_server):
    tables = TableSet("bigquery", ("data-project.cxr.labels` UNION ALL SELECT 1 --",), (), project="paying-project")
    with pytest.raises(UsageError, match="project.dataset.table"):
        open_warehouse(tables).distribution()
    with pytest.raises(UsageError, match="project ID"):
        open_warehouse(TableSet("bigquery", (), (), project="a`b", allowed=(Path("/x"),)))
    assert bigquery_server.requests == []


def with_tables(tables, **changes):
    return open_warehouse(TableSet(**(vars(tables) | changes)))


def test_a_dry_run_goes_before_each_query(warehouse, bigquery_server):
    warehouse.counts()
    dry, run = bigquery_server.statements
    assert (dry.engine, dry.bytes_billed, dry.sql) == ("dry run", 0, run.sql)
    answer = warehouse.last_answer("counts")
    assert answer.bytes_estimated == dry.bytes_processed > 0
    assert (answer.bytes_billed, answer.cached) == (2 * MINIMUM_BILLED, False)


def test_what_bigquery_still_has_costs_nothing_and_says_so(bigquery_tables, bigquery_server):
    for _ in range(2):
        warehouse = open_warehouse(bigquery_tables)
        warehouse.refresh()
        warehouse.counts()
    answer = warehouse.last_answer("counts")
    assert (answer.cached, answer.bytes_billed) == (True, 0)
    assert len(bigquery_server.billed()) == 1


def test_a_key_file_is_used_and_its_project_pays(bigquery_tables, bigquery_server, tmp_path):
    bigquery_server.tokens.required = True
    with pytest.raises(UsageError, match="asks for credentials. Name a service account's key file"):
        open_warehouse(bigquery_tables).counts()
    key = bigquery_server.tokens.write_key(tmp_path / "key.json", bigquery_server.endpoint, project="key-project")
    warehouse = with_tables(bigquery_tables, credentials=str(key), project=None)
    assert len(warehouse.counts()) == 12
    assert {job["jobReference"]["projectId"] for job in bigquery_server.jobs.values()} == {"key-project"}


def test_the_location_goes_with_the_job(bigquery_tables, bigquery_server):
    with_tables(bigquery_tables, location="EU").counts()
    assert {job["jobReference"]["location"] for job in bigquery_server.jobs.values()} == {"EU"}


def test_each_way_to_have_no_access_says_what_to_do(bigquery_tables, bigquery_server, tmp_path, monkeypatch):
    """Without credentials, with a broken or an expired key, without permission, without the table: five sentences."""
    bigquery_server.tokens.required = True
    key = bigquery_server.tokens.write_key(tmp_path / "key.json", bigquery_server.endpoint)
    named = with_tables(bigquery_tables, credentials=str(key))
    assert named.check() == []

    bigquery_server.deny("data-project.cxr.labels_b")
    (denied,) = named.check()
    assert denied.startswith("You may not read the table data-project.cxr.labels_b. Ask its owner for the role")
    del bigquery_server.tables["data-project.cxr.labels_b"]
    (missing,) = named.check()
    assert missing.startswith("BigQuery has no such table data-project.cxr.labels_b in the location US. Correct")
    bigquery_server.deny_project("paying-project")
    bigquery_server.add("data-project.cxr.labels_b", bigquery_server.tables["data-project.cxr.labels_a"].rows)
    (unpaid,) = named.check()
    assert unpaid.startswith("You may not run queries in the project paying-project, which pays. Ask its owner")

    bigquery_server.tokens.valid.clear()
    bigquery_server.tokens.revoked = True
    (expired,) = named.check()
    assert expired.startswith("The Google credentials have expired or were revoked. Make a new key for the service acc")
    (tmp_path / "broken.json").write_text("{}")
    (broken,) = with_tables(bigquery_tables, credentials=str(tmp_path / "broken.json")).check()
    assert broken.startswith(
        "credentials must name a file (JSON) with the key of a service account, a user's credentia"
    )
    monkeypatch.delenv("CXR_BIGQUERY_ENDPOINT")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    (none,) = open_warehouse(bigquery_tables).check()
    assert none.startswith("BigQuery needs Google credentials, and none were found. Run `gcloud auth application-defa")
    assert all("\n" not in told for told in (denied, missing, unpaid, expired, broken, none))


def test_signing_in_again_needs_no_restart(bigquery_tables, bigquery_server, tmp_path):
    bigquery_server.tokens.required = bigquery_server.tokens.revoked = True
    key = bigquery_server.tokens.write_key(tmp_path / "key.json", bigquery_server.endpoint)
    warehouse = with_tables(bigquery_tables, credentials=str(key))
    with pytest.raises(UsageError, match="expired or were revoked"):
        warehouse.counts()
    bigquery_server.tokens.revoked = False
    assert len(warehouse.counts()) == 12
    warehouse.refresh()
    bigquery_server.misbehave("401")
    with pytest.raises(UsageError, match="expired or were revoked. Make a new key"):
        warehouse.counts()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("429", "Try again later.*BigQuery says: Exceeded rate limits"),
        ("500", "Try again later.*BigQuery says: An internal error"),
        ("503", "Try again later.*BigQuery says: Visibility check"),
        ("dropped", "cannot be reached at http.*then try again"),
        ("slow", "did not answer within 1 s. Try again"),
        ("stuck", "did not answer within 1 s. Try again"),
        ("401", "asks for credentials"),
    ],
)
def test_a_lasting_fault_is_one_sentence_and_is_not_kept(warehouse, bigquery_server, monkeypatch, kind, words):
    warehouse.estimate_distribution()
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "1")
    bigquery_server.misbehave(kind, seconds=2)
    with pytest.raises(CxrError, match=words) as caught:
        warehouse.counts()
    assert "\n" not in str(caught.value)
    bigquery_server.behave()
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "60")
    assert len(warehouse.counts()) == 12
    assert len(bigquery_server.billed()) == 1


@pytest.mark.parametrize("kind", ["429", "500", "503", "dropped", "dropped-after", "slow"])
@pytest.mark.parametrize("where", ["POST", "GET"])
def test_a_passing_fault_is_not_noticed_and_costs_nothing(warehouse, bigquery_server, kind, where):
    fault = bigquery_server.misbehave(kind, where, times=1, seconds=0.05)
    assert len(warehouse.counts()) == 12
    assert (fault.seen, len(bigquery_server.billed())) == (1, 1)
