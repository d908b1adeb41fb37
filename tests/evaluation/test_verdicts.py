from collections import Counter

import numpy as np
import pytest

from cxr_core.evaluation.verdicts import majority, majority_of_others, own_verdicts

VOTES = np.random.default_rng(7).integers(0, 4, size=(400, 5))


def by_hand(row):
    votes = Counter({1: "absent", 3: "present"}.get(int(code)) for code in row)
    if votes["present"] == votes["absent"]:
        return -1
    return int(votes["present"] > votes["absent"])


def test_the_majority_of_present_and_absent_is_the_verdict_and_a_tie_is_none():
    assert majority(VOTES).tolist() == [by_hand(row) for row in VOTES]


@pytest.mark.parametrize("reader", range(5))
def test_the_majority_of_the_others_leaves_the_reader_out(reader):
    others = [[code for place, code in enumerate(row) if place != reader] for row in VOTES]
    assert majority_of_others(VOTES, reader).tolist() == [by_hand(row) for row in others]


def test_unsure_and_not_read_are_no_verdict():
    assert own_verdicts(np.array([[0], [1], [2], [3]]), 0).tolist() == [-1, 0, -1, 1]


def test_without_readers_there_is_no_verdict():
    assert majority(np.empty((3, 0), np.int64)).tolist() == [-1, -1, -1]
