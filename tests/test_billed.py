"""What questions were billed to whom today, and who may ask no more."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxr_core.billed import FOLDER, billed_to_caller
from cxr_core.caller import VIEWER, Caller, acting_for
from cxr_core.errors import UsageError

ADA, BO = (Caller(name, VIEWER, frozenset({name})) for name in ("ada@lab.example", "bo@lab.example"))


@pytest.fixture(autouse=True)
def limited(monkeypatch):
    monkeypatch.setenv("CXR_BYTES_BILLED_PER_DAY", "1000")


def ask(who, estimated, billed):
    with acting_for(who), billed_to_caller(estimated) as was_billed:
        was_billed(billed)


def test_a_day_ends_where_the_limit_is_reached():
    ask(ADA, 600, 700)
    with pytest.raises(UsageError, match=r"1,000 bytes a day \(setting bytes_billed_per_day\). Yours were 700 today"):
        ask(ADA, 301, 0)
    ask(ADA, 300, 300)
    ask(BO, 1000, 1000)


def test_what_came_from_a_cache_costs_nothing():
    for _ in range(5):
        ask(ADA, 900, 0)


def test_one_that_fails_counts_with_its_estimate():
    with pytest.raises(RuntimeError), acting_for(ADA), billed_to_caller(800):
        raise RuntimeError
    with pytest.raises(UsageError, match="Yours were 800 today"):
        ask(ADA, 300, 300)


def test_a_run_counts_for_who_started_it_and_the_systems_user_for_nobody(workspace):
    with acting_for(ADA.name):
        ask(ADA.name, 1000, 1000)
    with pytest.raises(UsageError):
        ask(ADA, 1, 1)
    with billed_to_caller(10**12) as was_billed:
        was_billed(10**12)
    lines = next((workspace / FOLDER).iterdir()).read_text().splitlines()
    assert {json.loads(line)["who"] for line in lines} == {ADA.name}


def test_the_day_before_does_not_count(workspace):
    ask(ADA, 1000, 1000)
    file = next((workspace / FOLDER).iterdir())
    file.rename(file.with_name("2001-01-01.jsonl"))
    ask(ADA, 1000, 1000)


def test_many_at_once_stay_below_the_limit(workspace):
    def one(_):
        try:
            ask(ADA, 100, 100)
        except UsageError:
            return 0
        return 1

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(40))) == 10


def test_a_torn_line_counts_for_nobody(workspace):
    ask(ADA, 500, 500)
    with next((workspace / FOLDER).iterdir()).open("ab") as file:
        file.write(b'{"who": "ada@lab.ex\n')
    ask(ADA, 500, 500)
