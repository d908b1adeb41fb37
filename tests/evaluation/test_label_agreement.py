import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.multitest import multipletests

from cxr_core.evaluation.label_agreement import NO_IMAGES, label_agreements

RANDOM = np.random.default_rng(7)


def codes(present, uncertain=0.1):
    """Label codes of what is present or absent, some of it uncertain."""
    said = np.where(present, 3, RANDOM.integers(0, 2, len(present)))
    return np.where(RANDOM.random(len(present)) < uncertain, 2, said)


def two_judges(n=600, labels=("edema", "fracture", "pneumonia")):
    first, second = {}, {}
    for place, label in enumerate(labels):
        present = RANDOM.random(n) < 0.3
        first[label] = codes(present)
        second[label] = codes(present ^ (RANDOM.random(n) < np.where(present, 0.1 + place * 0.15, 0.05)))
    return first, second


def test_kappa_and_shares_are_scikit_learns_on_the_images_that_both_judge():
    first, second = two_judges()
    found = label_agreements(first, second, np.arange(600) // 2, 300)
    for label, one in found.items():
        both = (first[label] != 2) & (second[label] != 2)
        a, b = first[label][both] == 3, second[label][both] == 3
        assert (one.n, one.present) == (both.sum(), (a.sum(), b.sum()))
        assert one.n_patients == np.unique(np.arange(600)[both] // 2).size
        assert one.kappa == pytest.approx(cohen_kappa_score(a, b))
        assert one.agree == pytest.approx((a == b).mean())
        assert one.difference == pytest.approx(a.mean() - b.mean())
        for value, ends in ((one.kappa, one.kappa_ci), (one.agree, one.agree_ci), (one.difference, one.ci)):
            assert ends[0] < value < ends[1]


def test_with_one_image_a_patient_the_difference_is_that_of_mcnemars_paired_shares():
    first, second = two_judges()
    found = label_agreements(first, second, np.arange(600), 100)
    for label, one in found.items():
        both = (first[label] != 2) & (second[label] != 2)
        table = np.zeros((2, 2))
        np.add.at(table, ((first[label][both] == 3).astype(int), (second[label][both] == 3).astype(int)), 1)
        only_first, only_second, n = table[1, 0], table[0, 1], table.sum()
        differing = only_first + only_second
        variance = (differing - (only_first - only_second) ** 2 / n) / n**2 * differing / (differing - 1)
        half = t.ppf(0.975, differing - 1) * np.sqrt(variance)
        assert one.ci == pytest.approx((one.difference - half, one.difference + half))
        # The marginal test of the same table is near: it takes the variance as if there were no difference.
        assert one.p == pytest.approx(SquareTable(table, shift_zeros=False).homogeneity().pvalue, abs=0.02)


def test_p_is_holms_over_all_labels_and_its_interval_leaves_out_0_with_it():
    first, second = two_judges()
    found = label_agreements(first, second, np.arange(600) // 3, 100)
    expected = multipletests([one.p for one in found.values()], method="holm")[1]
    assert [one.p_corrected for one in found.values()] == pytest.approx(expected)
    for one in found.values():
        assert (one.ci_corrected[0] > 0 or one.ci_corrected[1] < 0) == (one.p_corrected < 0.05)
    assert {one.p_corrected < 0.05 for one in found.values()} == {True, False}


def test_images_that_repeat_a_patient_make_no_interval_narrower():
    first, second = two_judges()
    patients = np.arange(600)
    once = label_agreements(first, second, patients, 200)
    again = [{label: np.repeat(one, 3) for label, one in of_judge.items()} for of_judge in (first, second)]
    thrice = label_agreements(again[0], again[1], np.repeat(patients, 3), 200)
    for label, one in once.items():
        assert thrice[label].ci == pytest.approx(one.ci)
        assert thrice[label].agree_ci == pytest.approx(one.agree_ci)
        assert thrice[label].kappa_ci == pytest.approx(one.kappa_ci)


def test_what_too_few_patients_tell_of_has_a_reason_and_no_p():
    present = np.arange(200) % 3 == 0
    few = present.copy()
    few[:9] = ~few[:9]
    said = {"edema": np.where(present, 3, 0), "fracture": np.full(200, 2)}
    other = {"edema": np.where(few, 3, 1), "fracture": np.zeros(200, int), "pneumonia": np.zeros(200, int)}
    found = label_agreements(said, other, np.arange(200), 100)
    assert set(found) == {"edema", "fracture"}
    edema = found["edema"]
    assert edema.difference is not None and edema.ci is edema.p is edema.p_corrected is None
    assert edema.why["difference_ci"] == "the judges differ on 9 patients alone; an interval needs 10"
    assert found["fracture"].n == 0 and set(found["fracture"].why.values()) == {NO_IMAGES}
    same = label_agreements({"edema": said["edema"]}, {"edema": said["edema"]}, np.arange(200), 100)["edema"]
    assert (same.kappa, same.agree, same.difference) == (1.0, 1.0, 0.0)
    assert "0 patients" in same.why["difference_ci"]
