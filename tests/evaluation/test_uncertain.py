import numpy as np
import pytest

from cxr_core.errors import DataError
from cxr_core.evaluation.proportions import share_interval
from cxr_core.evaluation.uncertain import scores_by_value, shares_above

VALUES = np.array([2, 2, 2, 2, 3, 3, 0, -1])
SCORES = np.array([0.9, 0.5, 0.4, 0.1, 0.8, 0.7, 0.2, 5.0])


def test_rows_at_or_above_the_threshold_are_counted_by_value():
    shares = shares_above(VALUES, SCORES, 0.5, np.arange(8))
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
    found = shares_above(np.full(60, 2), scores, 0.0, patients)["uncertain"]
    above = (scores[::3] >= 0).astype(float)
    assert found.ci == pytest.approx(share_interval(above, np.ones(20)).ci)
    single = shares_above(np.full(60, 2), scores, 0.0, np.arange(60))["uncertain"]
    assert found.ci[1] - found.ci[0] > 1.5 * (single.ci[1] - single.ci[0])


def test_scores_are_sorted_within_each_value():
    assert scores_by_value(VALUES, SCORES)["uncertain"].tolist() == [0.1, 0.4, 0.5, 0.9]


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="NaN or infinite"):
        shares_above([2, 2], [np.nan, 0.0], 0.5, [1, 2])
