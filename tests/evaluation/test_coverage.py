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


def covers_as_promised(covered, n, least=0.93, most=0.97):
    """Whether a share of n data sets can be one of 93 to 97 % in the long run, but for chance alone (p > .001)."""
    found = round(covered * n)
    too_few = stats.binomtest(found, n, least, "less").pvalue
    return min(too_few, stats.binomtest(found, n, most, "greater").pvalue) > 0.001


@pytest.mark.parametrize(("patients", "prevalence", "auc"), [(300, 0.1, 0.7), (300, 0.1, 0.98)])
def test_intervals_cover_and_true_nulls_are_rejected_as_often_as_promised(coverage, patients, prevalence, auc):
    cell, n = coverage.Cell(patients, prevalence, auc), 150
    found = coverage.summary(cell, [coverage.judged(cell, np.random.default_rng([3, i])) for i in range(n)])
    assert found["answered"] == n
    assert covers_as_promised(found["roc_auc_covered"], n)
    assert covers_as_promised(found["average_precision_covered"], n)
    assert stats.binomtest(round(found["mean_rejected"] * n), n, 0.065, "greater").pvalue > 0.001


@pytest.mark.parametrize("images", [3, 6])
@pytest.mark.parametrize("sensitivity", [0.8, 0.95])
def test_shares_at_an_operating_point_cover_with_several_images_of_a_patient(coverage, images, sensitivity):
    cell, n = coverage.Cell(300, 0.3, 0.9, images, sensitivity), 600
    found = coverage.summary(cell, [coverage.judged(cell, np.random.default_rng([4, i])) for i in range(n)])
    for share in ("sensitivity", "specificity", "ppv", "npv", "f1", "alarms", "false_alarms"):
        assert covers_as_promised(found[f"{share}_covered"], n, 0.935, 0.97)


def test_the_true_shares_and_average_precision_are_those_of_endless_data(coverage):
    cell = coverage.Cell(40_000, 0.3, 0.9, 3, 0.8)
    y, (scores, _), _ = coverage.clustered(cell, np.random.default_rng(0))
    called = scores >= cell.threshold
    expected = metrics.recall_score(y, called), metrics.recall_score(y, called, pos_label=0)
    assert tuple(cell.shares.values())[:2] == pytest.approx(expected, abs=0.01)
    assert cell.shares["ppv"] == pytest.approx(metrics.precision_score(y, called), abs=0.01)
    assert cell.shares["npv"] == pytest.approx(metrics.precision_score(y, called, pos_label=0), abs=0.01)
    assert cell.shares["f1"] == pytest.approx(metrics.f1_score(y, called), abs=0.01)
    assert cell.shares["alarms"] == pytest.approx(called.mean(), abs=0.01)
    assert cell.shares["false_alarms"] == pytest.approx((called & (y == 0)).mean(), abs=0.01)
    assert cell.average_precision == pytest.approx(metrics.average_precision_score(y, scores), abs=0.01)


def test_a_cell_below_the_stated_minimum_is_refused(coverage):
    cell = coverage.Cell(300, 0.02, 0.9)
    found = coverage.summary(cell, [coverage.judged(cell, np.random.default_rng([1, i])) for i in range(20)])
    assert "fewer than 30 patients with a positive image" in found["refused"]
    assert "covered" not in found
