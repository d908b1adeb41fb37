import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from cxr_core.evaluation.simultaneous import (
    Difference,
    Family,
    clustered,
    clustered_mean,
    family_of,
    holm,
    holm_levels,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_without_clusters_it_is_students_test_of_a_mean():
    rng = np.random.default_rng(0)
    each = rng.normal(0.3, 1, size=25)
    found = clustered(each.mean(), (each - each.mean()) / each.size, each.size)
    expected = stats.ttest_1samp(each, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_a_difference_without_variance_is_none():
    assert clustered(0.0, np.zeros(9), 9) is None
    assert clustered_mean(0.0, np.zeros((2, 2)), np.array([9, 9])) is None


def test_of_one_label_the_mean_is_that_label():
    influence = np.random.default_rng(0).normal(size=20)
    found = clustered_mean(0.1, (influence @ influence)[None, None], np.array([20]))
    alone = clustered(0.1, influence, 20)
    assert (found.error, found.freedom, found.p) == pytest.approx((alone.error, alone.freedom, alone.p))


def test_the_degrees_of_freedom_of_a_mean_are_welchs():
    # The difference of two means, as twice the mean of the first and minus the second: Welch's test has the same t.
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.4, 1, size=12), rng.normal(0, 3, size=30)
    influences = np.zeros((42, 2))
    influences[:12, 0], influences[12:, 1] = (a - a.mean()) / 12, -(b - b.mean()) / 30
    found = clustered_mean((a.mean() - b.mean()) / 2, influences.T @ influences, np.array([12, 30]))
    assert found.freedom == pytest.approx(stats.ttest_ind(a, b, equal_var=False).df)


def test_holm_steps_down():
    # By hand: sorted .005*4, .01*3, .03*2, .04*1 -> .02, .03, .06, .04; then never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []
    # .005 is tested at .05/4 and .01 at .05/3; the step at .05/2 ends it for the others.
    assert holm_levels([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])
    assert holm_levels([]) == []


@given(P_VALUES)
def test_holm_lies_between_no_correction_and_bonferronis(p_values):
    for p, corrected in zip(p_values, holm(p_values), strict=True):
        assert p <= corrected <= min(1, p * len(p_values)) + 1e-15


@settings(max_examples=15)
@given(P_VALUES)
def test_holm_equals_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(P_VALUES)
def test_a_corrected_p_is_below_a_twentieth_exactly_where_p_is_below_its_level(p_values):
    for p, corrected, level in zip(p_values, holm(p_values), holm_levels(p_values), strict=True):
        assert (corrected < 0.05) == (p < level) or abs(p - level) < 1e-15


def test_independent_differences_are_corrected_as_sidak_says():
    independent = np.concatenate([np.eye(8), np.zeros((8, 1))], axis=1)
    family = family_of(independent, [(k, 8) for k in range(8)])
    assert family.tests == 8
    assert family.level == pytest.approx(1 - 0.95 ** (1 / 8), rel=0.05)
    for p in (0.001, 0.01, 0.05):
        assert family.corrected(p) == pytest.approx(1 - (1 - p) ** 8, rel=0.05)


@pytest.mark.parametrize("models", [3, 5])
def test_all_pairs_of_equal_models_are_corrected_as_tukey_says(models):
    family = family_of(np.eye(models), [(a, b) for b in range(models) for a in range(b)])
    critical = stats.studentized_range.ppf(0.95, models, np.inf) / np.sqrt(2)
    assert family.level == pytest.approx(2 * stats.norm.sf(critical), rel=0.05)


def test_the_same_difference_many_times_is_one_test():
    one = np.random.default_rng(0).normal(size=50)
    family = family_of(np.stack([one, np.zeros(50), one], axis=1), [(0, 1), (2, 1), (0, 2)])
    assert family.tests == 2  # the third has no variance
    assert family.level == pytest.approx(0.05, rel=0.05)
    assert family.corrected(0.03) == pytest.approx(0.03, rel=0.1)


def test_one_test_is_not_corrected_and_none_is_no_family():
    alone = family_of(np.stack([np.arange(4.0), np.zeros(4)], axis=1), [(0, 1)])
    assert (alone.level, alone.corrected(0.02)) == (0.05, 0.02)
    assert family_of(np.zeros((1, 0)), []).tests == 0


@given(st.floats(1e-9, 1), st.integers(2, 400), st.floats(0.5, 6))
def test_the_interval_at_the_familys_level_leaves_out_zero_exactly_where_the_corrected_p_says(p, tests, spread):
    family = Family(tests, np.sort(np.abs(np.random.default_rng(3).normal(0, spread, size=999))))
    difference = Difference(-float(stats.t.isf(p / 2, 11)), 1.0, 11)
    low, high = difference.interval(family.level)
    if abs(difference.p / family.level - 1) > 1e-9:
        assert (family.corrected(difference.p) < 0.05) == (not low <= 0 <= high)


def test_the_level_lies_between_the_draws_at_which_the_corrected_p_becomes_significant():
    # Of 99 draws 4 may be reached: (4 + 1) / 100 is no longer below .05.
    family = Family(1000, np.arange(1.0, 100.0) / 30)
    for between in np.arange(1.5, 99.0) / 30:
        p = 2 * stats.norm.sf(between)
        assert (family.corrected(p) < 0.05) == (p < family.level), between


def test_two_tests_are_corrected():
    family = family_of(np.concatenate([np.eye(2), np.zeros((2, 1))], axis=1), [(0, 2), (1, 2)])
    assert family.level == pytest.approx(1 - 0.95**0.5, rel=0.05)
    assert family.corrected(0.03) == pytest.approx(1 - 0.97**2, rel=0.05)


@given(st.floats(0, 1), st.integers(1, 50))
def test_a_corrected_p_lies_between_p_and_bonferronis(p, tests):
    family = Family(tests, np.sort(np.abs(np.random.default_rng(4).normal(0, 2, size=99))))
    assert p <= family.corrected(p) <= max(p, min(1.0, p * tests))
