import numpy as np
import pytest

from cxr_core.errors import TableError
from cxr_core.evaluation.binary import binary_truth, certain_rows


def test_only_positive_is_one_and_uncertain_rows_do_not_count():
    mask, y = binary_truth([0, 1, 2, 3, 2, 3])
    assert mask.tolist() == [True, True, False, True, False, True]
    assert y[mask].tolist() == [0, 0, 1, 1]


def test_uncertain_rows_are_dropped_from_truth_and_scores_and_counted():
    rows = certain_rows([3, 2, 0, 1, 2], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert rows.y.tolist() == [1, 0, 0]
    assert rows.scores.tolist() == [0.1, 0.3, 0.4]
    assert (rows.n, rows.positives, rows.uncertain, rows.why) == (3, 1, 2, None)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_no_number_is_counted_and_refused(bad):
    assert certain_rows([3, 0, 0], [1.0, bad, bad]).why == "2 of 3 predictions are missing, NaN or infinite"


def test_a_bad_prediction_on_an_uncertain_row_does_no_harm():
    assert certain_rows([3, 2, 0], [1.0, np.nan, 0.0]).why is None


@pytest.mark.parametrize("missing", [-1, np.nan])
def test_missing_label_values_are_counted_and_refused(missing):
    rows = certain_rows([3.0, missing, 0.0, 2.0], [1.0, 2.0, 0.0, 0.0])
    assert rows.why == "1 of 4 label values are missing"
    assert (rows.n, rows.uncertain) == (2, 1)


@pytest.mark.parametrize("wrong", [4, -2, 1.5, np.inf])
def test_a_value_that_is_no_label_code_is_refused(wrong):
    with pytest.raises(TableError, match="must be one of 0 to 3"):
        binary_truth([0, wrong])
