import numpy as np
import pytest
from brute_force import influences, patient_rows, rows, weighted_ap, weighted_auc
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from cxr_core.evaluation.areas import area
from cxr_core.evaluation.binned import Binned, BinnedArea, binned_areas
from cxr_core.evaluation.defined import class_patients
from cxr_core.evaluation.ranking import ranking


def binned(y, scores, edges):
    """Count the rows of each bin; `edges` rise, and a score that equals one is above it."""
    places = np.searchsorted(edges, scores, side="right")
    count = lambda rows: np.bincount(places[rows], minlength=len(edges) + 1)  # noqa: E731
    lows = np.append(min(scores.min(), edges[0]) - 1, edges)
    return places, Binned(count(y == 1), count(y == 0), lows)


@given(rows(), st.lists(st.floats(-3, 3), min_size=1, max_size=6, unique=True))
def test_the_exact_figures_lie_within_the_bounds_wherever_scores_are_cut(data, edges):
    y, scores = data
    _, found = binned(y, scores, sorted(edges))
    (auc, auc_off), (ap, ap_off) = found.auc(), found.average_precision()
    assert abs(metrics.roc_auc_score(y, scores) - auc) <= auc_off + 1e-12
    assert abs(metrics.average_precision_score(y, scores) - ap) <= ap_off + 1e-12


def test_without_two_scores_in_a_bin_nothing_is_left_to_chance():
    y, scores = np.array([0, 1, 1, 0, 1]), np.array([0.1, 0.2, 0.5, 0.4, 0.9])
    _, found = binned(y, scores, [0.15, 0.3, 0.45, 0.7])
    assert found.auc() == (pytest.approx(5 / 6), 0)
    # Precision 1 at the first two positives, 3 of 4 at the third; nothing but a tie of one row each.
    assert found.average_precision() == (pytest.approx((1 + 1 + 3 / 4) / 3), pytest.approx(0, abs=1e-12))


@given(rows(), st.lists(st.floats(-3, 3), min_size=1, max_size=6, unique=True))
def test_curves_are_exact_at_the_edges_of_the_bins(data, edges):
    y, scores = data
    edges = sorted(edges)
    _, found = binned(y, scores, edges)
    roc, pr = found.roc(), found.pr()
    called = [(scores >= edge) for edge in edges[::-1]]
    np.testing.assert_allclose(roc.tpr[1:-1], [(y[rows] == 1).sum() / (y == 1).sum() for rows in called])
    np.testing.assert_allclose(roc.fpr[1:-1], [(y[rows] == 0).sum() / (y == 0).sum() for rows in called])
    np.testing.assert_allclose(pr.precision[1:-1][::-1], [y[rows].mean() if rows.any() else 0 for rows in called])
    assert (roc.tpr[0], roc.tpr[-1], pr.recall[-1], pr.precision[-1]) == (0, 1, 0, 1)


def sums_over(u, v, ap, m, k):
    return {
        **{"uu": u @ u, "vv": v @ v, "uv": u @ v, "fourth": ((u + v) ** 4).sum()},
        **{"ap": ap @ ap, "ap_fourth": (ap**4).sum()},
        **{"squared_positives": m @ m, "squared_negatives": k @ k, "both_classes": m @ k},
    }


def tied_sums(y, places, patients):
    """Return what tables sum by patient, by brute force: derivatives of the figures of the bins as ties."""
    of = {c: np.where(y == c, 1.0, 0.0) for c in (0, 1)}
    rows_of_patients = [patients == patient for patient in np.unique(patients)]
    row = influences(weighted_auc, y, places, np.arange(y.size))
    u, v = (np.array([(row * of[c])[mine].sum() for mine in rows_of_patients]) for c in (1, 0))
    m, k = (np.array([of[c][mine].sum() for mine in rows_of_patients]) for c in (1, 0))
    return sums_over(u, v, influences(weighted_ap, y, places, patients), m, k)


@pytest.mark.parametrize("cuts", [3, 12, 40])
def test_standard_errors_of_the_auc_lie_within_their_bound_and_are_those_of_the_ties(cuts):
    y, scores, patients = patient_rows(5, n=120, patients=40)
    places, found = binned(y, scores, np.quantile(scores, np.linspace(0, 1, cuts + 2)[1:-1]))
    _, clusters = np.unique(patients, return_inverse=True)
    counted = class_patients(y, clusters)
    areas = binned_areas(found, counted, 40, tied_sums(y, places.astype(float), patients))
    exact, tied = (area("roc_auc", ranking(y, x), clusters, counted) for x in (scores, places.astype(float)))
    assert areas["roc_auc"].value == pytest.approx(tied.value)
    assert areas["roc_auc"].error == pytest.approx(tied.error, abs=1e-7)
    assert areas["roc_auc"].freedom == pytest.approx(tied.freedom, rel=1e-4)
    assert abs(areas["roc_auc"].error - exact.error) <= areas["roc_auc"].error_off
    tied_ap = area("average_precision", ranking(y, places.astype(float)), clusters, counted)
    assert areas["average_precision"].error == pytest.approx(tied_ap.error, abs=1e-7)


def test_the_ends_of_an_interval_move_with_figure_and_error():
    area_of = BinnedArea(0.8, 0.01, 0.02, 0.005, 40)
    interval, off = area_of.interval()
    farthest = BinnedArea(0.79, 0, 0.025, 0, 40).interval()[0].ci[0]
    assert off == pytest.approx(interval.ci[0] - farthest)
    assert BinnedArea(0.8, 0.0, 0.02, 0.0, 40).interval()[1] == 0
