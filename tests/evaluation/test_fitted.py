import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from cxr_core.evaluation.curves import roc_auc
from cxr_core.evaluation.fitted import cross_fitted, deal_patients, fit_stacking, fit_weighted


def rows(n=400, patients=150, seed=0):
    """Two informative members, one of them good, and a third that knows nothing."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(patients, size=n)
    y = (rng.random(n) < 0.3).astype(int)
    features = np.stack([2.0 * y, 0.5 * y, 0.0 * y], axis=1) + rng.normal(size=(n, 3)) * [1, 1, 3]
    return features, y, patient


def test_stacking_is_scikit_learns_logistic_regression_on_standardised_logits():
    features, y, _ = rows()
    fit = fit_stacking(features, y)
    mean, scale = features.mean(axis=0), features.std(axis=0)
    expected = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit((features - mean) / scale, y)
    found = fit.predict(features)
    np.testing.assert_allclose(found, expected.decision_function((features - mean) / scale), atol=1e-5)


def test_weights_are_never_negative_sum_to_one_and_prefer_the_better_member():
    features, y, _ = rows()
    weights = fit_weighted(features * [1, 1, -1], y).weights
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > weights[1] > weights[2]


def test_where_no_member_helps_all_weigh_the_same():
    features, y, _ = rows()
    np.testing.assert_allclose(fit_weighted(-np.abs(features[:, :1]) * [1, 1] * (2 * y[:, None] - 1), y).weights, 0.5)


@pytest.mark.parametrize("method", ["weighted", "stacking"])
def test_predictions_are_those_of_weights_fitted_without_the_fold(method):
    features, y, patient = rows()
    found = cross_fitted(features, y, np.ones(400, dtype=bool), patient, method)
    fold = deal_patients(patient)
    fit = fit_weighted if method == "weighted" else fit_stacking
    for held_out in range(5):
        inside = fold == held_out
        # On the scale of the weights that are fitted on all: the same mean and spread over all rows.
        whole, own = (fit(features[rows], y[rows]).predict(features) for rows in (slice(None), ~inside))
        expected = (own - own.mean()) / own.std() * whole.std() + whole.mean()
        np.testing.assert_allclose(found.predictions[inside], expected[inside], rtol=1e-9)
    assert found.why is None


def test_folds_lose_no_auc_when_they_are_ranked_together():
    # Of labels that are noise, a fold with more positives gets lower predictions: pooled as they come they look reversed.
    pooled, as_they_come, within = [], [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        features, y, patient = rng.normal(size=(200, 2)), (rng.random(200) < 0.15).astype(int), np.arange(200)
        found = cross_fitted(features, y, np.ones(200, dtype=bool), patient, "stacking")
        fold, raw = deal_patients(patient), np.empty(200)
        for held_out in range(5):
            raw[fold == held_out] = fit_stacking(features[fold != held_out], y[fold != held_out]).predict(
                features[fold == held_out]
            )
        pooled.append(roc_auc(y, found.predictions))
        as_they_come.append(roc_auc(y, raw))
        pairs = [
            (y[fold == f].sum() * (1 - y[fold == f]).sum(), roc_auc(y[fold == f], raw[fold == f])) for f in range(5)
        ]
        within.append(sum(n * auc for n, auc in pairs if auc) / sum(n for n, _ in pairs))
    assert np.mean(pooled) == pytest.approx(np.mean(within), abs=0.02)
    assert np.mean(as_they_come) < np.mean(within) - 0.04


def test_patients_are_dealt_whole_and_evenly():
    patient = np.random.default_rng(1).integers(103, size=1000)
    fold = deal_patients(patient)
    assert all(len(set(fold[patient == one])) == 1 for one in range(103))
    sizes = np.bincount([fold[patient == one][0] for one in range(103)], minlength=5)
    assert sizes.max() - sizes.min() <= 1


def test_rows_of_patients_that_took_no_part_get_the_weights_of_all():
    features, y, patient = rows()
    usable = patient < 100
    found = cross_fitted(features, y, usable, patient, "stacking")
    whole = fit_stacking(features[usable], y[usable])
    np.testing.assert_allclose(found.predictions[~usable], whole.predict(features[~usable]))
    np.testing.assert_allclose(found.weights, whole.weights)


def test_labels_that_are_noise_gain_nothing_out_of_patient():
    # Fitted and judged on the same rows, 30 members of noise would look informative.
    rng = np.random.default_rng(0)
    features, y, patient = rng.normal(size=(300, 30)), rng.integers(0, 2, 300), np.arange(300) // 2
    honest = cross_fitted(features, y, np.ones(300, dtype=bool), patient, "stacking").predictions
    naive = fit_stacking(features, y).predict(features)
    assert roc_auc(y, naive) > 0.65
    assert roc_auc(y, honest) < 0.57


def test_too_few_patients_of_a_class_keep_equal_weights_with_a_reason():
    features, y, patient = rows()
    y = np.where(patient < 4, 1, 0)
    found = cross_fitted(features, y, np.ones(400, dtype=bool), patient, "weighted")
    np.testing.assert_allclose(found.predictions, features.mean(axis=1))
    assert "too few to fit weights" in found.why
    assert found.weights.tolist() == [1 / features.shape[1]] * features.shape[1] and found.intercept == 0.0
