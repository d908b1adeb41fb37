import numpy as np
import pytest
from brute_force import rows
from hypothesis import given, settings
from sklearn import metrics

from cxr_core.evaluation.curves import roc_curve
from cxr_core.evaluation.operating import operating_point, youden_threshold
from cxr_core.evaluation.proportions import wilson_interval


@settings(max_examples=40)
@given(rows())
def test_the_confusion_matrix_and_its_shares_equal_scikit_learns(data):
    y, scores = data
    point = operating_point(y, scores, float(np.median(scores)))
    called = scores >= np.median(scores)
    assert [point.tn, point.fp, point.fn, point.tp] == metrics.confusion_matrix(
        y, called, labels=[0, 1]
    ).ravel().tolist()
    assert point.sensitivity.value == pytest.approx(metrics.recall_score(y, called))
    assert point.specificity.value == pytest.approx(metrics.recall_score(y, called, pos_label=0))
    assert point.ppv.value == pytest.approx(metrics.precision_score(y, called))
    assert point.f1.value == pytest.approx(metrics.f1_score(y, called))
    if point.npv.value is not None:
        assert point.npv.value == pytest.approx(metrics.precision_score(y, called, pos_label=0))


def test_a_score_at_the_threshold_is_called_positive():
    assert operating_point([1, 0], [0.5, 0.4], 0.5).tp == 1


def test_what_cannot_be_counted_is_none_with_its_reason():
    nothing_called = operating_point([1, 0], [0.0, 0.0], 1.0)
    assert (nothing_called.ppv.value, nothing_called.ppv.why) == (None, "nothing is called positive")
    assert (nothing_called.f1.value, nothing_called.sensitivity.value) == (0.0, 0.0)
    no_positives = operating_point([0, 0], [0.0, 1.0], 0.5)
    assert (no_positives.sensitivity.value, no_positives.sensitivity.why) == (None, "there are no positives")
    assert operating_point([], [], 0.0).f1.value is None


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombe_1998_table_1(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_interval_ends_at_one_for_all_and_is_none_for_nothing():
    assert wilson_interval(7, 7)[1] == 1.0
    assert wilson_interval(0, 0) is None


def test_the_interval_of_f1_is_that_of_its_jaccard_index():
    point = operating_point([1] * 81 + [0] * 182 + [0] * 5, [1.0] * 263 + [0.0] * 5, 0.5)
    assert point.f1.value == pytest.approx(2 * 81 / (2 * 81 + 182))
    assert point.f1.ci == pytest.approx((2 * 0.2553 / 1.2553, 2 * 0.3662 / 1.3662), abs=1e-4)


@given(rows())
def test_no_threshold_beats_youdens(data):
    y, scores = data
    curve = roc_curve(y, scores)
    point = operating_point(y, scores, youden_threshold(y, scores))
    best = (curve.tpr - curve.fpr).max()
    assert point.sensitivity.value + point.specificity.value - 1 == pytest.approx(best, abs=1e-12)


def test_youdens_threshold_needs_both_classes():
    assert youden_threshold([1, 1], [0.0, 1.0]) is None
