import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from cxr_core.evaluation.proportions import share_interval, square_and_add


def test_the_interval_is_that_of_a_ratio_estimator_on_the_logit_scale():
    # Three patients with 1, 2 and 4 images, of which 1, 0 and 2 count: 3 / 7, by hand.
    found = share_interval(np.array([1.0, 0.0, 2.0]), np.array([1.0, 2.0, 4.0])).ci
    share = 3 / 7
    squares = (1 - share) ** 2 + (2 * share) ** 2 + (2 - 4 * share) ** 2
    error = np.sqrt(3 / 2 * squares) / 7 / (share * (1 - share))
    logits = np.log(share / (1 - share)) + stats.t.ppf([0.025, 0.975], 2) * error
    assert found == pytest.approx(1 / (1 + np.exp(-logits)))


def test_with_one_image_a_patient_it_is_about_the_binomial_one():
    found = share_interval(np.repeat([1.0, 0.0], [300, 700]), np.ones(1000)).ci
    assert found == pytest.approx(proportion_confint(300, 1000, method="wilson"), abs=0.002)


@given(st.integers(2, 80), st.data())
def test_more_of_the_same_from_each_patient_says_nothing_new(patients, data):
    images = np.array(data.draw(st.lists(st.integers(0, 4), min_size=patients, max_size=patients)), dtype=float)
    counting = np.floor(images * data.draw(st.floats(0, 1)))
    once, thrice = share_interval(counting, images), share_interval(3 * counting, 3 * images)
    assert (once.ci is None) == (thrice.ci is None)
    if once.ci:
        assert thrice.ci == pytest.approx(once.ci)


@pytest.mark.parametrize("successes", [0, 25])
def test_none_or_all_have_the_exact_interval_of_as_many_patients(successes):
    counting, images = np.full(25, float(successes > 0)), np.ones(25)
    low, high = proportion_confint(successes, 25, method="beta")
    expected = (0.0, high) if successes == 0 else (low, 1.0)
    assert share_interval(counting, images).ci == pytest.approx(expected)
    assert share_interval(2 * counting, 2 * images).ci == pytest.approx(expected)


def test_patients_without_such_images_are_no_part_of_it():
    counting, images = np.array([1.0, 0, 1, 1]), np.array([2.0, 1, 1, 3])
    padded = share_interval(np.append(counting, [0, 0]), np.append(images, [0, 0]))
    assert padded == share_interval(counting, images)
    assert share_interval(np.array([1.0, 0]), np.array([2.0, 0])).why == "only 1 patient; an interval needs at least 2"


def test_patients_that_are_all_alike_do_not_tell_how_far_patients_differ():
    found = share_interval(np.ones(9), np.full(9, 2.0))
    assert found.ci is None
    assert found.why.startswith("it is the same in each patient")


def test_square_and_add_of_a_difference_is_newcombes_method_10():
    # Newcombe 1998 (Statist. Med. 17, 873), example (a): 56/70 - 48/80 = 0.2, interval 0.0524 to 0.3339.
    intervals = proportion_confint(56, 70, method="wilson"), proportion_confint(48, 80, method="wilson")
    found = square_and_add(lambda a, b: a - b, (56 / 70, 48 / 80), intervals)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)
