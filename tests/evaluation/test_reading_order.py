import numpy as np
import pytest
from scipy.special import expit

from cxr_core.errors import UnknownNameError
from cxr_core.evaluation.reading_order import ORDERS, RANDOM, SPREAD, reading_order

VALUES = np.array([2] * 13 + [0] * 7 + [3] * 5 + [-1] * 2)
SCORES = np.random.default_rng(3).normal(size=VALUES.size)
ROWS = np.argsort(-SCORES)


@pytest.mark.parametrize("order", ORDERS)
def test_every_film_is_read_once_in_an_order_that_a_seed_repeats(order):
    found = reading_order(order, ROWS, VALUES, SCORES, 7)
    assert sorted(found) == list(range(VALUES.size))
    assert found.tolist() == reading_order(order, ROWS, VALUES, SCORES, 7).tolist()


def test_a_list_is_read_as_it_stands_and_another_seed_is_another_order():
    assert reading_order("listed", ROWS, VALUES, SCORES, 1).tolist() == ROWS.tolist()
    assert (
        reading_order(RANDOM, ROWS, VALUES, SCORES, 1).tolist()
        != reading_order(RANDOM, ROWS, VALUES, SCORES, 2).tolist()
    )


def test_an_order_that_looks_at_nothing_does_not_hang_on_the_list():
    for order in (RANDOM, SPREAD):
        one, other = (reading_order(order, rows, VALUES, SCORES, 4).tolist() for rows in (ROWS, ROWS[::-1]))
        assert one == other


def test_the_values_take_turns_until_one_is_through_and_what_is_not_stated_comes_last():
    values = VALUES[reading_order(SPREAD, ROWS, VALUES, SCORES, 5)]
    for turn in range(5):
        assert sorted(values[3 * turn : 3 * turn + 3]) == [0, 2, 3]
    assert sorted(values[15:19]) == [0, 0, 2, 2]
    assert values[19:25].tolist() == [2] * 6
    assert values[25:].tolist() == [-1, -1]


def test_no_turn_tells_the_next_one():
    rounds = [
        tuple(VALUES[reading_order(SPREAD, ROWS, VALUES, SCORES, seed)][3 * turn : 3 * turn + 3])
        for seed in range(10)
        for turn in range(5)
    ]
    assert len(set(rounds)) == 6


def test_whenever_one_stops_each_film_of_a_value_is_equally_likely_to_be_read():
    """Over all random starts: with 13 films, each seed's start is one of 13, and each start is as likely."""
    n, values = 13, np.full(13, 2)
    scores = np.arange(13.0)
    by_start = {}
    for seed in range(400):
        order = reading_order(SPREAD, np.arange(n), values, scores, seed)
        by_start[int(order[0])] = order
    assert len(by_start) == n
    for stop in range(1, n + 1):
        read = np.bincount(np.concatenate([order[:stop] for order in by_start.values()]), minlength=n)
        assert read.tolist() == [stop] * n


def test_those_read_first_lie_evenly_among_the_scores():
    n = 64
    order = reading_order(SPREAD, np.arange(n), np.full(n, 1), np.arange(n) / n, 11)
    for stop in (2, 4, 8, 16, 32):
        gaps = np.diff(np.sort(order[:stop]))
        assert set(gaps.tolist()) == {n // stop}


def test_the_share_of_those_read_is_right_on_average_and_scatters_less_than_at_random():
    """300 films of a score that tells much of the finding; 20 are read. Counted over 300 seeds of either order."""
    random = np.random.default_rng(0)
    scores = random.random(300)
    present, values = (random.random(300) < expit(8 * scores - 4)).astype(float), np.full(300, 2)
    errors = {}
    for order in (RANDOM, SPREAD):
        reads = [reading_order(order, np.arange(300), values, scores, seed)[:20] for seed in range(300)]
        shares = np.array([present[read].mean() for read in reads])
        errors[order] = shares.std()
        assert shares.mean() == pytest.approx(present.mean(), abs=3.5 * shares.std() / np.sqrt(300))
    assert errors[SPREAD] < 0.9 * errors[RANDOM]


def test_films_without_a_score_are_read_too_and_an_unknown_order_is_refused():
    scores = np.where(np.arange(VALUES.size) % 3 == 0, np.nan, SCORES)
    assert sorted(reading_order(SPREAD, ROWS, VALUES, scores, 1)) == list(range(VALUES.size))
    assert reading_order(SPREAD, np.array([], np.int64), VALUES, scores, 1).size == 0
    with pytest.raises(UnknownNameError, match="alphabetical"):
        reading_order("alphabetical", ROWS, VALUES, SCORES, 1)
