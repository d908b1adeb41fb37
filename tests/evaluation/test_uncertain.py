import numpy as np
import pytest

from cxr_core.errors import DataError
from cxr_core.evaluation.uncertain import scores_by_value, shares_above

VALUES = np.array([2, 2, 2, 2, 3, 3, 0, -1])
SCORES = np.array([0.9, 0.5, 0.4, 0.1, 0.8, 0.7, 0.2, 5.0])


def test_rows_at_or_above_the_threshold_are_counted_by_value():
    shares = shares_above(VALUES, SCORES, 0.5)
    assert {name: (s.n, s.n_above, s.share) for name, s in shares.items()} == {
        "not_mentioned": (1, 0, 0.0),
        "negative": (0, 0, None),
        "uncertain": (4, 2, 0.5),
        "positive": (2, 2, 1.0),
    }
    assert shares["negative"].ci is None
    assert shares["uncertain"].ci[0] < 0.5 < shares["uncertain"].ci[1]


def test_scores_are_sorted_within_each_value():
    assert scores_by_value(VALUES, SCORES)["uncertain"].tolist() == [0.1, 0.4, 0.5, 0.9]


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match="NaN or infinite"):
        shares_above([2, 2], [np.nan, 0.0], 0.5)
