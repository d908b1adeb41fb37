"""Kills at random moments, of whoever takes part in a run or reads films: 16; `make prove` does 32 of them and a thousand."""

import random

import pytest
from kill_rounds import VICTIMS


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.__name__)
def test_after_a_kill_every_status_is_true_and_no_verdict_is_lost(own_small_demo, fake_kinds, pytestconfig, victim):
    draw = random.Random(20191)
    kills = [victim(draw) for _ in range(8 if pytestconfig.getoption("whole") else 4)]
    assert [kill for kill in kills if kill.wrong] == []
