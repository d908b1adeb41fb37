import numpy as np
import pytest
from brute_force import influences, patient_rows, rows, weighted_ap, weighted_auc
from hypothesis import given, settings

from cxr_core.evaluation.delong import delong_variance
from cxr_core.evaluation.influence import OF_CLASSES, degrees_of_freedom
from cxr_core.evaluation.patient_sums import sum_by_patient
from cxr_core.evaluation.ranking import ranking
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.weighted import bootstrap, rank_rows


def influence(figure, y, scores, clusters, patients):
    ranked = ranking(y, scores)
    return sum_by_patient(ranked.of_rows(*OF_CLASSES[figure](ranked)), clusters, patients)


def auc_influence(y, scores, clusters, patients=0):
    return influence("roc_auc", y, scores, clusters, patients)


def ap_influence(y, scores, clusters, patients=0):
    return influence("average_precision", y, scores, clusters, patients)


@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize(("ours", "weighted"), [(auc_influence, weighted_auc), (ap_influence, weighted_ap)])
def test_influences_are_the_derivatives_by_how_often_each_patient_counts(ours, weighted, levels):
    y, scores, patients = patient_rows(1, n=60, patients=20, levels=levels)
    found = ours(y, scores, patient_clusters(patients)[0])
    np.testing.assert_allclose(found, influences(weighted, y, scores, patients), rtol=0, atol=1e-8)


@settings(max_examples=50)
@given(rows())
def test_influences_sum_to_zero_as_a_figure_does_not_change_when_all_count_more(data):
    y, scores = data
    clusters = np.arange(y.size) // 2
    assert auc_influence(y, scores, clusters).sum() == pytest.approx(0, abs=1e-12)
    assert ap_influence(y, scores, clusters).sum() == pytest.approx(0, abs=1e-12)


def test_with_one_image_a_patient_their_squares_are_delongs_variance_but_for_its_correction():
    y, scores, _ = patient_rows(2, n=80, levels=2)
    squares = auc_influence(y, scores, np.arange(80)) ** 2
    m, n = y.sum(), (1 - y).sum()
    corrected = squares[y == 1].sum() * m / (m - 1) + squares[y == 0].sum() * n / (n - 1)
    assert corrected == pytest.approx(delong_variance(y, scores), abs=1e-15)


@pytest.mark.parametrize(("figure", "ours"), [(0, auc_influence), (1, ap_influence)])
def test_the_square_root_of_their_squares_is_about_the_spread_of_the_resamples(figure, ours):
    y, scores, patients = patient_rows(3, n=900, patients=300)
    clusters, count = patient_clusters(patients)
    replicates = bootstrap([rank_rows(y, scores, clusters, count)], count, 1000)[:, 0, figure]
    assert np.sqrt((ours(y, scores, clusters) ** 2).sum()) == pytest.approx(replicates.std(), rel=0.08)


@pytest.mark.parametrize("ours", [auc_influence, ap_influence])
def test_patients_without_a_row_have_no_influence_and_models_that_rank_alike_have_the_very_same(ours):
    y, scores, patients = patient_rows(4, n=60, patients=20)
    found = ours(y, scores, patients, 25)
    np.testing.assert_array_equal(found[20:], np.zeros(5))
    np.testing.assert_array_equal(found, ours(y, np.exp(scores / 9), patients, 25))


def test_degrees_of_freedom_are_few_where_few_patients_make_up_the_variance():
    alike = np.tile([0.01, -0.01], 50)
    assert degrees_of_freedom(alike, 40) == 40
    one = np.append(alike * 1e-6, [1.0])
    assert degrees_of_freedom(one, 40) == pytest.approx(2, abs=0.05)
    # Normal influences: the fourth moment is thrice the squared second, so 2 S^2 / (3 S^2/k - S^2/k) = k.
    normal = np.random.default_rng(0).normal(size=20_000)
    assert degrees_of_freedom(normal, 10**6) == pytest.approx(20_000, rel=0.05)


def test_degrees_of_freedom_are_those_of_the_fourth_moment():
    # 2 S^2 / (sum of u^4 - S^2 / k) by hand: S = 14, sum of u^4 = 98, k = 4.
    assert degrees_of_freedom(np.array([1.0, 2.0, 3.0, 0.0]), 40) == pytest.approx(2 * 196 / (98 - 49))
    assert degrees_of_freedom(np.array([1.0, 2.0, 3.0, 1.0]), 40) == pytest.approx(2 * 225 / (99 - 225 / 4))
