"""The short form of the simulations of gaps between groups: bounds are those that so few data sets allow to check."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

SIMULATIONS = ("gaps_coverage", "area_gaps_coverage")
MODULES = ("patient_groups", *SIMULATIONS)


@pytest.fixture
def simulation(request, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    yield import_module(request.param)
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.slow
@pytest.mark.parametrize("simulation", SIMULATIONS, indirect=True)
def test_intervals_cover_and_whole_matrices_have_a_false_alarm_as_often_as_promised(simulation):
    cell, random = simulation.CELLS[2], np.random.default_rng(4)
    tried = 25 * simulation.LABELS
    for share in simulation.coverage(cell, random, 25).values():
        held = round(share * tried)
        assert stats.binomtest(held, tried, 0.93, "less").pvalue > 0.001
        assert stats.binomtest(held, tried, 0.97, "greater").pvalue > 0.001
    assert stats.binomtest(round(simulation.false_alarms(cell, random, 40) * 40), 40, 0.06, "greater").pvalue > 0.001
