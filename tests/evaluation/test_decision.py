"""Net benefit, calibration slope and intercept, O:E, partial AUC: against statsmodels, scikit-learn and plain loops."""

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from brute_force import patient_rows
from scipy.special import expit
from scipy.stats import t
from sklearn.metrics import roc_auc_score, roc_curve

from cxr_core.errors import UsageError
from cxr_core.evaluation.calibration_fit import calibration_fit
from cxr_core.evaluation.decision import net_benefits
from cxr_core.evaluation.partial_auc import roc_part
from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.resamples import patient_clusters

PROC = Path(__file__).with_name("partial_auc_by_proc.json")


def rows(seed=1):
    y, logits, patients = patient_rows(seed)
    clusters, n_patients = patient_clusters(patients)
    return np.asarray(y), np.asarray(logits, dtype=float), clusters, n_patients


def test_net_benefit_is_that_of_a_plain_count():
    y, logits, clusters, _ = rows()
    p = expit(logits)
    for one in net_benefits(y, p, clusters, 2, (0.05, 0.2, 0.5, 0.9)):
        tp = sum(1 for a, b in zip(y, p, strict=True) if a == 1 and b >= one.threshold)
        fp = sum(1 for a, b in zip(y, p, strict=True) if a == 0 and b >= one.threshold)
        odds = one.threshold / (1 - one.threshold)
        assert one.model == pytest.approx(tp / len(y) - fp / len(y) * odds, abs=1e-12)
        assert one.treat_all == pytest.approx(y.mean() - (1 - y.mean()) * odds, abs=1e-12)
        assert one.ci is None or one.ci[0] < one.model < one.ci[1]
    with pytest.raises(UsageError, match="above 0 and below 1"):
        net_benefits(y, p, clusters, 2, (1.0,))
    assert net_benefits([], [], clusters[:0], 2) == ()


def test_the_interval_of_net_benefit_is_that_of_a_clustered_mean():
    y, logits, clusters, _ = rows(2)
    (one,) = net_benefits(y, expit(logits), clusters, 2, (0.3,))
    worth = ((expit(logits) >= 0.3) * np.where(y == 1, 1, -0.3 / 0.7)).astype(float)
    m = np.unique(clusters).size
    fit = sm.OLS(worth, np.ones_like(worth)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    half = t.ppf(0.975, m - 1) * fit.bse[0] * np.sqrt(m / (m - 1))
    assert one.ci == pytest.approx((worth.mean() - half, worth.mean() + half), abs=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_slope_intercept_and_their_errors_are_those_of_statsmodels(seed):
    y, logits, clusters, _ = rows(seed)
    found = calibration_fit(y, logits, clusters, 2)
    m = np.unique(clusters).size
    kinds = {"cov_type": "cluster", "cov_kwds": {"groups": clusters, "use_correction": False}}
    binomial = sm.families.Binomial()
    both = sm.GLM(y, sm.add_constant(logits), family=binomial).fit(tol=1e-14, maxiter=200, **kinds)
    alone = sm.GLM(y, np.ones_like(logits), family=binomial, offset=logits).fit(tol=1e-14, maxiter=200, **kinds)
    for value, ci, fit, place in (
        (found.slope, found.slope_ci, both, 1),
        (found.intercept, found.intercept_ci, alone, 0),
    ):
        assert value == pytest.approx(fit.params[place], abs=1e-9)
        half = t.ppf(0.975, m - 1) * fit.bse[place] * np.sqrt(m / (m - 1))
        assert ci == pytest.approx((value - half, value + half), abs=1e-8)


def test_observed_to_expected_is_a_ratio_of_sums_with_the_interval_of_its_logarithm():
    y, logits, clusters, _ = rows(4)
    found = calibration_fit(y, logits, clusters, 2)
    p, ratio = expit(logits), y.sum() / expit(logits).sum()
    added = [sum((y - ratio * p)[clusters == one]) / p.sum() / ratio for one in np.unique(clusters)]
    m = len(added)
    half = t.ppf(0.975, m - 1) * np.sqrt(sum(a * a for a in added) * m / (m - 1))
    assert found.observed_to_expected == pytest.approx(ratio, abs=1e-12)
    assert found.observed_to_expected_ci == pytest.approx((exp(log(ratio) - half), exp(log(ratio) + half)), abs=1e-12)


def test_a_fit_without_an_end_and_few_patients_say_why():
    y = np.array([0] * 20 + [1] * 20)
    clusters = np.arange(40)
    separated = calibration_fit(y, np.where(y == 1, 2.0, -2.0), clusters, 5)
    assert separated.slope is None and "no end" in separated.why["slope"]
    few = calibration_fit(y, np.random.default_rng(0).normal(size=40) + y, clusters, 30)
    assert few.slope is not None and few.slope_ci is None and "at least 30" in few.why["slope_ci"]
    assert set(calibration_fit(np.zeros(5, int), np.zeros(5), np.arange(5), 2).why) == {
        "slope", "intercept", "observed_to_expected",
    }  # fmt: skip


@pytest.mark.parametrize("specificity", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("ties", [None, 1])
def test_the_partial_area_is_scikit_learns_and_the_height_is_on_its_curve(specificity, ties):
    y, logits, clusters, n = rows(5)
    scores = logits if ties is None else logits.round(ties)
    found = roc_part(y, scores, specificity, Resampling(clusters, n, 50, 2))
    assert found.standardised == pytest.approx(roc_auc_score(y, scores, max_fpr=1 - specificity), abs=1e-12)
    fpr, tpr, _ = roc_curve(y, scores, drop_intermediate=False)
    left = np.flatnonzero(fpr <= 1 - specificity + 1e-12)[-1]
    height = np.interp(1 - specificity, fpr[left:], tpr[left:]) if left + 1 < len(fpr) else tpr[-1]
    assert found.sensitivity == pytest.approx(height, abs=1e-12)


@pytest.mark.parametrize("case", json.loads(PROC.read_text()))
def test_the_partial_area_and_the_height_are_those_of_proc(case):
    n = len(case["y"])
    for said in case["by_proc"]:
        found = roc_part(case["y"], case["score"], said["specificity"], Resampling(np.arange(n), n, 2, n))
        assert found.partial_auc == pytest.approx(said["partial_auc"], abs=1e-12)
        if said["standardised"] is not None:
            assert found.standardised == pytest.approx(said["standardised"], abs=1e-12)
        assert found.sensitivity == pytest.approx(said["sensitivity"], abs=1e-12)


def test_the_intervals_are_those_of_drawn_patients():
    y, logits, clusters, n = rows(6)
    found = roc_part(y, logits, 0.8, Resampling(clusters, n, 400, 2))
    random, areas = np.random.default_rng(0), []
    for _ in range(400):
        drawn = np.concatenate([np.flatnonzero(clusters == one) for one in random.integers(0, n, n)])
        if 0 < y[drawn].sum() < len(drawn):
            scaled = roc_auc_score(y[drawn], logits[drawn], max_fpr=0.2)
            areas.append((2 * scaled - 1) * (0.2 - 0.02) + 0.02)
    assert found.partial_auc_ci == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.03)
    assert found.sensitivity_ci[0] <= found.sensitivity <= found.sensitivity_ci[1]


def test_what_is_undefined_says_why():
    few = roc_part([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], 0.9, Resampling(np.arange(4), 4, 10, 30))
    assert few.partial_auc is not None and few.partial_auc_ci is None and "at least 30" in few.why
    assert roc_part([0, 0], [0.1, 0.2], 0.9, Resampling(np.arange(2), 2, 10, 2)).why == "there are no positives"
    with pytest.raises(UsageError):
        roc_part([0, 1], [0.1, 0.2], 1.0, Resampling(np.arange(2), 2, 10, 2))
