"""Faults done to real runs, one moment each; `benchmarks/faults.py` does them at many, and with a hundred queued runs. Each leaves the true status and
reason within 10 s, the device free and nothing half written.
"""

import pytest
from fault_scenarios import SCENARIOS


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fault_leaves_the_truth_a_free_device_and_nothing_half_written(fake_kinds, monkeypatch, pytestconfig, name):
    if name == "clock_jumps_back":
        monkeypatch.setenv("FAKE_CLOCK", str(fake_kinds.parent / "clock"))
    fewer = {"count": 25} if name == "hundred_queued" and not pytestconfig.getoption("whole") else {}
    assert SCENARIOS[name](0.2, **fewer) < 10
