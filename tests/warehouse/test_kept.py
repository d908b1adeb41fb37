"""Answers are kept: one query for a page that is opened twice, and for two sessions that ask at once."""

import threading
import time

import pyarrow as pa
import pytest

from cxr_core.errors import WarehouseError
from cxr_core.warehouse.answers import Answer
from cxr_core.warehouse.kept import KeptAnswers, Key
from cxr_core.warehouse.open import open_warehouse
from cxr_core.warehouse.parquet import write_table


def found(number, rows=1):
    return pa.table({"n": [number] * rows}), Answer("q", "SELECT", {}, 0.1)


def key(sql="SELECT", owner="me", identity=(), **parameters):
    return Key(owner, identity, sql, tuple(parameters.items()))


class Asked:
    """Answers with the number of times that it was asked, slowly; the first `failing` times it fails."""

    def __init__(self, failing=0, seconds=0.0):
        self.times, self.failing, self.seconds = 0, failing, seconds

    def __call__(self):
        self.times += 1
        number = self.times
        time.sleep(self.seconds)
        if number <= self.failing:
            raise WarehouseError("no connection")
        return found(number)


def value(kept, asked, which=key()):  # noqa: B008
    return kept.answer(which, asked)[0]["n"][0].as_py()


def test_what_was_asked_is_not_asked_again_and_says_so():
    kept, asked = KeptAnswers(), Asked()
    assert [kept.answer(key(), asked)[1].kept for _ in range(3)] == [False, True, True]
    assert asked.times == 1
    assert kept.peek(key())[1].kept is False
    for other in (key("SELECT 2"), key(identity=("file", 2)), key(view=0), key(view=1)):
        value(kept, asked, other)
    assert asked.times == 5


def test_many_at_once_are_answered_by_one_query():
    kept, asked, seen = KeptAnswers(), Asked(seconds=0.2), []
    threads = [threading.Thread(target=lambda: seen.append(value(kept, asked))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen, asked.times) == ([1] * 20, 1)


def test_a_failure_is_told_to_all_who_wait_and_is_not_kept():
    kept, asked, told = KeptAnswers(), Asked(failing=1, seconds=0.2), []

    def ask():
        try:
            value(kept, asked)
        except WarehouseError as error:
            told.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (told, asked.times) == (["no connection"] * 5, 1)
    assert value(kept, asked) == 2


def test_who_waits_for_one_who_is_interrupted_asks_himself():
    kept, asked, started = KeptAnswers(), Asked(), threading.Event()

    def interrupted():
        started.set()
        time.sleep(0.2)
        raise KeyboardInterrupt

    def first():
        with pytest.raises(KeyboardInterrupt):
            kept.answer(key(), interrupted)

    thread = threading.Thread(target=first)
    thread.start()
    started.wait()
    assert value(kept, asked) == 1
    thread.join()


def test_forgetting_is_for_one_owner_and_also_for_what_is_being_asked():
    kept, asked, slow = KeptAnswers(), Asked(), Asked(seconds=0.3)
    value(kept, asked, key(owner="me"))
    value(kept, asked, key(owner="you"))
    thread = threading.Thread(target=lambda: value(kept, slow, key("slow")))
    thread.start()
    time.sleep(0.1)
    kept.forget("me")
    thread.join()
    assert (kept.peek(key()), kept.peek(key("slow"))) == (None, None)
    assert kept.peek(key(owner="you")) is not None
    assert (kept.refreshes("me"), kept.refreshes("you")) == (1, 0)


def test_old_answers_and_those_that_take_too_much_room_are_dropped():
    short = KeptAnswers(most_seconds=0.05)
    value(short, Asked())
    time.sleep(0.1)
    assert short.peek(key()) is None
    small = KeptAnswers(most_bytes=100 * 8)
    for number in range(4):
        small.answer(key(str(number)), lambda: found(0, rows=40))
    assert [small.peek(key(str(number))) is None for number in range(4)] == [True, True, False, False]
    small.answer(key("large"), lambda: found(0, rows=1000))
    assert small.peek(key("large")) is not None


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


def test_refreshing_asks_anew_and_sees_what_changed(bigquery_tables, bigquery_server, label_rows):
    warehouse = open_warehouse(bigquery_tables)
    before = warehouse.counts()["images"].sum()
    bigquery_server.add("data-project.cxr.labels_b", label_rows[:1])
    assert warehouse.counts()["images"].sum() == before
    warehouse.refresh()
    assert warehouse.counts()["images"].sum() < before
    assert len(bigquery_server.jobs) == 2


def test_a_local_file_that_is_replaced_is_read_anew(local_tables, label_rows):
    warehouse = open_warehouse(local_tables)
    before = warehouse.counts()
    assert not warehouse.last_answer("counts").kept
    warehouse.counts()
    assert warehouse.last_answer("counts").kept
    write_table(local_tables.allowed[0] / "labels_b.parquet", label_rows[-1:])
    assert warehouse.counts()["images"].sum() < before["images"].sum()
