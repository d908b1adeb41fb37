import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from cxr_core.evaluation.shares import helped_share, present_share, shrunk_shares


def test_a_share_counts_what_was_read_and_leaves_out_what_was_not():
    verdicts = np.array([1] * 6 + [0] * 9 + [-1] * 5)
    found = present_share(verdicts, np.arange(20))
    assert (found.n, found.n_read, found.n_present, found.n_patients) == (20, 15, 6, 15)
    assert found.share == pytest.approx(6 / 15)


def test_below_ten_readings_there_is_no_share_and_it_says_how_many_more():
    found = present_share([1, 0, 1] + [-1] * 400, np.arange(403))
    assert found.share is None
    assert found.why == "only 3 of 403 were read; a share needs at least 10"
    assert found.more_to_read == 97 - 3  # 1.96^2 * .25 / .1^2


def test_many_independent_images_have_wilsons_interval():
    verdicts = np.array([1] * 1500 + [0] * 3500)
    assert present_share(verdicts, np.arange(5000)).ci == pytest.approx(
        proportion_confint(1500, 5000, method="wilson"), abs=2e-5
    )


def test_few_independent_images_have_wilsons_interval_with_students_quantile():
    low, high = present_share([1] * 12 + [0] * 28, np.arange(40)).ci
    level = 2 * stats.norm.sf(stats.t.ppf(0.975, 39))
    assert (low, high) == pytest.approx(proportion_confint(0.3 * 39, 39, alpha=level, method="wilson"), abs=1e-12)


def test_images_that_are_copies_tell_as_much_as_one_image_a_patient():
    once = np.array([1] * 12 + [0] * 28)
    copied = present_share(np.repeat(once, 5), np.repeat(np.arange(40), 5))
    alone = present_share(once, np.arange(40))
    assert copied.ci == pytest.approx(alone.ci, abs=0.01)


def test_where_none_is_present_the_interval_is_not_empty():
    low, high = present_share(np.zeros(20), np.arange(20)).ci
    assert low == 0
    assert 0.1 < high < 0.25


def test_one_patient_alone_has_no_interval():
    found = present_share([1, 0] * 10, np.zeros(20))
    assert found.share == 0.5 and found.ci is None and "one patient" in found.why


def test_a_good_model_narrows_the_share_and_a_useless_one_is_left_out():
    random = np.random.default_rng(5)
    truth = random.random(3000) < 0.3
    verdicts = np.where(np.arange(3000) < 80, truth.astype(int), -1)
    patients = np.arange(3000)
    plain = present_share(verdicts, patients)
    good = helped_share(verdicts, np.where(truth, 0.9, 0.1) + random.normal(0, 0.05, 3000), patients)
    useless = helped_share(verdicts, random.random(3000), patients)
    width = plain.ci[1] - plain.ci[0]
    assert good.ci[1] - good.ci[0] < 0.5 * width
    assert good.share == pytest.approx(truth.mean(), abs=0.04)
    assert useless.weight < 0.3
    assert useless.share == pytest.approx(plain.share, abs=0.05)


def test_the_helped_share_with_its_weight_is_the_formula_of_the_paper():
    random = np.random.default_rng(6)
    truth = (random.random(500) < 0.4).astype(int)
    predicted = 0.3 + 0.4 * truth + random.normal(0, 0.5, 500)
    read = np.arange(500) < 60
    found = helped_share(np.where(read, truth, -1), predicted, np.arange(500))
    y, f = truth[read], predicted[read]
    weight = np.cov(y, f)[0, 1] / ((1 + 60 / 440) * np.var(f, ddof=1))
    assert found.weight == pytest.approx(weight)
    assert found.share == pytest.approx(weight * predicted[~read].mean() + (y - weight * f).mean())


def test_without_unread_rows_or_with_few_readings_a_model_cannot_help():
    assert helped_share(np.ones(30), np.full(30, 0.5), np.arange(30)) is None
    assert helped_share([1, 0, -1], [0.5, 0.5, 0.5], [1, 2, 3]) is None


def test_shares_are_drawn_to_the_mean_the_more_the_fewer_were_read():
    present, read = np.array([40, 1, 5, 0]), np.array([100, 2, 100, 0])
    shares = shrunk_shares(present, read)
    mean = 46 / 202
    assert shares[3] == pytest.approx(mean)
    assert abs(shares[1] - mean) < abs(0.5 - mean)
    assert shares[0] == pytest.approx(0.4, abs=0.02)
    assert shrunk_shares([0, 0], [0, 0]).tolist() == [0.5, 0.5]
