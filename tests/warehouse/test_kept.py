"""The tables' answers are kept: one query for a page that is opened twice, and a new one once a table changed."""

import threading
import time
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxr_core.schema import LABELS
from cxr_core.stamps import one_look
from cxr_core.warehouse.google_client import forget_clients
from cxr_core.warehouse.parquet import write_table, write_truth
from cxr_core.warehouse.warehouse import open_warehouse


def write_in_place(path, frame):
    """Write a table as pandas, R and `cp` do: into the file that is there."""
    before = path.stat().st_ino
    metadata = pq.read_schema(path).metadata
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(metadata)
    with path.open("wb") as file:
        pq.write_table(table, file)
    assert path.stat().st_ino == before


def metadata_requests(server):
    return [request for request in server.requests if request.startswith("GET") and "/tables/" in request]


def test_a_page_opened_twice_costs_one_query(bigquery_tables, bigquery_server):
    for _ in range(2):
        warehouse = open_warehouse(bigquery_tables)
        warehouse.distribution()
        warehouse.counts()
    assert [statement.labels["question"] for statement in bigquery_server.billed()] == ["distribution", "counts"]
    assert warehouse.last_answer("counts").kept


def test_two_sessions_that_ask_at_once_cost_one_query(bigquery_tables, bigquery_server):
    bigquery_server.misbehave("slow", "POST", seconds=0.5)
    threads = [threading.Thread(target=open_warehouse(bigquery_tables).counts) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bigquery_server.jobs) == 1


def test_a_table_of_bigquery_that_is_replaced_is_asked_anew(bigquery_tables, bigquery_server, label_rows):
    warehouse = open_warehouse(bigquery_tables)
    before = warehouse.counts()["images"].sum()
    bigquery_server.add("data-project.cxr.labels_b", label_rows[:1])
    assert warehouse.counts()["images"].sum() < before
    assert not warehouse.last_answer("counts").kept
    warehouse.counts()
    assert warehouse.last_answer("counts").kept
    assert len(bigquery_server.jobs) == 2


def test_within_a_look_each_table_is_asked_about_once_and_the_next_look_sees_the_change(
    bigquery_tables, bigquery_server, label_rows
):
    warehouse = open_warehouse(bigquery_tables)
    with one_look():
        before = warehouse.counts()["images"].sum()
        warehouse.distribution()
        warehouse.cooccurrence()
        assert len(metadata_requests(bigquery_server)) == 2
        bigquery_server.add("data-project.cxr.labels_b", label_rows[:1])
        assert warehouse.counts()["images"].sum() == before
    with one_look():
        assert warehouse.counts()["images"].sum() < before
    assert len(metadata_requests(bigquery_server)) == 4


def test_a_catalogue_that_does_not_answer_leaves_what_was_found_and_says_so(bigquery_tables, bigquery_server):
    warehouse = open_warehouse(bigquery_tables)
    warehouse.counts()
    known = warehouse.states()
    assert all(state.is_checked and state.changed for state in known)
    bigquery_server.misbehave("dropped", "GET")
    silent = warehouse.states()
    assert [(state.stamp, state.changed) for state in silent] == [(state.stamp, state.changed) for state in known]
    assert not any(state.is_checked for state in silent)
    warehouse.counts()
    assert warehouse.last_answer("counts").kept
    asked = len(bigquery_server.requests)
    warehouse.states()
    assert len(bigquery_server.requests) == asked
    bigquery_server.behave()
    forget_clients()
    assert all(state.is_checked for state in warehouse.states())


def test_many_tables_are_asked_about_once_each(bigquery_tables, bigquery_server, prediction_rows):
    names = [f"net{number}" for number in range(8)]
    for name in names:
        bigquery_server.add(f"data-project.cxr.{name}_predictions", prediction_rows[:1])
    states = open_warehouse(bigquery_tables).states(names * 2)
    assert len({state.location for state in states}) == len(metadata_requests(bigquery_server)) == 10


def test_a_table_that_is_gone_or_refused_has_no_stamp(bigquery_tables, bigquery_server):
    bigquery_server.deny("data-project.cxr.labels_b")
    first, second, gone = open_warehouse(bigquery_tables).states(["none"])
    assert (first.is_checked, second.is_checked, second.stamp, gone.is_checked, gone.stamp) == (
        True,
        False,
        (),
        True,
        (),
    )


def test_refreshing_asks_anew(bigquery_tables, bigquery_server):
    warehouse = open_warehouse(bigquery_tables)
    warehouse.counts()
    warehouse.refresh()
    warehouse.counts()
    assert len(bigquery_server.jobs) == 2


def test_a_file_that_is_written_in_place_is_read_anew(local_tables, label_rows, prediction_rows):
    warehouse, folder = open_warehouse(local_tables), local_tables.allowed[0]
    labels, joined = warehouse.counts()["images"].sum(), warehouse.joined("net").frame
    write_in_place(folder / "labels_b.parquet", label_rows[-100:])
    assert warehouse.counts()["images"].sum() < labels
    write_in_place(folder / "labels_b.parquet", label_rows[len(label_rows) // 2 :])
    changed = prediction_rows.assign(edema=-prediction_rows["edema"])
    write_in_place(folder / "net_predictions.parquet", changed)
    pd.testing.assert_series_equal(warehouse.joined("net").frame["predicted_edema"], -joined["predicted_edema"])
    assert warehouse.states(["net"])[-1].changed == pytest.approx(time.time(), abs=60)


def test_a_truth_that_is_written_in_place_is_read_anew(local_tables, label_rows):
    truth = pd.DataFrame({"path": label_rows["path"], **dict.fromkeys(LABELS, 0)})
    path = local_tables.allowed[0] / "truth.parquet"
    write_truth(path, truth)
    warehouse = open_warehouse(replace(local_tables, truth=path))
    assert warehouse.truth()["edema"].sum() == 0
    write_in_place(path, truth.assign(edema=1))
    assert warehouse.truth()["edema"].sum() == len(truth)


def test_a_local_file_that_is_replaced_is_read_anew(local_tables, label_rows):
    warehouse = open_warehouse(local_tables)
    before = warehouse.counts()
    assert not warehouse.last_answer("counts").kept
    warehouse.counts()
    assert warehouse.last_answer("counts").kept
    write_table(local_tables.allowed[0] / "labels_b.parquet", label_rows[-1:])
    assert warehouse.counts()["images"].sum() < before["images"].sum()
