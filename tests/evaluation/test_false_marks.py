"""The short form of `benchmarks/false_marks.py`: the bounds are those that a few hundred data sets allow to check."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics


@pytest.fixture
def false_marks(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import false_marks

    yield false_marks
    sys.modules.pop("false_marks")


def test_the_models_are_equally_good_on_every_label(false_marks):
    cell = false_marks.Cell(10_000, 3, "roc_auc")
    values, models, patient = false_marks.equal_models(cell, np.random.default_rng(0))
    assert np.bincount(patient).max() == 6
    for label, auc in zip(false_marks.LABELS, false_marks.AUCS, strict=True):
        for scores in models.values():
            assert metrics.roc_auc_score(values[label] == 3, scores[label]) == pytest.approx(auc, abs=0.01)


def test_few_grids_of_equal_models_have_a_false_mark(false_marks, monkeypatch):
    # Some of the labels and few patients, for the sake of time; Holm row by row marks a third of these grids falsely.
    for name in ("LABELS", "PREVALENCES", "AUCS"):
        monkeypatch.setattr(false_marks, name, getattr(false_marks, name)[:5])
    cell, n = false_marks.Cell(200, 4, "roc_auc"), 60
    found = [false_marks.judged(cell, np.random.default_rng([7, number])) for number in range(n)]
    marked, row_by_row = (sum(one[key] for one in found) for key in ("grid", "row_by_row"))
    assert stats.binomtest(marked, n, 0.06, "greater").pvalue > 0.001
    assert row_by_row > 3 * marked
    assert stats.binomtest(sum(one["comparison"] for one in found), n, 0.06, "greater").pvalue > 0.001
