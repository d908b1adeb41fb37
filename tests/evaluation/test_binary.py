import numpy as np
import pytest

from cxr_core.errors import TableError
from cxr_core.evaluation.binary import binary_truth, certain_rows, shared_certain_rows


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
    rows = certain_rows([3, 0, 0], [1.0, bad, bad])
    assert rows.why == "2 of 3 predictions are missing, NaN or infinite; at most 5 % may be left out"


def test_a_bad_prediction_on_an_uncertain_row_does_no_harm():
    assert certain_rows([3, 2, 0], [1.0, np.nan, 0.0]).why is None


@pytest.mark.parametrize("missing", [-1, np.nan])
def test_missing_label_values_are_counted_and_refused(missing):
    rows = certain_rows([3.0, missing, 0.0, 2.0], [1.0, 2.0, 0.0, 0.0])
    assert rows.why == "1 of 4 label values are missing; at most 5 % may be left out"
    assert (rows.n, rows.uncertain) == (2, 1)


def test_up_to_a_twentieth_is_left_out_and_the_first_is_known():
    values, scores = np.tile([0, 3], 20), np.arange(40.0)
    values[7], scores[4] = -1, np.nan
    rows = certain_rows(values, scores)
    assert (rows.why, rows.n, rows.left_out.n, rows.left_out.first) == (None, 38, 2, 4)
    assert rows.scores.tolist() == [float(i) for i in range(40) if i not in (4, 7)]
    assert rows.left_out.words == (
        "1 of 39 predictions are missing, NaN or infinite and 1 of 40 label values are missing"
    )
    scores[5] = np.inf
    assert certain_rows(values, scores).why is not None


def test_models_are_judged_on_the_rows_that_all_of_them_predict():
    values, whole, holed = np.tile([0, 3], 20), np.arange(40.0), np.arange(40.0)
    holed[4] = np.nan
    first, second, refused = shared_certain_rows(values, [whole, holed, np.full(40, np.nan)])
    assert first.scores.tolist() == second.scores.tolist()
    assert (first.n, first.left_out.n, second.left_out.n) == (39, 0, 1)
    assert refused.why.startswith("40 of 40 predictions")


@pytest.mark.parametrize("wrong", [4, -2, 1.5, np.inf])
def test_a_value_that_is_no_label_code_is_refused(wrong):
    with pytest.raises(TableError, match="must be one of 0 to 3"):
        binary_truth([0, wrong])
