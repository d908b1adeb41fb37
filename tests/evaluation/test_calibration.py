import numpy as np
import pytest
from brute_force import expanded_levels, patient_rows
from scipy.special import expit
from scipy.special import logit as scipy_logit
from sklearn.metrics import brier_score_loss

from cxr_core.errors import DataError, UsageError
from cxr_core.evaluation.calibration import calibration
from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.probabilities import logit, look_like_probabilities
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters


def resampling(patients, resamples, minimum):
    return Resampling(*patient_clusters(patients), resamples, minimum)


def test_the_brier_score_of_logits_equals_scikit_learns():
    y, logits, _ = patient_rows(1)
    assert calibration(y, logits, "logit").brier == pytest.approx(brier_score_loss(y, expit(logits)), abs=1e-12)


def test_bins_hold_equally_many_rows_and_give_the_calibration_error():
    y = np.array([0, 0, 1, 0, 1, 1])
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.9])
    found = calibration(y, p, "probability", bins=3)
    assert [(b.n, b.low, b.high, b.observed) for b in found.bins] == [
        (2, 0.1, 0.2, 0.0),
        (2, 0.3, 0.4, 0.5),
        (2, 0.8, 0.9, 1.0),
    ]
    assert [b.mean_predicted for b in found.bins] == pytest.approx([0.15, 0.35, 0.85])
    assert found.ece == pytest.approx((0.15 + 0.15 + 0.15) / 3)


def test_equal_probabilities_share_a_bin_whatever_the_order_of_the_rows():
    y, p = np.array([0, 1, 0, 1, 1, 0]), np.array([0.3, 0.3, 0.3, 0.3, 0.9, 0.1])
    found = calibration(y, p, "probability", bins=3)
    assert [b.n for b in found.bins] == [5, 1]
    assert calibration(y[::-1], p[::-1], "probability", bins=3) == found


def test_equal_probabilities_at_the_upper_end_are_one_bin_and_leave_none_empty():
    found = calibration([0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.9, 0.9, 0.9, 0.9], "probability", bins=3)
    assert [(b.n, b.observed) for b in found.bins] == [(2, 0.0), (4, 1.0)]
    assert [b.n for b in calibration([0, 1, 1], [0.4, 0.4, 0.4], "probability", bins=3).bins] == [3]


def test_more_bins_than_rows_give_one_bin_a_row():
    assert [b.n for b in calibration([0, 1], [0.2, 0.7], "probability", bins=10).bins] == [1, 1]


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_a_large_one():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=4000)
    y = (rng.random(4000) < expit(logits)).astype(int)
    assert calibration(y, logits, "logit").ece < 0.03
    assert calibration(y, 5 * logits, "logit").ece > 0.1


def test_scores_and_empty_rows_have_no_calibration_but_a_reason():
    scores = calibration([0, 1], [0.1, 0.9], "score")
    assert (scores.bins, scores.brier, scores.ece) == ((), None, None)
    assert "ranks, not probabilities" in scores.why
    assert calibration([], [], "logit").why == "there are no certain rows"


def test_a_probability_outside_its_range_is_refused():
    with pytest.raises(DataError, match="1 of 2 outside"):
        calibration([0, 1], [0.5, 1.5], "probability")


@pytest.mark.parametrize(("scale", "bins"), [("odds", 10), ("logit", 0)])
def test_an_unknown_scale_or_no_bins_are_refused(scale, bins):
    with pytest.raises(UsageError, match="1 bin or more"):
        calibration([0, 1], [0.5, 0.5], scale, bins)


def test_the_logit_equals_scipys_and_ends_at_the_clip():
    p = np.array([1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])
    np.testing.assert_allclose(logit(p), scipy_logit(p), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(logit([0.0, 1.0]), [-27.631, 27.631], atol=1e-3)


def test_intervals_by_patient_equal_a_plain_bootstrap_with_the_bins_held():
    y, logits, patients = patient_rows(2, n=200, patients=60)
    found = calibration(y, logits, "logit", 5, resampling(patients, 200, 10))
    p, names, briers, eces = expit(logits), np.unique(patients), [], []
    edges = [b.low for b in found.bins]
    for drawn in names[np.random.default_rng(2019).integers(names.size, size=(200, names.size))]:
        picked = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        of_bin = np.searchsorted(edges, p[picked], side="right") - 1
        briers.append(np.mean((p[picked] - y[picked]) ** 2))
        eces.append(sum(abs((y[picked] - p[picked])[of_bin == b].sum()) for b in range(5)) / picked.size)
    levels = expanded_levels(y, patients)
    assert found.brier_ci == pytest.approx(np.quantile(briers, levels), abs=1e-12)
    assert found.ece_ci == pytest.approx(np.quantile(eces, levels), abs=1e-12)
    inside = p <= found.bins[0].high
    positives, images = (np.array([rows[patients == one].sum() for one in names]) for rows in (inside * y, inside))
    assert found.bins[0].observed_ci == share_interval(positives.astype(float), images.astype(float)).ci
    assert found.why_no_ci is None


def test_few_patients_have_no_interval_but_the_figures():
    y, logits, patients = patient_rows(3)
    found = calibration(y, logits, "logit", 5, resampling(patients, 200, 50))
    assert (found.brier_ci, found.ece_ci, found.brier is None) == (None, None, False)
    assert "an interval needs at least 50" in found.why_no_ci


def test_one_and_the_same_number_looks_like_nothing():
    assert not look_like_probabilities(np.zeros(100))
    assert not look_like_probabilities(np.full(100, 0.5))
    assert look_like_probabilities(np.linspace(0, 1, 100))


def test_logits_that_look_like_probabilities_are_doubted_rather_than_squashed_again():
    y, logits, _ = patient_rows(4)
    doubted = calibration(y, expit(logits), "logit")
    assert (doubted.brier, doubted.ece) == (None, None)
    assert "look like probabilities" in doubted.why
    assert calibration(y, expit(logits), "probability").brier is not None
    assert calibration(y, logits, "logit").why is None
