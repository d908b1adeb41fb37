import numpy as np
import pytest
from brute_force import auc_by_pairs, expanded_levels, expanded_p, patient_rows, values_of
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from statsmodels.stats.multitest import multipletests

from cxr_core.evaluation.comparison import compare_labels, holm
from cxr_core.evaluation.delong import delong_test
from cxr_core.evaluation.intervals import bootstrap_p


def compared(values, a, b, patients, resamples=200):
    return compare_labels({"edema": values}, {"edema": a}, {"edema": b}, patients, resamples, 10).labels["edema"]


def test_the_difference_its_interval_and_its_p_equal_a_plain_paired_bootstrap():
    y, a, patients = patient_rows(1)
    b = a + patient_rows(2, shift=0.0)[1]
    values = values_of(y)
    values[::9] = 2
    certain = values != 2
    found = compared(values, a, b, patients)
    names = np.unique(patients)
    drawn_differences = []
    for drawn in names[np.random.default_rng(2019).integers(names.size, size=(200, names.size))]:
        picked = np.concatenate([np.flatnonzero((patients == patient) & certain) for patient in drawn])
        drawn_differences.append(
            metrics.roc_auc_score(y[picked], a[picked]) - metrics.roc_auc_score(y[picked], b[picked])
        )
    drawn_differences = np.array(drawn_differences)
    assert found.n == certain.sum()
    difference = auc_by_pairs(y[certain], a[certain]) - auc_by_pairs(y[certain], b[certain])
    assert found.difference == pytest.approx(difference, abs=1e-12)
    assert found.ci == pytest.approx(
        np.quantile(drawn_differences, expanded_levels(y[certain], patients[certain])), abs=1e-12
    )
    assert found.p == pytest.approx(expanded_p(drawn_differences, y[certain], patients[certain]))
    assert found.p_corrected == found.p
    assert found.p_delong == delong_test(y[certain], a[certain], b[certain]).p
    assert found.why == {}


def test_swapping_the_models_turns_the_sign_and_nothing_else():
    y, a, patients = patient_rows(3)
    b = patient_rows(4, shift=0.0)[1]
    there, back = compared(values_of(y), a, b, patients), compared(values_of(y), b, a, patients)
    assert there.difference == -back.difference
    assert there.ci == pytest.approx((-back.ci[1], -back.ci[0]))
    assert (there.p, there.p_delong) == pytest.approx((back.p, back.p_delong))


def test_identical_models_have_a_difference_of_zero_and_no_p():
    y, scores, patients = patient_rows(5)
    found = compared(values_of(y), scores, np.exp(scores), patients)
    assert (found.difference, found.ci, found.p, found.p_corrected, found.p_delong) == (0.0, None, None, None, None)
    assert set(found.why) == {"ci", "p", "p_corrected", "p_delong"}
    assert "alike" in found.why["p"]


def test_a_better_model_is_found_better_and_two_noisy_ones_are_not():
    y, a, patients = patient_rows(6, n=300, patients=200, shift=2.0)
    noise = np.random.default_rng(0).normal(size=(2, 300))
    assert compared(values_of(y), a, noise[0], patients, 1000).p < 0.01
    assert compared(values_of(y), noise[0], noise[1], patients, 1000).p > 0.05


def test_the_family_is_the_labels_with_a_p():
    labels = ("edema", "fracture", "pneumonia")
    y, a, patients = patient_rows(7)
    b = a + patient_rows(8, shift=0.0)[1]
    values = {"edema": values_of(y), "fracture": values_of(y), "pneumonia": np.zeros(80)}
    first, second = dict.fromkeys(labels, a), {"edema": b, "fracture": b - a, "pneumonia": b}
    found = compare_labels(values, first, second, patients, 200, 10)
    assert found.tests == 2
    p = [found.labels[label].p for label in ("edema", "fracture")]
    assert [found.labels[label].p_corrected for label in ("edema", "fracture")] == holm(p)
    undefined = found.labels["pneumonia"]
    assert (undefined.difference, undefined.p, undefined.p_corrected) == (None, None, None)
    assert undefined.why == dict.fromkeys(
        ("difference", "ci", "p", "p_corrected", "p_delong"), "there are no positives"
    )
    assert found.mean.labels == 2
    each = [found.labels[label].difference for label in ("edema", "fracture")]
    assert found.mean.value == pytest.approx(np.mean(each))
    assert found.mean.ci[0] < found.mean.value < found.mean.ci[1]


def test_only_labels_of_both_models_are_compared():
    y, a, patients = patient_rows(9)
    values = {"edema": values_of(y), "fracture": values_of(y)}
    found = compare_labels(values, {"edema": a, "fracture": a}, {"fracture": -a}, patients, 100, 10)
    assert list(found.labels) == ["fracture"]


def test_too_few_positives_give_the_difference_without_interval_or_p():
    y = np.zeros(60, dtype=int)
    y[:9] = 1
    found = compared(values_of(y), np.arange(60.0), -np.arange(60.0), np.arange(60))
    assert found.difference == -1.0
    assert (found.ci, found.p, found.p_corrected, found.p_delong) == (None,) * 4
    assert "only 9 patients with a positive label" in found.why["p_delong"]


def test_predictions_that_are_no_numbers_name_their_model():
    y, a, patients = patient_rows(10)
    b = a.copy()
    b[:5] = np.nan
    found = compared(values_of(y), a, b, patients)
    assert found.difference is None
    assert found.why["difference"] == (
        "of the second model 5 of 80 predictions are missing, NaN or infinite; at most 5 % may be left out"
    )


def test_a_row_that_one_model_lacks_is_left_out_for_both():
    y, a, patients = patient_rows(10)
    b = patient_rows(11, shift=0.5)[1]
    b[0] = np.nan
    found, alone = compared(values_of(y), a, b, patients), compared(values_of(y)[1:], a[1:], b[1:], patients[1:])
    assert (found.n, found.difference, found.p_delong) == (79, alone.difference, alone.p_delong)


def test_holm_steps_down():
    # By hand: sorted .005*4, .01*3, .03*2, .04*1 -> .02, .03, .06, .04; then never below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_no_correction_and_bonferronis(p_values):
    for p, corrected in zip(p_values, holm(p_values), strict=True):
        assert p <= corrected <= min(1, p * len(p_values)) + 1e-15


@settings(max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_equals_statsmodels(p_values):
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


def test_the_bootstrap_p_is_never_zero_and_never_above_one():
    many = 10**7
    assert bootstrap_p(np.ones(999), many) == pytest.approx(0.002, rel=1e-4)
    assert bootstrap_p(np.array([-1.0, 0.0, 1.0]), many) == 1.0
    assert bootstrap_p(np.array([-1.0] + [1.0] * 8), many) == pytest.approx(0.4, rel=1e-4)
    assert bootstrap_p(np.ones(999), 30) > 0.004
