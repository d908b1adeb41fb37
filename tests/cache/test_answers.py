"""Answers are kept: one query for a page that is opened twice, and for two sessions that ask at once."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from cxr_core.cache.answers import KeptAnswers, Question
from cxr_core.errors import WarehouseError
from cxr_core.progress import hand_over, receiving, tell_done, telling


def key(what="SELECT", owner="me"):
    return Question(owner, what)


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
        return number


def value(kept, asked, which=key(), stamp=()):  # noqa: B008
    return kept.answer(which, stamp, asked).value


def test_what_was_asked_is_not_asked_again_and_says_so():
    kept, asked = KeptAnswers(), Asked()
    assert [kept.answer(key(), (), asked).kept for _ in range(3)] == [False, True, True]
    assert asked.times == 1
    assert kept.peek(key(), ()).value == 1
    for other in (key("SELECT 2"), key(owner="you"), key(("SELECT", 0)), key(("SELECT", 1))):
        value(kept, asked, other)
    assert asked.times == 5


def test_an_answer_of_another_stamp_takes_the_place_of_the_one_before():
    kept = KeptAnswers()
    first, second = np.zeros(1000), np.ones(5000)
    kept.answer(key(), "monday", lambda: first)
    assert kept.peek(key(), "tuesday") is None
    assert kept.answer(key(), "tuesday", lambda: second) == (second, False)
    assert kept.peek(key(), "monday") is None
    assert 40_000 <= kept.bytes < 41_000


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
            kept.answer(key(), (), interrupted)

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
    assert (kept.peek(key(), ()), kept.peek(key("slow"), ())) == (None, None)
    assert kept.peek(key(owner="you"), ()) is not None
    assert (kept.refreshes("me"), kept.refreshes("you")) == (1, 0)


def test_old_answers_are_dropped_also_when_nobody_asks_for_them_again():
    short = KeptAnswers(most_seconds=0.05)
    value(short, Asked())
    before = short.bytes
    time.sleep(0.1)
    assert short.peek(key(), ()) is None
    value(short, Asked(), key("one"))
    time.sleep(0.1)
    value(short, Asked(), key("two"))
    assert short.bytes <= before


def test_what_was_not_asked_for_longest_gives_way_when_the_memory_is_full():
    small = KeptAnswers(most_bytes=25_000)
    for name in "abc":
        small.answer(key(name), (), lambda: np.zeros(1000))
        small.peek(key("a"), ())
    assert [small.peek(key(name), ()) is None for name in "abc"] == [False, False, False]
    small.answer(key("d"), (), lambda: np.zeros(1000))
    assert [small.peek(key(name), ()) is None for name in "abcd"] == [True, False, False, False]
    assert small.bytes <= 25_000


def test_an_answer_that_alone_takes_too_much_is_given_and_not_kept_and_drives_nothing_out():
    small = KeptAnswers(most_bytes=25_000)
    small.answer(key("a"), (), lambda: np.zeros(1000))
    assert small.answer(key("large"), (), lambda: np.zeros(10_000)).value.size == 10_000
    assert small.peek(key("large"), ()) is None
    assert small.peek(key("a"), ()) is not None


def test_answers_that_share_a_table_count_it_once_and_until_the_last_is_gone():
    kept, table = KeptAnswers(), pa.table({"n": np.arange(100_000)})
    for number in range(20):
        kept.answer(key(number), (), lambda: table.slice(0, 10))
    assert 800_000 <= kept.bytes < 900_000
    kept.answer(key(0, owner="you"), (), lambda: table)
    kept.forget("me")
    assert 800_000 <= kept.bytes < 900_000
    kept.forget("you")
    assert kept.bytes == 0


def test_the_bound_is_a_setting(monkeypatch):
    monkeypatch.setenv("CXR_KEPT_MEMORY", "0")
    kept = KeptAnswers()
    value(kept, Asked())
    assert (kept.bytes, kept.peek(key(), ())) == (0, None)


def resident():
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_stays_bounded_and_is_given_back():
    kept, before = KeptAnswers(most_bytes=100_000_000), resident()
    for number in range(40):
        kept.answer(key(number), (), lambda: np.ones(2_000_000))
    assert kept.bytes <= 100_000_000
    assert resident() - before < 200_000_000
    kept.forget("me")
    assert resident() - before < 50_000_000


def test_who_waits_for_anothers_question_hears_how_far_it_is_and_may_leave():
    kept, begun, goes_on = KeptAnswers(), threading.Event(), threading.Event()
    told, parts = [], []

    def ask():
        tell_done("Labels", 1, 14, 0.0)
        hand_over("edema")
        begun.set()
        goes_on.wait(60)
        return "all"

    def leave(progress):
        told.append(progress.done)
        if parts:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.answer, key(), (), ask)
        begun.wait(60)
        with pytest.raises(KeyboardInterrupt), telling(leave), receiving(parts.append):
            kept.answer(key(), (), ask)
        assert not first.done()
        goes_on.set()
        assert first.result().value == "all"
    assert set(told) == {1}
    assert parts == ["edema"]


def test_a_question_that_is_being_asked_keeps_nobody_waiting_who_asks_another():
    kept, begun, goes_on = KeptAnswers(), threading.Event(), threading.Event()

    def long():
        begun.set()
        return goes_on.wait(60)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.answer, key("long"), (), long)
        begun.wait(60)
        assert kept.answer(key("short"), (), lambda: 1).value == 1
        assert kept.answer(key("short"), (), lambda: 2) == (1, True)
        assert not first.done()
        goes_on.set()
        assert first.result().value
