"""What is looked up in sorted rows is what a search through all of them finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_core.errors import DataError
from cxr_core.evaluation.binary import certain_rows
from cxr_core.evaluation.operating import operating_point
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.sorted_label import SortedLabel, sorted_label
from cxr_core.evaluation.thresholds import threshold_for_sensitivity, threshold_for_specificity, written_threshold

VALUES = np.array([2, 2, 2, 2, 3, 3, 0, -1])
SCORES = np.array([0.9, 0.5, 0.4, 0.1, 0.8, 0.7, 0.2, 5.0])
SHARES = ("sensitivity", "specificity", "ppv", "npv", "f1", "alarms", "false_alarms")


def sorted_rows(values: np.ndarray, scores: np.ndarray, patients: np.ndarray) -> SortedLabel:
    return sorted_label(values, scores, *patient_clusters(patients))


@st.composite
def labels(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw label codes, scores with ties, and patients, of whom some have uncertain rows only."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 60))
    values = rng.choice(4, size=n, p=draw(st.sampled_from([[0.3, 0.2, 0.2, 0.3], [0, 0, 1, 0], [0.5, 0, 0, 0.5]])))
    return values, rng.normal(size=n).round(draw(st.integers(0, 3))), rng.integers(40, size=n)


@settings(max_examples=150)
@given(labels(), st.one_of(st.floats(-3, 3), st.integers(0, 59)))
def test_an_operating_point_is_that_of_the_rows_one_by_one(label, cut):
    values, scores, patients = label
    threshold = float(scores[cut % scores.size]) if isinstance(cut, int) else cut
    rows, (clusters, _) = certain_rows(values, scores), patient_clusters(patients)
    expected = operating_point(rows.y, rows.scores, threshold, clusters[rows.mask], 2)

    found = sorted_rows(values, scores, patients).operating_point(threshold, 2)

    assert found == expected
    assert [getattr(found, share) for share in SHARES] == [getattr(expected, share) for share in SHARES]


@settings(max_examples=150)
@given(labels(), st.floats(0.01, 1))
def test_thresholds_are_those_that_a_search_finds(label, wanted):
    values, scores, patients = label
    rows, found = certain_rows(values, scores), sorted_rows(values, scores, patients)
    if 0 < rows.positives < rows.n:
        reached = threshold_for_sensitivity(rows.y, rows.scores, wanted)
        assert found.threshold_for_sensitivity(wanted) == reached
        assert found.threshold_for_specificity(wanted) == threshold_for_specificity(rows.y, rows.scores, wanted)
    assert found.written_threshold(wanted) == written_threshold(scores, wanted)


def test_rows_at_or_above_the_threshold_are_counted_by_value():
    shares = sorted_rows(VALUES, SCORES, np.arange(8)).shares_above(0.5)
    assert {name: (s.n, s.n_above, s.share) for name, s in shares.items()} == {
        "not_mentioned": (1, 0, 0.0),
        "negative": (0, 0, None),
        "uncertain": (4, 2, 0.5),
        "positive": (2, 2, 1.0),
    }
    assert (shares["negative"].ci, shares["negative"].why) == (None, "there are no such images")
    assert (shares["positive"].ci, shares["positive"].why) == (None, "only 2 patients; an interval needs at least 10")


def test_shares_have_the_interval_of_images_of_the_same_patient():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(20), 3)
    scores = rng.normal(size=20)[patients]  # the three images of a patient are alike
    found = sorted_rows(np.full(60, 2), scores, patients).shares_above(0.0)["uncertain"]
    above = (scores[::3] >= 0).astype(float)
    assert found.ci == pytest.approx(share_interval(above, np.ones(20)).ci)
    single = sorted_rows(np.full(60, 2), scores, np.arange(60)).shares_above(0.0)["uncertain"]
    assert found.ci[1] - found.ci[0] > 1.5 * (single.ci[1] - single.ci[0])


def test_scores_are_sorted_within_each_value():
    assert sorted_rows(VALUES, SCORES, np.arange(8)).scores[2].tolist() == [0.1, 0.4, 0.5, 0.9]


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="NaN or infinite"):
        sorted_rows(np.array([2, 2]), np.array([np.nan, 0.0]), np.array([1, 2]))


def test_rows_are_counted_and_their_range_is_that_of_the_certain_ones():
    found = sorted_label([3, 0, 2, 1, 3, -1], [0.5, -1.0, 9.0, 2.0, 1.5, -7.0], np.arange(6), 6)
    assert (found.certain, found.positives, found.range) == (4, 2, (-1.0, 2.0))
