"""The short form of `benchmarks/coverage.py`: the bounds are those that 200 data sets allow to check."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics


@pytest.fixture
def coverage(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    monkeypatch.delitem(sys.modules, "coverage", raising=False)
    import coverage

    yield coverage
    sys.modules.pop("coverage")


def test_the_data_have_the_auc_the_prevalence_and_the_correlation_that_they_state(coverage):
    cell = coverage.Cell(20_000, 0.1, 0.9)
    y, scores, patient = coverage.clustered(cell, np.random.default_rng(0))
    assert np.mean(y) == pytest.approx(0.1, abs=0.005)
    assert [metrics.roc_auc_score(y, of_model) for of_model in scores] == pytest.approx([0.9, 0.9], abs=0.005)
    sizes = np.bincount(patient)
    assert (sizes.min(), sizes.max()) == (1, 6)
    residual = scores[0] - np.where(y == 1, scores[0][y == 1].mean(), scores[0][y == 0].mean())
    first, second = (residual[np.flatnonzero(np.diff(patient, prepend=-1))[sizes > 1] + step] for step in (0, 1))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("patients", "prevalence", "auc"), [(300, 0.1, 0.7), (300, 0.1, 0.9)])
def test_intervals_cover_and_true_nulls_are_rejected_as_often_as_promised(coverage, patients, prevalence, auc):
    cell, n = coverage.Cell(patients, prevalence, auc), 200
    found = coverage.summary(cell, coverage.chunk(cell, 1, 0, n))
    assert found["answered"] == n
    # 93 to 97 % and 3.5 to 6.5 % are to hold in the long run: 200 data sets may miss them by chance alone.
    assert stats.binomtest(round(found["covered"] * n), n, 0.93, "less").pvalue > 0.001
    assert stats.binomtest(round(found["covered"] * n), n, 0.97, "greater").pvalue > 0.001
    assert stats.binomtest(round(found["rejected"] * n), n, 0.065, "greater").pvalue > 0.001


def test_a_cell_below_the_stated_minimum_is_refused(coverage):
    cell = coverage.Cell(300, 0.02, 0.9)
    found = coverage.summary(cell, coverage.chunk(cell, 1, 0, 20))
    assert "fewer than 30 patients with a positive image" in found["refused"]
    assert "covered" not in found
