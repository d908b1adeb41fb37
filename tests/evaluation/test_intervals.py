import time

import numpy as np
import pytest
from brute_force import patient_rows
from scipy import stats
from sklearn import metrics

from cxr_core.evaluation import weighted
from cxr_core.evaluation.intervals import class_patients, percentile_interval
from cxr_core.evaluation.resamples import patient_clusters, patient_weights
from cxr_core.evaluation.weighted import bootstrap, rank_rows, weighted_figures


def resampled_figures(y, scores, patients, drawn):
    """Recompute AUC and AP on the rows of the drawn patients, written out one after the other."""
    picked = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
    if len(set(y[picked])) < 2:
        return np.nan, np.nan
    return metrics.roc_auc_score(y[picked], scores[picked]), metrics.average_precision_score(y[picked], scores[picked])


@pytest.mark.parametrize("levels", [None, 2])
def test_every_resample_equals_the_figures_of_the_repeated_rows(levels):
    y, scores, patients = patient_rows(1, n=40, patients=9, levels=levels)
    clusters, n_patients = patient_clusters(patients)
    found = bootstrap([rank_rows(y, scores, clusters, n_patients)], n_patients, 150)[:, 0]
    names = np.unique(patients)
    draws = names[np.random.default_rng(2019).integers(names.size, size=(150, names.size))]
    expected = [resampled_figures(y, scores, patients, drawn) for drawn in draws]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("levels", [None, 2])
def test_steps_that_are_worked_off_in_tiles_give_the_very_same_figures(levels, monkeypatch):
    y, scores, patients = patient_rows(1, n=60, patients=9, levels=levels)
    clusters, n_patients = patient_clusters(patients)
    ranked = rank_rows(y, scores, clusters, n_patients)
    whole = bootstrap([ranked], n_patients, 40)
    for steps in (1, 2, 5):
        monkeypatch.setattr(weighted, "_TILE_ELEMENTS", steps * 40)
        np.testing.assert_allclose(bootstrap([ranked], n_patients, 40), whole, rtol=0, atol=1e-12)


def test_a_resample_of_one_class_is_nan():
    y, clusters = np.array([1, 0, 0]), np.array([0, 1, 2])
    weights = np.array([[0, 1, 3], [3, 1, 0], [0, 1, 0]])
    auc, ap = weighted_figures(rank_rows(y, np.array([2.0, 1.0, 3.0]), clusters, 3), weights.astype(float))
    np.testing.assert_array_equal(auc, [np.nan, 0.5, np.nan])
    np.testing.assert_array_equal(ap, [np.nan, 0.5, np.nan])


def test_each_resample_draws_as_many_patients_as_there_are():
    weights = np.concatenate([drawn for _, drawn in patient_weights(37, 50, 8)], axis=1)
    assert weights.shape == (37, 50)
    assert (weights.sum(axis=0) == 37).all()


@pytest.mark.parametrize("block", [1, 7, 100])
def test_the_draws_do_not_depend_on_the_size_of_the_blocks(block):
    _, whole = next(patient_weights(23, 100))
    blocks = list(patient_weights(23, 100, block))
    assert [start for start, _ in blocks] == list(range(0, 100, block))
    np.testing.assert_array_equal(np.concatenate([drawn for _, drawn in blocks], axis=1), whole)


def test_labels_share_their_resamples():
    y, scores, patients = patient_rows(2)
    clusters, n_patients = patient_clusters(patients)
    ranked = rank_rows(y, scores, clusters, n_patients)
    alone, beside = (
        bootstrap([ranked], n_patients, 60),
        bootstrap([rank_rows(1 - y, scores, clusters, n_patients), ranked], n_patients, 60),
    )
    np.testing.assert_array_equal(alone[:, 0], beside[:, 1])


def test_with_many_patients_the_interval_is_between_the_percentiles():
    interval = percentile_interval(np.arange(1001.0), 10**6)
    assert interval.ci == pytest.approx((25.0, 975.0), abs=1e-2)
    assert (interval.why, interval.unusable) == (None, 0)


@pytest.mark.parametrize(("patients", "tail"), [(10, 0.00856), (30, 0.01875), (100, 0.02306)])
def test_with_few_patients_it_is_widened_as_hesterberg_says(patients, tail):
    # The levels by SciPy's distributions: Phi(-sqrt(n / (n - 1)) t(.975, n - 1)).
    level = stats.norm.cdf(-np.sqrt(patients / (patients - 1)) * stats.t.ppf(0.975, patients - 1))
    assert level == pytest.approx(tail, abs=1e-5)
    replicates = np.random.default_rng(0).gamma(3.0, size=2000)
    assert percentile_interval(replicates, patients).ci == pytest.approx(np.quantile(replicates, [level, 1 - level]))


def test_unusable_resamples_are_counted_and_too_many_refuse_the_interval():
    replicates = np.linspace(0, 1, 1000)
    replicates[:50] = np.nan
    assert percentile_interval(replicates, 50).unusable == 50
    assert percentile_interval(replicates, 50).ci is not None
    replicates[50] = np.nan
    refused = percentile_interval(replicates, 50)
    assert refused.ci is None
    assert refused.why.startswith("51 of 1000 resamples have one class only")


@pytest.mark.parametrize(
    ("positives", "negatives", "named"),
    [(9, 50, "9 patients with a positive label"), (50, 9, "9 patients with a negative label")],
)
def test_too_few_patients_of_a_class_are_named(positives, negatives, named):
    y = np.repeat([1, 0, 1], [positives, negatives, 20])
    clusters = np.concatenate([np.arange(positives + negatives), np.zeros(20, dtype=int)])  # one patient again
    counted = class_patients(y, clusters)
    assert (counted.positive, counted.negative, counted.rarer) == (positives, negatives, 9)
    assert counted.why_no_interval(10) == f"only {named}; an interval needs at least 10"
    assert counted.why_no_interval(9) is None


def test_resampling_patients_is_wider_than_resampling_images_of_the_same_patients():
    y, scores, patients = patient_rows(3, n=400, patients=40)
    y = np.arange(40)[patients] % 3 == 0  # a finding of the patient, not of the image
    by_patient, by_image = (
        bootstrap([rank_rows(y.astype(int), scores, clusters, count)], count, 400)[:, 0, 0].std()
        for clusters, count in [patient_clusters(patients), (np.arange(400), 400)]
    )
    assert by_patient > 1.5 * by_image


def test_fourteen_labels_take_well_under_a_second():
    ranked = []
    for seed in range(14):
        y, scores, patients = patient_rows(seed, n=550, patients=380)
        ranked.append(rank_rows(y, scores, patients, 380))
    start = time.process_time()
    bootstrap(ranked, 380, 1000)
    assert time.process_time() - start < 1.0
