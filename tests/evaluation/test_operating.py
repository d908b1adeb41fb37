import numpy as np
import pytest
from brute_force import patient_rows, rows
from hypothesis import given, settings
from sklearn import metrics

from cxr_core.errors import UsageError
from cxr_core.evaluation.operating import SHARES, operating_point
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters


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


def test_undefined_predictive_values_have_their_reason_and_a_prevalence_its_range():
    nothing = operating_point([1, 0], [0.0, 0.0], 1.0).at_prevalence(0.1)
    assert (nothing.ppv.value, nothing.ppv.why) == (None, "nothing is called positive")
    assert nothing.f1.value == 0.0
    assert operating_point([0, 0], [0.0, 0.0], 1.0).at_prevalence(0.1).npv.why == "there are no positives"
    for wrong in (0, 1, -0.1, 2):
        with pytest.raises(UsageError, match="between 0 and 1"):
            operating_point([1, 0], [0.0, 0.0], 1.0).at_prevalence(wrong)


def by_patient(y, scores, patients, threshold=0.5, minimum=10):
    return operating_point(y, scores, threshold, patient_clusters(patients)[0], minimum)


def summed(rows, patients):
    return np.array([rows[patients == one].sum() for one in np.unique(patients)], dtype=float)


def test_intervals_are_those_of_shares_by_patient():
    y, scores, patients = patient_rows(3, n=200, patients=60)
    point, called = by_patient(y, scores, patients), scores >= 0.5
    among = {
        "sensitivity": (y == 1, called),
        "specificity": (y == 0, ~called),
        "ppv": (called, y == 1),
        "npv": (~called, y == 0),
        "alarms": (np.full(y.size, True), called),
        "false_alarms": (np.full(y.size, True), called & (y == 0)),
    }
    for name, (images, counting) in among.items():
        expected = share_interval(summed(images & counting, patients), summed(images, patients)).ci
        assert getattr(point, name).ci == expected
        assert expected[0] < getattr(point, name).value < expected[1]
    tp, either = summed((y == 1) & called, patients), summed((y == 1) | called, patients)
    assert point.f1.ci == pytest.approx([2 * end / (1 + end) for end in share_interval(tp, either).ci])
    assert point == operating_point(y, scores, 0.5)


def test_images_that_repeat_a_patient_make_no_interval_narrower():
    y, scores, patients = patient_rows(4, n=120, patients=120)
    once, thrice = by_patient(y, scores, patients), by_patient(*(np.repeat(each, 3) for each in (y, scores, patients)))
    for name in SHARES:
        assert getattr(thrice, name).ci == pytest.approx(getattr(once, name).ci)
    assert thrice.at_prevalence(0.1).ppv.ci == pytest.approx(once.at_prevalence(0.1).ppv.ci)


def test_each_class_that_a_share_is_made_of_needs_enough_patients():
    y, patients = np.repeat([1, 0], [6, 40]), np.arange(46)
    scores = np.tile([0.0, 1.0], 23)
    point = by_patient(y, scores, patients)
    few = "only 6 patients with a positive label; an interval needs at least 10"
    assert (point.sensitivity.value, point.sensitivity.ci, point.sensitivity.why_no_ci) == (0.5, None, few)
    assert point.specificity.ci is not None
    assert {getattr(point, name).why_no_ci for name in ("ppv", "npv", "f1", "alarms")} == {few}
    assert (point.at_prevalence(0.2).ppv.ci, point.at_prevalence(0.2).ppv.why_no_ci) == (None, few)
    assert by_patient(y[5:], scores[5:], patients[5:]).sensitivity.why_no_ci.startswith("only 1 patient with a")


def test_a_share_of_all_or_none_has_an_interval_that_is_no_point():
    y, patients = np.repeat([1, 0], [30, 40]), np.arange(70)
    point = by_patient(y, np.ones(70), patients)
    assert (point.sensitivity.value, point.specificity.value) == (1.0, 0.0)
    # Clopper and Pearson 1934 for 30 of 30 and 0 of 40: (.025)^(1/30), 1 - (.025)^(1/40).
    assert point.sensitivity.ci == pytest.approx((0.8843, 1.0), abs=1e-4)
    assert point.specificity.ci == pytest.approx((0.0, 0.0881), abs=1e-4)


def test_without_patients_there_is_no_interval():
    assert operating_point([1, 0], [1.0, 0.0], 0.5).ppv.why_no_ci == "the patients are not known"
