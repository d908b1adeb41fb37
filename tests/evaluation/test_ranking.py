import json
from pathlib import Path

import numpy as np
import pytest
from brute_force import rows
from hypothesis import given
from threadpoolctl import threadpool_limits

from cxr_core.evaluation.curves import curves
from cxr_core.evaluation.ranking import ranking

#: Areas as they were when curves, areas and influences each sorted for themselves.
KEPT = json.loads((Path(__file__).parent / "kept_areas.json").read_text())


def rows_of(case):
    rng = np.random.default_rng([14, case["seed"]])
    y = (rng.random(case["rows"]) < case["prevalence"]).astype(np.int64)
    scores = rng.normal(size=case["rows"]) + case["shift"] * y
    if case["levels"]:
        return y, np.round(scores * case["levels"]) / case["levels"]
    return y, scores.astype(np.float32).astype(np.float64) if case["seed"] % 2 else scores


@pytest.mark.parametrize("case", KEPT, ids=lambda case: str(case["seed"]))
def test_areas_are_to_the_bit_what_they_were(case):
    with threadpool_limits(2):  # by which the sums of many rows are dealt
        found = curves(*rows_of(case))
    assert (found.roc_auc.hex(), found.average_precision.hex()) == (case["roc_auc"], case["average_precision"])


@given(rows())
def test_counts_are_those_of_the_rows_at_or_above_each_score(data):
    y, scores = data
    found = ranking(y, scores)
    np.testing.assert_array_equal(found.thresholds, np.unique(scores)[::-1])
    np.testing.assert_array_equal(found.tp, [(y[scores >= t] == 1).sum() for t in found.thresholds])
    np.testing.assert_array_equal(found.fp, [(y[scores >= t] == 0).sum() for t in found.thresholds])


@given(rows())
def test_what_a_row_is_given_stands_where_the_row_stood(data):
    y, scores = data
    found = ranking(y, scores)
    of_positives, of_negatives = (found.thresholds[places] for places in found.scores)
    np.testing.assert_array_equal(found.of_rows(of_positives, -of_negatives), np.where(y == 1, scores, -scores))


@given(rows())
def test_rows_above_a_row_are_those_with_a_larger_score(data):
    y, scores = data
    found = ranking(y, scores)
    positives, negatives = scores[y == 1], scores[y == 0]
    of_positives, of_negatives = found.scores
    above = [(positives > score).sum() for score in np.sort(positives)[::-1]]
    np.testing.assert_array_equal(found.above(found.tp, of_positives, 1), above)
    above = [(positives > score).sum() for score in np.sort(negatives)[::-1]]
    np.testing.assert_array_equal(found.above(found.tp, of_negatives, 0), above)
    np.testing.assert_array_equal(found.thresholds[of_negatives], np.sort(negatives)[::-1])
