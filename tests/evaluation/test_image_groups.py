import numpy as np
import pytest

from cxr_core.errors import DataError, UnknownNameError
from cxr_core.evaluation.image_groups import GROUPS, group_rows


def drawn(seed, n=150):
    """Codes and scores with many ties, two codes and two scores missing: few enough to be judged."""
    random = np.random.default_rng(seed)
    values = random.choice([0, 1, 2, 3], n, p=[0.4, 0.2, 0.15, 0.25])
    scores = np.round(random.normal(0, 1, n) + (values == 3), 1)
    values[random.choice(n, 2)] = -1
    scores[random.choice(n, 2)] = np.nan
    return values, scores


def by_hand(group, values, scores, threshold):
    """(key, row) of each row of a group by loops, sorted by the key."""
    n = range(len(values))
    there = [row for row in n if np.isfinite(scores[row]) and values[row] >= 0]
    positive = [row for row in there if values[row] == 3]
    negative = [row for row in there if values[row] in (0, 1)]
    if group == "false-positive":
        return sorted((-scores[row], row) for row in negative if scores[row] >= threshold)
    if group == "false-negative":
        return sorted((scores[row], row) for row in positive if scores[row] < threshold)
    if group == "blank":
        return sorted((-scores[row], row) for row in there if values[row] == 0)
    found = []
    for row in positive + negative:
        others, sign = (negative, 1) if values[row] == 3 else (positive, -1)
        wrong = [(sign * (scores[other] - scores[row]) > 0) + (scores[other] == scores[row]) / 2 for other in others]
        if sum(wrong) > 0:
            found.append((-sum(wrong) / len(others), row))
    return sorted(found)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("group", ["false-positive", "false-negative", "blank", "doubtful"])
def test_a_group_is_what_loops_find_in_the_same_order(seed, group):
    values, scores = drawn(seed)
    for threshold in [-9.0, 9.0, *np.unique(scores[np.isfinite(scores)])[::7]]:
        wanted = by_hand(group, values, scores, threshold)
        rows = group_rows(group, values, scores, threshold).rows
        if group != "doubtful":
            assert rows.tolist() == [row for _, row in wanted]
            continue
        keys = {row: key for key, row in wanted}
        assert sorted(rows.tolist()) == sorted(keys)
        falling = [keys[row] for row in rows.tolist()]
        assert falling == pytest.approx(sorted(falling))


def test_the_uncertain_are_taken_in_turn_from_both_ends():
    scores = np.array([0.5, 9.0, 0.1, 0.9, 0.3, 0.7])
    picked = group_rows("uncertain", np.array([2, 3, 2, 2, 2, 2]), scores)
    assert scores[picked.rows].tolist() == [0.9, 0.1, 0.7, 0.3, 0.5]
    assert picked.why[:3] == [
        "uncertain, score 1 from the top",
        "uncertain, score 1 from the bottom",
        "uncertain, score 2 from the top",
    ]
    assert scores[group_rows("uncertain", np.full(6, 2), scores).rows].tolist() == [9, 0.1, 0.9, 0.3, 0.7, 0.5]
    for none in ("uncertain", "blank"):
        assert group_rows(none, np.array([1, 3]), np.zeros(2)).rows.size == 0


def test_the_doubt_says_its_rule():
    picked = group_rows("doubtful", np.array([3, 3, 0, 1, 1]), np.array([0.0, 2.0, 1.0, 1.0, 3.0]))
    assert picked.rows.tolist() == [0, 4, 2, 3, 1]
    assert picked.why == [
        "100.0 % of the negative images score higher (ties half)",
        "100.0 % of the positive images score lower (ties half)",
        "50.0 % of the positive images score lower (ties half)",
        "50.0 % of the positive images score lower (ties half)",
        "33.3 % of the negative images score higher (ties half)",
    ]


def test_what_cannot_be_judged_is_refused_as_the_figures_are():
    with pytest.raises(UnknownNameError, match="group"):
        group_rows("odd", np.array([0]), np.array([0.0]))
    with pytest.raises(DataError, match="doubtful"):
        group_rows("doubtful", np.array([0, 1, 2]), np.zeros(3))
    values, scores = np.array([0, 3] * 10), np.zeros(20)
    scores[:4] = np.nan
    for group in GROUPS:
        if group in ("uncertain", "blank"):
            assert group_rows(group, values, scores).rows.size == (8 if group == "blank" else 0)
        else:
            with pytest.raises(DataError, match="There is no group"):
                group_rows(group, values, scores, 0.5)
