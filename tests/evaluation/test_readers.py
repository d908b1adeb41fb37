import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from cxr_core.evaluation.curves import curves
from cxr_core.evaluation.readers import points_of_judges, points_of_others
from cxr_core.evaluation.verdicts import majority

RANDOM = np.random.default_rng(11)
TRUTH = RANDOM.random(300) < 0.35
VOTES = np.where(TRUTH[:, None] ^ (RANDOM.random((300, 5)) < 0.2), 3, 1)
VOTES = np.where(RANDOM.random(VOTES.shape) < 0.15, RANDOM.choice([0, 2], VOTES.shape), VOTES)
SCORES = np.round(TRUTH + RANDOM.normal(0, 0.9, 300), 1)


def highest_by_brute_force(place, xs, ys):
    """Walk all pieces of a curve and return the highest point above `place`."""
    found = []
    for (x0, y0), (x1, y1) in zip(zip(xs, ys, strict=True), list(zip(xs, ys, strict=True))[1:], strict=False):
        low, high = sorted((x0, x1))
        if low <= place <= high:
            found += [y0, y1] if x0 == x1 else [y0 + (place - x0) / (x1 - x0) * (y1 - y0)]
    return max(found)


def of_the_judge():
    judged = majority(VOTES)
    kept = judged >= 0
    return judged, curves(judged[kept], SCORES[kept])


def test_points_and_readers_under_the_curves_equal_a_brute_force_count():
    judged, drawn = of_the_judge()
    kept = judged >= 0
    fpr, tpr, _ = roc_curve(judged[kept], SCORES[kept], drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(judged[kept], SCORES[kept])
    names = [f"reader {number}" for number in range(5)]
    for place, point in enumerate(points_of_judges(VOTES, names, "doctors", drawn)):
        others = majority(np.delete(VOTES, place, axis=1))
        rows = np.isin(VOTES[:, place], (1, 3)) & (others >= 0)
        (tn, fp), (fn, tp) = confusion_matrix(others[rows], VOTES[rows, place] == 3)
        assert (point.reader, point.set, point.n) == (names[place], "doctors", rows.sum())
        assert point.sensitivity == pytest.approx(tp / (tp + fn))
        assert point.specificity == pytest.approx(tn / (tn + fp))
        assert point.under_roc == (tp / (tp + fn) < highest_by_brute_force(fp / (tn + fp), fpr, tpr))
        assert point.under_pr == (tp / (tp + fp) < highest_by_brute_force(tp / (tp + fn), recall, precision))


def test_a_reader_of_another_set_is_judged_by_the_judge():
    judged, drawn = of_the_judge()
    outsider = np.where(TRUTH[:, None] ^ (RANDOM.random((300, 1)) < 0.1), 3, 1)
    (point,) = points_of_others(outsider, ["guest"], "guests", judged, drawn)
    (tn, fp), (fn, tp) = confusion_matrix(judged[judged >= 0], outsider[judged >= 0, 0] == 3)
    assert (point.sensitivity, point.specificity) == pytest.approx((tp / (tp + fn), tn / (tn + fp)))
    assert point.set == "guests"


def test_a_point_on_an_upright_piece_of_the_curve_lies_below_its_upper_end():
    votes = np.array([[1, 1], [1, 1], [3, 3], [3, 1], [1, 1]])
    judged = np.array([0, 0, 1, 1, 0])
    perfect = curves(judged, np.array([0.1, 0.2, 0.8, 0.9, 0.3]))
    first, second = points_of_others(votes, ["a", "b"], "set", judged, perfect)
    assert (first.sensitivity, first.specificity, first.under_roc) == (1.0, 1.0, False)
    assert (second.sensitivity, second.specificity, second.under_roc) == (0.5, 1.0, True)


@pytest.mark.parametrize(("alarms", "hits", "under"), [(3, 5, True), (3, 7, False), (6, 8, True), (6, 9, False)])
def test_a_point_between_two_vertices_is_measured_against_the_line_between_them(alarms, hits, under):
    # By hand, from ties: (0, 0), (0, .4), (.2, .4), (.4, .8), (1, 1). The line is at .6 over .3, and at .87 over .6.
    judged = np.array([1, 1, 0, 1, 1, 0, 1, 0, 0, 0])
    drawn = curves(judged, np.array([9, 9, 8, 7, 7, 7, 6, 6, 6, 6.0]))
    says = np.r_[np.where(np.arange(10) < alarms, 3, 1), np.where(np.arange(10) < hits, 3, 1)]
    judge = np.r_[np.zeros(10, np.int64), np.ones(10, np.int64)]
    (point,) = points_of_others(says[:, None], ["a"], "set", judge, drawn)
    assert point.under_roc == under


def test_what_is_undefined_says_why():
    (point,) = points_of_others(np.full((4, 1), 1), ["a"], "set", np.zeros(4, np.int64), None)
    assert point.sensitivity is None and point.under_roc is None
    assert point.why["sensitivity"] == "the judge calls nothing present that the reader judged"
    assert point.as_json()["specificity"] == 1.0
