import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cxr_core.errors import DataError, UnknownNameError
from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.disagreement import models_differ, studies_contradict
from cxr_core.evaluation.image_groups import CELLS, GROUPS, group_rows
from cxr_core.evaluation.operating import operating_point


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
    if group == "true-positive":
        return sorted((-scores[row], row) for row in positive if scores[row] >= threshold)
    if group == "true-negative":
        return sorted((scores[row], row) for row in negative if scores[row] < threshold)
    if group == "blank":
        return sorted((-scores[row], row) for row in there if values[row] == 0)
    if group == "negative":
        return sorted((-scores[row], row) for row in there if values[row] == 1)
    if group == "positive":
        return sorted((scores[row], row) for row in there if values[row] == 3)
    if group == "blank-called-positive":
        return sorted((-scores[row], row) for row in there if values[row] == 0 and scores[row] >= threshold)
    if group == "positive-called-negative":
        return sorted((scores[row], row) for row in there if values[row] == 3 and scores[row] < threshold)
    if group.startswith("uncertain-"):
        sign = -1 if group.endswith("highest") else 1
        return sorted((sign * scores[row], row) for row in there if values[row] == 2)
    raise AssertionError(group)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("group", sorted({*GROUPS} - {"uncertain", "doubtful", "models-differ", "study-contradicts"}))
def test_a_group_is_what_loops_find_in_the_same_order(seed, group):
    values, scores = drawn(seed)
    for threshold in [-9.0, 9.0, *np.unique(scores[np.isfinite(scores)])[::7]]:
        wanted = by_hand(group, values, scores, threshold)
        rows = group_rows(group, values, scores, threshold).rows
        assert rows.tolist() == [row for _, row in wanted]


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


@given(
    st.lists(st.tuples(st.integers(-1, 3), st.sampled_from([-2.0, -0.5, 0.0, 0.5, 2.0])), min_size=1, max_size=40),
    st.sampled_from([-3.0, -0.5, 0.0, 0.1, 2.0, 3.0]),
)
def test_the_cells_are_the_counts_of_the_confusion_table_whatever_the_threshold(rows, threshold):
    values, scores = np.array([value for value, _ in rows]), np.array([score for _, score in rows])
    certain = certain_rows(values, scores)
    assume(certain.why is None)
    point = operating_point(certain.y, certain.scores, threshold)
    found = {group: group_rows(group, values, scores, threshold).rows.tolist() for group in CELLS}
    counts = {group: len(cell) for group, cell in found.items()}
    assert counts == {
        "false-positive": point.fp,
        "false-negative": point.fn,
        "true-positive": point.tp,
        "true-negative": point.tn,
    }
    assert sorted(row for cell in found.values() for row in cell) == np.flatnonzero(certain.mask).tolist()


def test_what_two_models_rank_most_differently_stands_first_whatever_their_scales():
    one, other = np.array([1.0, 2, 3, 4, np.nan]), np.array([90.0, 20, 30, 10, 50])
    picked = models_differ(one, other)
    assert picked.rows.tolist() == [0, 3]
    assert picked.why[0] == "higher than 12.5 % by one, 87.5 % by the other"
    assert models_differ(one, 7 * one).rows.size == 0 == models_differ(one, np.full(5, np.nan)).rows.size


def test_studies_whose_images_are_scored_apart_stand_together_the_widest_first():
    studies = np.array([7, 8, 7, 9, 9, 8, 6])
    scores = np.array([0.1, 0.5, 0.9, 0.6, 0.6, 0.7, 0.2])
    picked = studies_contradict(studies, np.zeros(7, int), scores)
    assert picked.rows.tolist() == [2, 0, 5, 1]
    assert picked.why[0] == "85.7 % of the images score between the highest and the lowest of the study"


def test_without_a_model_studies_contradict_by_their_values():
    studies, values = np.array([7, 8, 7, 9, 8]), np.array([3, 1, 0, 2, -1])
    picked = studies_contradict(studies, values, None)
    assert picked.rows.tolist() == [0, 2]
    assert studies_contradict(studies, np.full(5, -1), None).rows.size == 0


def test_what_cannot_be_judged_is_refused_as_the_figures_are():
    with pytest.raises(UnknownNameError, match="group"):
        group_rows("odd", np.array([0]), np.array([0.0]))
    values, scores = np.array([0, 3] * 10), np.zeros(20)
    scores[:4] = np.nan
    for group in set(GROUPS) - {"doubtful", "models-differ", "study-contradicts"}:
        if group in ("blank", "positive", "negative") or group.startswith("uncertain"):
            assert group_rows(group, values, scores).rows.size == (8 if group in ("blank", "positive") else 0)
        else:
            with pytest.raises(DataError, match="There is no group"):
                group_rows(group, values, scores, 0.5)
