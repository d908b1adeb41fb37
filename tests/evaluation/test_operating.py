import numpy as np
import pytest
from brute_force import expanded_levels, patient_rows, rows, values_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from statsmodels.stats.proportion import proportion_confint

from cxr_core.errors import UsageError
from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.curves import roc_curve
from cxr_core.evaluation.operating import (
    SHARES,
    chosen_threshold,
    operating_intervals,
    operating_point,
    threshold_for_sensitivity,
    threshold_for_specificity,
    youden_threshold,
)
from cxr_core.evaluation.patient_sums import resampling_of
from cxr_core.evaluation.proportions import square_and_add, wilson_interval


@settings(max_examples=40)
@given(rows())
def test_the_confusion_matrix_and_its_shares_equal_scikit_learns(data):
    y, scores = data
    point = operating_point(y, scores, float(np.median(scores)))
    called = scores >= np.median(scores)
    assert [point.tn, point.fp, point.fn, point.tp] == metrics.confusion_matrix(
        y, called, labels=[0, 1]
    ).ravel().tolist()
    assert point.sensitivity.value == pytest.approx(metrics.recall_score(y, called))
    assert point.specificity.value == pytest.approx(metrics.recall_score(y, called, pos_label=0))
    assert point.ppv.value == pytest.approx(metrics.precision_score(y, called))
    assert point.f1.value == pytest.approx(metrics.f1_score(y, called))
    if point.npv.value is not None:
        assert point.npv.value == pytest.approx(metrics.precision_score(y, called, pos_label=0))


def test_a_score_at_the_threshold_is_called_positive():
    assert operating_point([1, 0], [0.5, 0.4], 0.5).tp == 1


def test_what_cannot_be_counted_is_none_with_its_reason():
    nothing_called = operating_point([1, 0], [0.0, 0.0], 1.0)
    assert (nothing_called.ppv.value, nothing_called.ppv.why) == (None, "nothing is called positive")
    assert (nothing_called.f1.value, nothing_called.sensitivity.value) == (0.0, 0.0)
    no_positives = operating_point([0, 0], [0.0, 1.0], 0.5)
    assert (no_positives.sensitivity.value, no_positives.sensitivity.why) == (None, "there are no positives")
    assert operating_point([], [], 0.0).f1.value is None


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombe_1998_table_1(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_interval_ends_at_one_for_all_and_is_none_for_nothing():
    assert wilson_interval(7, 7)[1] == 1.0
    assert wilson_interval(0, 0) is None


def test_the_interval_of_f1_is_that_of_its_jaccard_index():
    point = operating_point([1] * 81 + [0] * 182 + [0] * 5, [1.0] * 263 + [0.0] * 5, 0.5)
    assert point.f1.value == pytest.approx(2 * 81 / (2 * 81 + 182))
    assert point.f1.ci == pytest.approx((2 * 0.2553 / 1.2553, 2 * 0.3662 / 1.3662), abs=1e-4)


@given(rows())
def test_no_threshold_beats_youdens(data):
    y, scores = data
    curve = roc_curve(y, scores)
    point = operating_point(y, scores, youden_threshold(y, scores))
    best = (curve.tpr - curve.fpr).max()
    assert point.sensitivity.value + point.specificity.value - 1 == pytest.approx(best, abs=1e-12)


def test_youdens_threshold_needs_both_classes():
    assert youden_threshold([1, 1], [0.0, 1.0]) is None


@given(st.integers(1, 400), st.data())
def test_wilsons_interval_is_statsmodels(n, data):
    successes = data.draw(st.integers(0, n))
    expected = proportion_confint(successes, n, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx(expected, abs=1e-12)


@given(rows(), st.floats(0.01, 1))
def test_a_wanted_sensitivity_is_reached_and_no_larger_threshold_reaches_it(data, wanted):
    y, scores = data
    threshold = threshold_for_sensitivity(y, scores, wanted)
    assert np.mean(scores[y == 1] >= threshold) >= wanted
    larger = scores[scores > threshold]
    assert not larger.size or np.mean(scores[y == 1] >= larger.min()) < wanted


@given(rows(), st.floats(0.01, 1))
def test_a_wanted_specificity_is_reached_and_no_smaller_threshold_reaches_it(data, wanted):
    y, scores = data
    threshold = threshold_for_specificity(y, scores, wanted)
    assert np.mean(scores[y == 0] < threshold) >= wanted
    smaller = scores[scores < threshold]
    assert not smaller.size or np.mean(scores[y == 0] < smaller.max()) < wanted


def test_a_rule_chooses_the_threshold():
    y, scores, _ = patient_rows(1)
    assert chosen_threshold(y, scores, "youden") == youden_threshold(y, scores)
    assert chosen_threshold(y, scores, "sensitivity", 0.9) == threshold_for_sensitivity(y, scores, 0.9)
    assert chosen_threshold(y, scores, "specificity", 0.9) == threshold_for_specificity(y, scores, 0.9)
    assert chosen_threshold(y, scores, "fixed", -1) == -1.0
    assert chosen_threshold([1, 1], [0.0, 1.0], "sensitivity", 0.9) is None


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("median", 0.5),
        ("fixed", None),
        ("fixed", np.nan),
        ("sensitivity", 0),
        ("specificity", 1.01),
        ("sensitivity", None),
    ],
)
def test_a_rule_that_is_none_or_lacks_its_number_is_refused(rule, wanted):
    with pytest.raises(UsageError, match="Received"):
        chosen_threshold([0, 1], [0.0, 1.0], rule, wanted)


def test_at_the_datas_own_prevalence_bayes_rule_gives_the_datas_shares():
    y, scores, _ = patient_rows(2)
    point = operating_point(y, scores, 0.5)
    same = point.at_prevalence(point.prevalence)
    assert (same.ppv.value, same.npv.value, same.f1.value) == pytest.approx(
        (point.ppv.value, point.npv.value, point.f1.value)
    )


def test_predictive_values_at_another_prevalence_are_those_of_a_textbook():
    # Sensitivity 90 %, specificity 91 %, prevalence 1 %: of 1,000 women 9 true and 89 false alarms (Gigerenzer 2007).
    values = operating_point([1] * 10 + [0] * 100, [1.0] * 9 + [0.0] + [1.0] * 9 + [0.0] * 91, 0.5).at_prevalence(0.01)
    assert values.ppv.value == pytest.approx(0.009 / (0.009 + 0.0891))
    assert values.npv.value == pytest.approx(0.9009 / (0.9009 + 0.001))
    assert values.ppv.ci[0] < values.ppv.value < values.ppv.ci[1]


def test_undefined_predictive_values_have_their_reason_and_a_prevalence_its_range():
    nothing = operating_point([1, 0], [0.0, 0.0], 1.0).at_prevalence(0.1)
    assert (nothing.ppv.value, nothing.ppv.why) == (None, "nothing is called positive")
    assert nothing.f1.value == 0.0
    assert operating_point([0, 0], [0.0, 0.0], 1.0).at_prevalence(0.1).npv.why == "there are no positives"
    for wrong in (0, 1, -0.1, 2):
        with pytest.raises(UsageError, match="between 0 and 1"):
            operating_point([1, 0], [0.0, 0.0], 1.0).at_prevalence(wrong)


def test_square_and_add_of_a_difference_is_newcombes_method_10():
    # Newcombe 1998 (Statist. Med. 17, 873), example (a): 56/70 - 48/80 = 0.2, interval 0.0524 to 0.3339.
    intervals = wilson_interval(56, 70), wilson_interval(48, 80)
    found = square_and_add(lambda a, b: a - b, (56 / 70, 48 / 80), intervals)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_the_interval_of_ppv_at_a_set_prevalence_covers_its_true_value():
    rng = np.random.default_rng(0)
    true = 0.05 * 0.8 / (0.05 * 0.8 + 0.95 * 0.1)
    covered = 0
    for _ in range(1000):
        tp, fp = rng.binomial(60, 0.8), rng.binomial(200, 0.1)
        y, called = [1] * 60 + [0] * 200, [1.0] * tp + [0.0] * (60 - tp) + [1.0] * fp + [0.0] * (200 - fp)
        low, high = operating_point(y, called, 0.5).at_prevalence(0.05).ppv.ci
        covered += low <= true <= high
    assert 0.93 <= covered / 1000 <= 0.97


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_intervals_by_patient_equal_a_plain_bootstrap_with_the_draws_of_all_labels(prevalence):
    y, scores, patients = patient_rows(3)
    values = values_of(y)
    values[::7] = 2
    found_rows = certain_rows(values, scores)
    found = operating_intervals(
        found_rows.y, found_rows.scores, 0.5, resampling_of(found_rows, patients, 200, 10), prevalence
    )
    names, certain, each = np.unique(patients), values != 2, []
    for drawn in names[np.random.default_rng(2019).integers(names.size, size=(200, names.size))]:
        picked = np.concatenate([np.flatnonzero((patients == patient) & certain) for patient in drawn])
        point = operating_point(y[picked], scores[picked], 0.5)
        at = point if prevalence is None else point.at_prevalence(prevalence)
        each.append([point.sensitivity.value, point.specificity.value, at.ppv.value, at.npv.value, at.f1.value])
    levels = expanded_levels(y[certain], patients[certain])
    for name, replicates in zip(SHARES, np.transpose(each), strict=True):
        assert found[name].ci == pytest.approx(np.quantile(replicates, levels), abs=1e-12)


def test_too_few_patients_have_no_interval_by_patient():
    rows_found = certain_rows([3, 0, 0], [1.0, 0.0, 0.5])
    found = operating_intervals(rows_found.y, rows_found.scores, 0.5, resampling_of(rows_found, [1, 2, 3], 100, 30))
    assert {interval.ci for interval in found.values()} == {None}
    assert "only 1 patients with a positive label" in found["ppv"].why
