"""Standard errors by formula, against R's pROC, against the definition, and against leaving out each patient."""

import json
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from brute_force import ap_by_thresholds, auc_by_pairs, influences, patient_rows, weighted_ap
from scipy import stats
from scipy.special import expit, logit

from cxr_core.evaluation.areas import area
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.resamples import patient_clusters

BY_PROC = json.loads((Path(__file__).parent / "delong_by_proc.json").read_text())


def area_of(figure, y, scores, patients):
    clusters, _ = patient_clusters(patients)
    return area(figure, ranking(y, scores), clusters, class_patients(y, clusters))


def obuchowski(y, scores, patients):
    """The variance of Obuchowski (1997), eq. 1 to 6, patient by patient and pair by pair."""
    x, z = scores[y == 1], scores[y == 0]
    psi = np.array([[(a > b) + 0.5 * (a == b) for b in z] for a in x], dtype=float)
    auc, names = psi.mean(), np.unique(patients)
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    m = np.array([(patients[y == 1] == one).sum() for one in names])
    n = np.array([(patients[y == 0] == one).sum() for one in names])
    plus = np.array([v10[patients[y == 1] == one].sum() for one in names]) - m * auc
    minus = np.array([v01[patients[y == 0] == one].sum() for one in names]) - n * auc
    i10, i01, i = (m > 0).sum(), (n > 0).sum(), names.size
    s10 = i10 / ((i10 - 1) * m.sum()) * (plus**2).sum()
    s01 = i01 / ((i01 - 1) * n.sum()) * (minus**2).sum()
    s11 = i / (i - 1) * (plus * minus).sum()
    return s10 / m.sum() + s01 / n.sum() + 2 * s11 / (m.sum() * n.sum())


@pytest.mark.parametrize("case", BY_PROC)
def test_with_one_image_a_patient_an_auc_and_its_error_give_procs_interval(case):
    y, scores, said = np.array(case["y"]), np.array(case["a"]), case["proc"]
    found = area_of("roc_auc", y, scores, np.arange(y.size))
    assert found.error**2 == pytest.approx(said["variance_a"], abs=1e-9)
    half = NormalDist().inv_cdf(0.975) * found.error
    assert (max(0, found.value - half), min(1, found.value + half)) == pytest.approx(
        (said["low_a"], said["high_a"]), abs=1e-9
    )


@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_of_a_clustered_auc_is_obuchowskis(seed, levels):
    y, scores, patients = patient_rows(seed, n=50, patients=15, levels=levels)
    found = area_of("roc_auc", y, scores, patients)
    assert found.value == pytest.approx(auc_by_pairs(y, scores), abs=1e-12)
    assert found.error**2 == pytest.approx(obuchowski(y, scores, patients), abs=1e-9)


@pytest.mark.parametrize("levels", [None, 2])
def test_the_error_of_an_average_precision_is_that_of_its_derivatives_by_patient(levels):
    y, scores, patients = patient_rows(5, n=60, patients=20, levels=levels)
    found = area_of("average_precision", y, scores, patients)
    counted = class_patients(y, patient_clusters(patients)[0])
    squares = (influences(weighted_ap, y, scores, patients) ** 2).sum()
    assert found.value == pytest.approx(ap_by_thresholds(y, scores), abs=1e-12)
    assert found.error**2 == pytest.approx(squares * counted.rarer / (counted.rarer - 1), abs=1e-9)


@pytest.mark.parametrize("figure", ["roc_auc", "average_precision"])
def test_leaving_out_each_patient_in_turn_moves_the_figure_about_as_much(figure):
    y, scores, patients = patient_rows(6, n=1500, patients=400)
    found = area_of(figure, y, scores, patients)
    by_definition = auc_by_pairs if figure == "roc_auc" else ap_by_thresholds
    some = np.unique(patients)[:12]
    left_out = [found.value - by_definition(y[patients != one], scores[patients != one]) for one in some]
    np.testing.assert_allclose(found.influences[some], left_out, rtol=0.1, atol=2e-5)


@pytest.mark.parametrize("figure", ["roc_auc", "average_precision"])
def test_the_interval_is_students_t_on_the_logit_scale(figure):
    y, scores, patients = patient_rows(7, n=200, patients=80)
    found = area_of(figure, y, scores, patients)
    half = stats.t.ppf(0.975, found.freedom) * found.error / (found.value * (1 - found.value))
    assert found.interval().ci == pytest.approx(expit(logit(found.value) + np.array([-half, half])), abs=1e-12)
    assert found.freedom <= class_patients(y, patient_clusters(patients)[0]).rarer - 1
