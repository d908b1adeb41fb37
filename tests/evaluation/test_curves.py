import json

import numpy as np
import pytest
from brute_force import FINITE, TIED, ap_by_thresholds, auc_by_pairs, rows
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from cxr_core.errors import DataError
from cxr_core.evaluation.curves import (
    Curves,
    average_precision,
    curves,
    drawn_vertices,
    largest_error,
    pr_curve,
    roc_auc,
    roc_curve,
)

FIGURES = (roc_auc, average_precision, roc_curve, pr_curve)


@given(rows())
def test_auc_equals_pair_counting_and_scikit_learn(data):
    y, scores = data
    assert roc_auc(y, scores) == pytest.approx(auc_by_pairs(y, scores), abs=1e-12)
    assert roc_auc(y, scores) == pytest.approx(metrics.roc_auc_score(y, scores), abs=1e-12)


@given(rows())
def test_average_precision_equals_its_definition_and_scikit_learn(data):
    y, scores = data
    assert average_precision(y, scores) == pytest.approx(ap_by_thresholds(y, scores), abs=1e-12)
    assert average_precision(y, scores) == pytest.approx(metrics.average_precision_score(y, scores), abs=1e-12)


@given(rows())
def test_the_roc_curve_is_scikit_learns_but_for_a_finite_first_threshold(data):
    y, scores = data
    fpr, tpr, thresholds = metrics.roc_curve(y, scores, drop_intermediate=False)
    curve = roc_curve(y, scores)
    np.testing.assert_allclose(curve.fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(curve.tpr, tpr, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds[1:], thresholds[1:])
    assert np.isfinite(curve.thresholds[0])


@given(rows())
def test_the_precision_recall_curve_is_scikit_learns_with_a_threshold_for_its_last_point(data):
    y, scores = data
    precision, recall, thresholds = metrics.precision_recall_curve(y, scores)
    curve = pr_curve(y, scores)
    np.testing.assert_allclose(curve.precision, precision, atol=1e-12)
    np.testing.assert_allclose(curve.recall, recall, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds[:-1], thresholds)
    assert np.isfinite(curve.thresholds[-1])


@given(rows(maximum=20))
def test_each_vertex_is_what_its_threshold_does(data):
    y, scores = data
    curve = roc_curve(y, scores)
    for fpr, tpr, threshold in zip(curve.fpr, curve.tpr, curve.thresholds, strict=True):
        called = scores >= threshold
        assert (called[y == 0].mean(), called[y == 1].mean()) == pytest.approx((fpr, tpr), abs=1e-12)


def test_thresholds_are_finite_json_even_at_the_largest_number():
    largest = float(np.finfo(np.float64).max)
    curve = roc_curve([0, 1], [0.0, largest])
    assert json.loads(json.dumps(curve.thresholds.tolist(), allow_nan=False)) == [largest, largest, 0.0]


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("y", [[], [0, 0, 0]])
def test_without_positives_every_figure_is_undefined(figure, y):
    assert figure(y, np.arange(len(y), dtype=float)) is None


def test_with_positives_only_nothing_is_ranked_and_every_figure_is_undefined():
    # scikit-learn says 1.0 for the average precision: whatever the model says, also for one that knows nothing.
    assert metrics.average_precision_score([1, 1], [0.3, 0.2]) == 1.0
    assert (roc_curve([1, 1], [0.3, 0.2]), pr_curve([1, 1], [0.3, 0.2])) == (None, None)
    assert (roc_auc([1, 1], [0.3, 0.2]), average_precision([1, 1], [0.3, 0.2])) == (None, None)


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_finite_number_is_refused_with_its_count(figure, bad):
    with pytest.raises(DataError, match="1 of 3 NaN or infinite"):
        figure([0, 1, 1], [0.0, bad, 1.0])


def test_logits_that_a_float32_sigmoid_would_tie_are_told_apart():
    y, logits = np.array([0, 1]), np.array([20.0, 21.0])
    squashed = (1 / (1 + np.exp(-logits.astype(np.float32)))).astype(np.float32)
    assert metrics.roc_auc_score(y, squashed) == 0.5
    assert roc_auc(y, logits) == 1.0


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), TIED | FINITE), min_size=1, max_size=80), st.integers(1, 10))
def test_drawing_keeps_the_ends_and_the_extremes_of_every_column(points, columns):
    x = np.sort([point[0] for point in points])
    y = np.array([point[1] for point in points])
    kept = drawn_vertices(x, y, columns)
    assert kept.size <= 4 * columns
    assert kept.tolist() == sorted(set(kept.tolist()))
    column = np.minimum((x * columns).astype(int), columns - 1)
    for part in set(column.tolist()):
        of_all, of_kept = y[column == part], y[kept][column[kept] == part]
        assert (of_all[0], of_all[-1], of_all.min(), of_all.max()) == (
            of_kept[0],
            of_kept[-1],
            of_kept.min(),
            of_kept.max(),
        )


def test_short_curves_are_drawn_whole():
    x = np.linspace(0, 1, 1600)
    assert drawn_vertices(x, x).tolist() == list(range(1600))


@given(rows())
def test_both_curves_from_one_sort_equal_scikit_learns(data):
    y, scores = data
    found = curves(y, scores)
    fpr, tpr, thresholds = metrics.roc_curve(y, scores, drop_intermediate=False)
    precision, recall, rising = metrics.precision_recall_curve(y, scores)
    np.testing.assert_allclose(found.roc.fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(found.roc.tpr, tpr, atol=1e-12)
    np.testing.assert_array_equal(found.roc.thresholds[1:], thresholds[1:])
    np.testing.assert_allclose(found.pr.precision, precision, atol=1e-12)
    np.testing.assert_allclose(found.pr.recall, recall, atol=1e-12)
    np.testing.assert_array_equal(found.pr.thresholds[:-1], rising)
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y, scores), abs=1e-12)
    assert found.average_precision == pytest.approx(metrics.average_precision_score(y, scores), abs=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_many_rows_equal_scikit_learn_whatever_their_precision(kind):
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.6).astype(int)
    scores = (rng.normal(size=20_000) + y).astype(kind).astype(np.float64)
    scores[::50] = scores[0]
    found = curves(y, scores)
    assert found.roc_auc == pytest.approx(metrics.roc_auc_score(y, scores), abs=1e-12)
    assert found.average_precision == pytest.approx(metrics.average_precision_score(y, scores), abs=1e-12)
    np.testing.assert_array_equal(np.sort(np.unique(scores))[::-1], found.roc.thresholds[1:])


@pytest.mark.parametrize("y", [[], [0, 0], [1, 1]])
def test_one_class_has_no_curve_and_no_figure(y):
    assert curves(y, np.arange(len(y), dtype=float)) == Curves(None, None, None, None)


def test_370_000_rows_are_thinned_below_100_kb_with_a_stated_largest_error():
    rng = np.random.default_rng(0)
    n = 370_000
    y = (rng.random(n) < 0.1).astype(int)
    found = curves(y, rng.normal(size=n) + 1.5 * y)
    for x, height, thresholds in [
        (found.roc.fpr, found.roc.tpr, found.roc.thresholds),
        (found.pr.recall, found.pr.precision, found.pr.thresholds),
    ]:
        kept = drawn_vertices(x, height)
        along, up = largest_error(x, height, kept)
        assert along <= 1 / 400
        # The first rows of a PR curve jump; away from them the drawn curve is exact to a thousandth.
        assert up <= 1 / 400
        drawn = [np.round(one[kept], 6).tolist() for one in (x, height, thresholds)]
        assert len(json.dumps(drawn)) < 100_000


def test_the_largest_error_of_a_thinned_curve_by_hand():
    x, height = np.array([0.0, 0.1, 0.4, 1.0]), np.array([0.0, 0.5, 0.2, 0.3])
    along, up = largest_error(x, height, np.array([0, 3]))
    assert along == pytest.approx(0.4)
    assert up == pytest.approx(0.2)
    assert largest_error(x, height, np.arange(4)) == (0.0, 0.0)
