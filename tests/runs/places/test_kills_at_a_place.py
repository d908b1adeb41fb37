"""Kills at random moments, of whoever takes part in a run at a place: six; `make prove` does hundreds."""

import random

import pytest
from kills_at_a_place import VICTIMS_AT_A_PLACE


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", sorted(VICTIMS_AT_A_PLACE))
def test_after_a_kill_at_a_place_every_status_is_true_and_no_row_is_lost(fake_kinds, slurm, none_left, victim):
    draw = random.Random(20191)
    kills = [VICTIMS_AT_A_PLACE[victim](draw) for _ in range(3)]
    assert [kill for kill in kills if kill.wrong] == []
