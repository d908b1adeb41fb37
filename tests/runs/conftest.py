import os
import time
from pathlib import Path

import pytest

from cxr_core.runs import service

FAKE_KINDS = Path(__file__).parent / "fake_kinds"


@pytest.fixture
def fake_kinds(workspace, monkeypatch):
    """Quick kinds of runs in the processes of this test's runs; what still runs at the end is cancelled."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE_KINDS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CXR_HEARTBEAT", "0.2")
    monkeypatch.setenv("CXR_CANCEL_GRACE", "1")
    monkeypatch.setenv("CXR_SHARED_DISK_LAG", "10")
    yield workspace
    _cancel_active()


@pytest.fixture
def none_left():
    """No run is active once the test has ended; to be asked for after what such a run works on."""
    yield
    _cancel_active()


def _cancel_active():
    for run in service.list_runs():
        if run.is_active:
            service.cancel(run.run)
            service.wait(run.run, timeout=40)


@pytest.fixture
def until():
    """Wait until a condition holds and return its value."""

    def wait_until(condition, seconds=40.0):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, "it did not come about in time"
            time.sleep(0.05)
        return value

    return wait_until
