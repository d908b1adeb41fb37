import numpy as np
import pytest
from brute_force import FINITE, patient_rows, rows
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from cxr_core.errors import UsageError
from cxr_core.evaluation.curves import roc_curve
from cxr_core.evaluation.operating import operating_point
from cxr_core.evaluation.thresholds import (
    chosen_threshold,
    f1_threshold,
    threshold_for_alarms,
    threshold_for_sensitivity,
    threshold_for_specificity,
    written_threshold,
    youden_threshold,
)


@given(rows())
def test_no_threshold_beats_youdens(data):
    y, scores = data
    curve = roc_curve(y, scores)
    point = operating_point(y, scores, youden_threshold(y, scores))
    best = (curve.tpr - curve.fpr).max()
    assert point.sensitivity.value + point.specificity.value - 1 == pytest.approx(best, abs=1e-12)


def test_youdens_threshold_needs_both_classes():
    assert youden_threshold([1, 1], [0.0, 1.0]) is None


@given(rows(), st.floats(0.01, 1))
def test_a_wanted_sensitivity_is_reached_and_no_larger_threshold_reaches_it(data, wanted):
    y, scores = data
    threshold = threshold_for_sensitivity(y, scores, wanted)
    assert np.mean(scores[y == 1] >= threshold) >= wanted
    larger = scores[scores > threshold]
    assert not larger.size or np.mean(scores[y == 1] >= larger.min()) < wanted


@given(rows(), st.floats(0.01, 1))
def test_a_wanted_specificity_is_reached_and_no_smaller_threshold_reaches_it(data, wanted):
    y, scores = data
    threshold = threshold_for_specificity(y, scores, wanted)
    assert np.mean(scores[y == 0] < threshold) >= wanted
    smaller = scores[scores < threshold]
    assert not smaller.size or np.mean(scores[y == 0] < smaller.max()) < wanted


@given(st.lists(FINITE, max_size=40), st.floats(0.01, 100))
def test_wanted_alarms_are_not_exceeded_and_any_smaller_threshold_would(scores, wanted):
    scores = np.array(scores, dtype=float)
    threshold = threshold_for_alarms(scores, wanted)
    if threshold is None:
        assert not scores.size
        return
    assert 100 * np.count_nonzero(scores >= threshold) / scores.size <= wanted
    smaller = scores[scores < threshold]
    assert not smaller.size or 100 * np.count_nonzero(scores >= smaller.max()) / scores.size > wanted


@given(rows())
def test_no_threshold_has_a_larger_f1_than_the_chosen_one(data):
    y, scores = data
    chosen = f1_threshold(y, scores)
    if chosen is None:
        assert len(set(y.tolist())) < 2
        return
    every = {threshold: f1_score(y, scores >= threshold) for threshold in np.unique(scores)}
    best = max(every.values())
    assert every[chosen] == pytest.approx(best, abs=1e-12)
    assert all(value < best + 1e-12 for threshold, value in every.items() if threshold > chosen)


def test_a_rule_chooses_the_threshold():
    y, scores, _ = patient_rows(1)
    assert chosen_threshold(y, scores, "youden") == youden_threshold(y, scores)
    assert chosen_threshold(y, scores, "sensitivity", 0.9) == threshold_for_sensitivity(y, scores, 0.9)
    assert chosen_threshold(y, scores, "specificity", 0.9) == threshold_for_specificity(y, scores, 0.9)
    assert chosen_threshold(y, scores, "alarms", 20) == np.sort(scores)[-(y.size // 5)]
    assert chosen_threshold([1, 1], [0.0, 1.0], "alarms", 50) == 1.0
    assert chosen_threshold(y, scores, "fixed", -1) == -1.0
    assert chosen_threshold([1, 1], [0.0, 1.0], "sensitivity", 0.9) is None


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("median", 0.5),
        ("fixed", None),
        ("fixed", np.nan),
        ("sensitivity", 0),
        ("specificity", 1.01),
        ("sensitivity", None),
        ("alarms", None),
        ("alarms", 0),
        ("alarms", 100.5),
    ],
)
def test_a_rule_that_is_none_or_lacks_its_number_is_refused(rule, wanted):
    with pytest.raises(UsageError, match="Received"):
        chosen_threshold([0, 1], [0.0, 1.0], rule, wanted)


@given(st.lists(FINITE, max_size=20), FINITE)
def test_a_written_threshold_calls_the_same_rows_positive(scores, threshold):
    scores = np.array(scores, dtype=float)
    typed = float(repr(written_threshold(scores, threshold)))
    assert ((scores >= typed) == (scores >= threshold)).all()


@given(rows(), st.sampled_from(["youden", "sensitivity", "specificity"]), st.floats(0.01, 1))
def test_a_chosen_threshold_can_be_typed_back(data, rule, wanted):
    y, scores = data
    threshold = chosen_threshold(y, scores, rule, wanted)
    typed = float(str(written_threshold(scores, threshold)))
    assert confusion(y, scores, typed) == confusion(y, scores, threshold)


def confusion(y, scores, threshold):
    point = operating_point(y, scores, threshold)
    return point.tp, point.fp, point.fn, point.tn


@pytest.mark.parametrize(
    ("scores", "threshold", "written"),
    [
        ([-3.0, -2.2684512, 1.0], -2.2684512, -2.27),
        ([-2.27, -2.2684512, 1.0], -2.2684512, -2.269),
        ([0.123456, 0.123457], 0.123457, 0.123457),
        ([0.5], 0.7, 0.7),
        ([0.5], 0.5000000000000001, 0.51),
        ([1e-20, 2e-20], 2e-20, 2e-20),
        ([], 0.25, 0.25),
        ([-0.001, 0.004], 0.0, 0.0),
    ],
)
def test_a_threshold_is_written_with_as_few_decimals_as_tell_the_rows_apart(scores, threshold, written):
    assert written_threshold(scores, threshold) == written


@given(st.integers(1, 60), st.integers(1, 60), st.floats(0.001, 1), st.integers(0, 2**32 - 1))
def test_a_wanted_share_cuts_where_the_roc_curve_reaches_it(positives, negatives, wanted, seed):
    rng = np.random.default_rng(seed)
    y = rng.permutation([1] * positives + [0] * negatives)
    scores = rng.integers(0, 30, y.size) / 7
    curve = roc_curve(y, scores)
    reached = float(curve.thresholds[np.argmax(curve.tpr >= wanted)])
    assert chosen_threshold(y, scores, "sensitivity", wanted) == reached
    smallest = float(curve.thresholds[np.flatnonzero(1 - curve.fpr >= wanted)[-1]])
    assert chosen_threshold(y, scores, "specificity", wanted) == smallest
