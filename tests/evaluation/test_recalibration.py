"""Recalibration against statsmodels and scikit-learn, and what holds of any of them."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from cxr_core.errors import UsageError
from cxr_core.evaluation.calibration_fit import calibration_fit
from cxr_core.evaluation.recalibration import ISOTONIC, PLATT, Recalibration, recalibration


@pytest.fixture
def rows():
    random = np.random.default_rng(3)
    x = random.normal(-1, 2, 400).round(2)
    return (random.random(400) < expit(0.4 * x + 0.7)).astype(int), x


def test_platt_is_the_logistic_regression_of_statsmodels(rows):
    y, x = rows
    found, why = recalibration(PLATT, y, x)
    intercept, slope = sm.Logit(y, sm.add_constant(x)).fit(disp=0, tol=1e-14, maxiter=100).params
    assert why is None
    assert (found.intercept, found.slope) == pytest.approx((intercept, slope), abs=1e-9)
    assert found.probabilities(x) == pytest.approx(expit(intercept + slope * x), abs=1e-12)


def test_isotonic_is_that_of_scikit_learn_also_between_and_beyond_its_points(rows):
    y, x = rows
    found, _ = recalibration(ISOTONIC, y, x)
    there = np.linspace(-20, 20, 501)
    wanted = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(there)
    assert found.probabilities(there) == pytest.approx(wanted, abs=1e-12)
    assert (np.diff(found.probabilities(there)) >= 0).all()


def test_on_the_rows_that_it_was_fitted_to_platt_is_calibrated(rows):
    y, x = rows
    found, _ = recalibration(PLATT, y, x)
    fit = calibration_fit(y, logit(found.probabilities(x)), np.arange(y.size), 10)
    assert (fit.slope, fit.intercept, fit.observed_to_expected) == pytest.approx((1, 0, 1), abs=1e-9)


@pytest.mark.parametrize("method", [PLATT, ISOTONIC])
def test_what_is_kept_is_what_was_fitted(rows, method):
    found, _ = recalibration(method, *rows)
    assert Recalibration.from_json(found.as_json()) == found


def test_where_there_is_no_fit_the_reason_is_said_and_an_unknown_method_is_refused():
    x = np.arange(10.0)
    assert recalibration(PLATT, np.zeros(10), x) == (None, "there are no positives")
    found, why = recalibration(PLATT, (x > 4).astype(int), x)
    assert found is None and "separate the classes" in why
    with pytest.raises(UsageError, match="platt, isotonic"):
        recalibration("magic", x, x)
    for damaged in ({"method": ISOTONIC, "x": [2, 1], "y": [0, 1]}, {"method": "magic", "x": [1], "y": [1]}):
        with pytest.raises(ValueError, match="recalibration"):
            Recalibration.from_json(damaged)
