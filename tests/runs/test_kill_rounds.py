"""Kills at random moments, of whoever takes part in a run, serves pages or reads films: 17; `make prove` does a thousand."""

import random

import pytest
from kill_rounds import VICTIMS


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", sorted(VICTIMS))
def test_after_a_kill_every_status_is_true_and_no_verdict_is_lost(own_small_demo, fake_kinds, pytestconfig, victim):
    draw = random.Random(20191)
    # A dashboard takes seconds to start.
    often = 1 if victim == "dashboard" else 4
    kills = [VICTIMS[victim](draw) for _ in range(2 * often if pytestconfig.getoption("whole") else often)]
    assert [kill for kill in kills if kill.wrong] == []
