import numpy as np
import pytest
from brute_force import auc_by_pairs, patient_rows, values_of
from scipy import stats

from cxr_core.evaluation.comparison import compare_labels
from cxr_core.evaluation.delong import delong_test
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.simultaneous import holm
from cxr_core.evaluation.weighted import bootstrap, rank_rows


def compared(values, a, b, patients):
    return compare_labels({"edema": values}, {"edema": a}, {"edema": b}, patients, 10).labels["edema"]


def clustered_error(y, scores, patients):
    """The standard error of AUC(scores[0]) - AUC(scores[1]) from the shares of pairs that each row wins, by patient."""
    moved = np.zeros(y.size)
    for sign, of_model in zip((1, -1), scores, strict=True):
        wins = (of_model[y == 1][:, None] > of_model[y == 0]) + 0.5 * (of_model[y == 1][:, None] == of_model[y == 0])
        moved[y == 1] += sign * (wins.mean(axis=1) - wins.mean()) / (y == 1).sum()
        moved[y == 0] += sign * (wins.mean(axis=0) - wins.mean()) / (y == 0).sum()
    sums = np.array([moved[patients == patient].sum() for patient in np.unique(patients)])
    n = min(len(set(patients[y == 1])), len(set(patients[y == 0])))
    return np.sqrt(np.sum(sums**2) * n / (n - 1)), n - 1


def test_the_difference_its_interval_and_its_p_are_students_by_patient():
    y, a, patients = patient_rows(1)
    b = a + patient_rows(2, shift=0.0)[1]
    values = values_of(y)
    values[::9] = 2
    certain = values != 2
    found = compared(values, a, b, patients)
    assert found.n == certain.sum()
    difference = auc_by_pairs(y[certain], a[certain]) - auc_by_pairs(y[certain], b[certain])
    assert found.difference == pytest.approx(difference, abs=1e-12)
    error, freedom = clustered_error(y[certain], (a[certain], b[certain]), patients[certain])
    assert found.ci == pytest.approx(stats.t.interval(0.95, freedom, difference, error), abs=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(difference) / error, freedom))
    assert (found.p_corrected, found.ci_corrected) == (found.p, found.ci)
    assert found.p_delong == delong_test(y[certain], a[certain], b[certain]).p
    assert found.why == {}


def test_where_every_image_is_a_patient_it_is_nearly_delongs():
    y, a, _ = patient_rows(11, n=600)
    b = a + patient_rows(12, n=600, shift=0.0)[1]
    found = compared(values_of(y), a, b, np.arange(600))
    assert found.p == pytest.approx(found.p_delong, rel=0.1)


def test_the_standard_error_is_that_of_resampled_patients():
    y, a, patients = patient_rows(13, n=500, patients=120)
    b = a + patient_rows(14, n=500, patients=120, shift=0.0)[1]
    clusters, count = patient_clusters(patients)
    aucs = bootstrap([rank_rows(y, scores, clusters, count) for scores in (a, b)], count, 2000)[:, :, 0]
    assert clustered_error(y, (a, b), patients)[0] == pytest.approx(np.std(aucs[:, 0] - aucs[:, 1]), rel=0.06)


def test_the_corrected_interval_leaves_out_zero_exactly_where_the_corrected_p_is_below_a_twentieth():
    y, a, patients = patient_rows(15, n=300, patients=150, shift=1.5)
    rng = np.random.default_rng(2)
    labels = [f"label_{k}" for k in range(12)]
    first = dict.fromkeys(labels, a)
    second = {label: a + k / 6 * rng.normal(size=300) for k, label in enumerate(labels)}
    found = compare_labels(dict.fromkeys(labels, values_of(y)), first, second, patients, 10)
    tested = [one for one in found.labels.values() if one.p is not None]
    assert {one.state for one in tested} == {"different", "alike"}
    for one in tested:
        low, high = one.ci_corrected
        assert (one.state == "different") == (one.p_corrected < 0.05) == (not low <= 0 <= high)
        assert high - low >= one.ci[1] - one.ci[0]
    untested = found.labels["label_0"]  # the same scores twice
    assert (untested.state, untested.ci_corrected) == ("untested", None)
    assert "alike" in untested.why_untested


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
    assert set(found.why) == {"ci", "p", "p_corrected", "ci_corrected", "p_delong"}
    assert "alike" in found.why["p"]


def test_a_better_model_is_found_better_and_two_noisy_ones_are_not():
    y, a, patients = patient_rows(6, n=300, patients=200, shift=2.0)
    noise = np.random.default_rng(0).normal(size=(2, 300))
    assert compared(values_of(y), a, noise[0], patients).p < 0.01
    assert compared(values_of(y), noise[0], noise[1], patients).p > 0.05


def test_the_family_is_the_labels_with_a_p():
    labels = ("edema", "fracture", "pneumonia")
    y, a, patients = patient_rows(7)
    b = a + patient_rows(8, shift=0.0)[1]
    values = {"edema": values_of(y), "fracture": values_of(y), "pneumonia": np.zeros(80)}
    first, second = dict.fromkeys(labels, a), {"edema": b, "fracture": b - a, "pneumonia": b}
    found = compare_labels(values, first, second, patients, 10)
    assert found.tests == 2
    p = [found.labels[label].p for label in ("edema", "fracture")]
    assert [found.labels[label].p_corrected for label in ("edema", "fracture")] == holm(p)
    undefined = found.labels["pneumonia"]
    assert (undefined.difference, undefined.p, undefined.p_corrected) == (None, None, None)
    assert undefined.why == dict.fromkeys(
        ("difference", "ci", "p", "p_corrected", "ci_corrected", "p_delong"), "there are no positives"
    )
    assert found.mean.labels == 2
    each = [found.labels[label].difference for label in ("edema", "fracture")]
    assert found.mean.value == pytest.approx(np.mean(each))
    assert found.mean.ci[0] < found.mean.value < found.mean.ci[1]


def test_only_labels_of_both_models_are_compared():
    y, a, patients = patient_rows(9)
    values = {"edema": values_of(y), "fracture": values_of(y)}
    found = compare_labels(values, {"edema": a, "fracture": a}, {"fracture": -a}, patients, 10)
    assert list(found.labels) == ["fracture"]


def test_too_few_positives_give_the_difference_without_interval_or_p():
    y = np.zeros(60, dtype=int)
    y[:9] = 1
    found = compared(values_of(y), np.arange(60.0), -np.arange(60.0), np.arange(60))
    assert found.difference == -1.0
    assert (found.ci, found.p, found.p_corrected, found.p_delong) == (None,) * 4
    assert "only 9 patients with a positive label" in found.why["p_delong"]


def test_two_patients_of_each_class_are_the_fewest_for_an_interval_whatever_is_asked():
    y, a, patients = np.array([1, 1, 0, 0, 0]), np.array([3.0, 1.0, 2.0, 0.5, 0.0]), np.arange(5)
    b = np.array([2.0, 3.0, 1.0, 2.5, 0.0])
    two = compare_labels({"edema": values_of(y)}, {"edema": a}, {"edema": b}, patients, 1).labels["edema"]
    assert two.ci is not None and two.p is not None
    patients = np.array([0, 0, 2, 3, 4])
    one = compare_labels({"edema": values_of(y)}, {"edema": a}, {"edema": b}, patients, 1).labels["edema"]
    assert one.ci is None and one.p is None and "only 1 patient with a positive label" in one.why["p"]


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
    assert found.p == pytest.approx(alone.p)
