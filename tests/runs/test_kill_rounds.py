"""Kills at random moments, of whoever takes part in a run, serves pages or reads films: 34; `make prove` does a thousand."""

import random

import pytest
from kill_rounds import VICTIMS


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("victim", sorted(VICTIMS))
def test_after_a_kill_every_status_is_true_and_no_verdict_is_lost(own_small_demo, fake_kinds, victim):
    draw = random.Random(20191)
    # A dashboard takes seconds to start.
    often = 2 if victim == "dashboard" else 8
    kills = [VICTIMS[victim](draw) for _ in range(often)]
    assert [kill for kill in kills if kill.wrong] == []
