"""How far scores have moved: SciPy's Kolmogorov-Smirnov distance, from percentiles alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from cxr_core.evaluation.score_shift import percentiles, score_shift


@pytest.mark.parametrize("by", [0.0, 0.2, 1.0, 50.0])
def test_the_distance_is_that_of_scipy_within_a_percentile(by):
    random = np.random.default_rng(3)
    first, second = random.normal(size=700), random.normal(by, 1.3, size=450)
    exact = ks_2samp(first, second).statistic
    assert score_shift(percentiles(first), second) == pytest.approx(exact, abs=0.011)
    assert 0 <= score_shift(percentiles(first), second) <= 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=300))
def test_the_same_scores_have_not_moved_also_where_many_are_equal(scores):
    scores = np.array(scores, dtype=float)
    assert score_shift(percentiles(scores), scores) <= 0.0101


def test_without_scores_there_is_no_distance():
    assert percentiles(np.array([])) == []
    assert score_shift([], np.array([1.0])) is None and score_shift([1.0], np.array([])) is None
