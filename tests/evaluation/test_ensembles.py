import numpy as np
import pytest
from scipy.special import expit
from scipy.special import logit as scipy_logit
from scipy.stats import rankdata

from cxr_core.errors import DataError, UsageError
from cxr_core.evaluation.ensembles import FITTED, METHODS, combine, result_scale

A, B = np.array([-2.0, 0.5, 3.0]), np.array([1.0, 0.5, -1.0])


def test_mean_probability_is_the_mean_of_the_sigmoids_and_of_probabilities_as_they_are():
    np.testing.assert_allclose(combine([A, B], ["logit", "logit"], "mean-probability"), (expit(A) + expit(B)) / 2)
    mixed = combine([A, expit(B)], ["logit", "probability"], "mean-probability")
    np.testing.assert_allclose(mixed, (expit(A) + expit(B)) / 2)


def test_probabilities_of_logits_are_not_rounded_to_float32():
    close = combine([np.array([20.0, 21.0])] * 2, ["logit"] * 2, "mean-probability")
    assert close[0] < close[1]


def test_mean_logit_is_the_mean_of_the_logits_of_whatever_scale():
    np.testing.assert_allclose(combine([A, B], ["logit", "logit"], "mean-logit"), (A + B) / 2)
    p = np.array([0.2, 0.5, 0.9])
    np.testing.assert_allclose(combine([A, p], ["logit", "probability"], "mean-logit"), (A + scipy_logit(p)) / 2)


def test_a_certain_probability_does_not_make_the_mean_logit_infinite():
    assert np.isfinite(combine([np.array([0.0, 1.0])] * 2, ["probability"] * 2, "mean-logit")).all()


def test_mean_rank_is_the_mean_of_the_ranks_with_ties_sharing():
    tied = np.array([1.0, 1.0, 0.0])
    expected = ((rankdata(A) - 0.5) / 3 + (rankdata(tied) - 0.5) / 3) / 2
    np.testing.assert_allclose(combine([A, tied], ["logit", "score"], "mean-rank"), expected)


def test_max_is_the_largest_as_stored():
    assert combine([A, B], ["score", "score"], "max").tolist() == [1.0, 0.5, 3.0]


@pytest.mark.parametrize(
    ("method", "scales", "expected"),
    [
        ("mean-probability", ["logit", "probability"], "probability"),
        ("mean-logit", ["probability", "probability"], "logit"),
        ("mean-rank", ["logit", "score"], "score"),
        ("max", ["score", "score"], "score"),
        ("max", ["logit", "logit"], "logit"),
    ],
)
def test_the_scale_of_an_ensemble(method, scales, expected):
    assert result_scale(scales, method) == expected


@pytest.mark.parametrize("method", ["mean-probability", "mean-logit"])
def test_scores_have_no_mean_probability_or_logit(method):
    with pytest.raises(UsageError, match="use mean-rank"):
        combine([A, B], ["logit", "score"], method)


def test_max_refuses_mixed_scales():
    with pytest.raises(UsageError, match="one scale. Received: logit, probability"):
        combine([A, expit(B)], ["logit", "probability"], "max")


def test_an_unknown_method_is_refused_with_the_choices():
    with pytest.raises(UsageError, match="mean-rank, max, weighted, stacking. Received: 'median'"):
        combine([A, B], ["logit", "logit"], "median")


@pytest.mark.parametrize("method", [method for method in METHODS if method not in FITTED])
def test_a_prediction_that_is_no_number_is_refused(method):
    with pytest.raises(DataError, match="NaN or infinite"):
        combine([A, np.array([0.1, np.nan, 0.2])], ["logit", "logit"], method)


def test_a_probability_out_of_range_is_refused():
    with pytest.raises(DataError, match="between 0 and 1"):
        combine([A, B], ["logit", "probability"], "mean-probability")


@pytest.mark.parametrize("method", FITTED)
def test_a_fitted_method_needs_labels_which_combine_does_not_have(method):
    assert result_scale(["logit", "probability"], method) == "logit"
    with pytest.raises(UsageError, match="fitted to labels"):
        combine([A, B], ["logit", "logit"], method)
