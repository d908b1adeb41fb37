"""Differences over seeds and patients: against a plain two-way layout, by hand, and where a side has one seed."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from cxr_core.evaluation.seeds import Floor, Seeds, pooled_floor, seed_difference, seeds_needed


def sides(rng, n_a, n_b, patients=400, own=0.0):
    """Means over patients as figures: the influence of a patient on a mean is its deviation over n."""
    common = rng.normal(0, 1, (patients, 1))
    seeds = [rng.normal(0, 0.05, n) for n in (n_a, n_b)]
    each = [common + own * rng.normal(0, 1, (patients, n)) + seed for n, seed in zip((n_a, n_b), seeds, strict=True)]
    return [Seeds(one.mean(axis=0), (one - one.mean(axis=0)) / patients) for one in each]


def test_where_patients_move_nothing_it_is_welchs_test_of_the_seeds():
    a, b = sides(np.random.default_rng(1), 5, 4)
    found = seed_difference(a, b, 399)
    expected = ttest_ind(a.values, b.values, equal_var=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.ci == pytest.approx(tuple(expected.confidence_interval()), rel=1e-6)
    assert found.error_patients == pytest.approx(0, abs=1e-8)


def test_the_variance_is_that_of_many_draws_of_seeds_and_patients():
    """What seeds and patients do together is counted once: the mean of the estimates is the variance of the values."""
    rng, found, values = np.random.default_rng(2), [], []
    for _ in range(3000):
        a, b = sides(rng, 3, 3, 40, own=0.6)
        one = seed_difference(a, b, 39)
        found.append(one.error_seeds**2 + one.error_patients**2)
        values.append(one.value)
    # Patients' parts below 0 are taken as 0, which adds a little.
    assert np.mean(found) == pytest.approx(np.var(values), rel=0.12)


def test_one_seed_takes_the_floor_of_the_other_side_or_of_similar_trainings():
    a, b = sides(np.random.default_rng(3), 1, 6)
    assert seed_difference(a, b, 399).floor == pooled_floor([b.values])
    alone = [Seeds(one.values[:1], one.influences[:, :1]) for one in (a, b)]
    known = seed_difference(*alone, 399, Floor(0.05, 8))
    assert known.error_seeds == pytest.approx(0.05 * np.sqrt(2))
    unknown = seed_difference(*alone, 399)
    assert unknown.ci is None
    assert unknown.p is None
    assert "one seed each" in unknown.why
    assert unknown.error_patients is not None


def test_few_patients_and_models_that_are_alike_have_no_interval():
    a, b = sides(np.random.default_rng(4), 3, 3)
    assert "too few" in seed_difference(a, b, 0).why
    same = Seeds(np.full(2, 0.8), np.zeros((5, 2)))
    assert seed_difference(same, same, 4).ci is None


@pytest.mark.parametrize(("sd", "seeds"), [(0.005, 17), (0.01, 64), (0.0025, 6)])
def test_the_seeds_needed_are_those_of_tables_of_power(sd, seeds):
    """Cohen (1988), table 2.4.1: for d = 1, .5 and 2, two-sided .05 and power .80, n is 17, 64 and 6."""
    assert seeds_needed(Floor(sd, 10)) == seeds
    assert seeds_needed(Floor(1.0, 10)) is None
    assert seeds_needed(Floor(0.0, 10)) == 2
