import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_curve

from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.reader_differences import reader_difference

RANDOM = np.random.default_rng(17)
PATIENTS = np.repeat(np.arange(120), 2)
JUDGED = (RANDOM.random(240) < 0.4).astype(int)
SAID = np.where(RANDOM.random(240) < 0.2, 1 - JUDGED, JUDGED)
SCORES = np.round(JUDGED + RANDOM.normal(0, 0.8, 240), 1)


def drawn(clusters, resamples=400):
    return Resampling(clusters, int(clusters.max()) + 1, resamples, 10)


def by_hand(judged, said, scores):
    """The highest point of scikit-learn's curve at the reader's rate of false alarms, minus the reader's sensitivity."""
    (tn, fp), (fn, tp) = confusion_matrix(judged, said, labels=[0, 1])
    fpr, tpr, _ = roc_curve(judged, scores, drop_intermediate=False)
    place = fp / (tn + fp)
    at = np.flatnonzero(np.isclose(fpr, place, atol=1e-12))
    height = tpr[at].max() if at.size else np.interp(place, fpr, tpr)
    return height, height - tp / (tp + fn)


def test_the_models_sensitivity_at_the_readers_specificity_is_that_of_scikit_learns_curve():
    for seed in range(20):
        rows = np.random.default_rng(seed).choice(240, 150, replace=False)
        found = reader_difference(SAID[rows], JUDGED[rows], SCORES[rows], drawn(np.arange(150), 50), 10)
        model, difference = by_hand(JUDGED[rows], SAID[rows], SCORES[rows])
        assert found.model_sensitivity == pytest.approx(model)
        assert found.difference == pytest.approx(difference)
        assert found.n == 150


def test_the_interval_is_that_of_patients_who_are_drawn_with_all_their_rows():
    found = reader_difference(SAID, JUDGED, SCORES, drawn(PATIENTS, 1000), 10)
    each = []
    for _ in range(1000):
        rows = np.concatenate([[2 * patient, 2 * patient + 1] for patient in RANDOM.integers(120, size=120)])
        each.append(by_hand(JUDGED[rows], SAID[rows], SCORES[rows])[1])
    assert found.ci == pytest.approx(np.quantile(each, [0.025, 0.975]), abs=0.03)
    assert found.ci[0] < found.difference < found.ci[1]


def test_rows_without_a_verdict_or_a_prediction_are_left_out():
    said, judged, scores = SAID.copy(), JUDGED.copy(), SCORES.copy()
    said[:10], judged[10:20], scores[20:30] = -1, -1, np.nan
    found = reader_difference(said, judged, scores, drawn(PATIENTS), 10)
    assert found.n == 210
    assert found.difference == pytest.approx(by_hand(judged[30:], said[30:], scores[30:])[1])


def test_what_cannot_be_said_has_its_reason():
    none = reader_difference(SAID, np.zeros(240, int), SCORES, drawn(PATIENTS), 10)
    assert none.difference is None and "none of these rows present, or all of them" in none.why
    few = reader_difference(SAID, JUDGED, SCORES, drawn(PATIENTS), 100)
    assert few.difference is not None and few.ci is None and "patients" in few.why
