"""Faults of runs at places on a real Slurm, each kind once; `benchmarks/place_faults.py` does thirty, on Ray too."""

import os
import random
import subprocess

import pytest
from described_places import describe_cluster
from place_faults import FAULTS, Site, full_disk_there

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: What other tests of a real Slurm do as well.
_SHORT = ("lost_record", "folder_away_at_the_end", "full_disk_here", "wrong_clock")


@pytest.fixture
def small_disk(workspace):
    """The workspace on a disk of its own that is small enough to be filled."""
    workspace.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "none", str(workspace)], check=True)
    yield
    subprocess.run(["umount", "--lazy", str(workspace)], check=True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_after_a_fault_the_status_is_true_and_no_row_is_lost_or_doubled(
    fault, small_disk, fake_kinds, slurm, tmp_path, monkeypatch, request
):
    if fault is full_disk_there:
        pytest.skip("the shared disk of the tests is a large one: benchmarks/place_faults.py fills a small one")
    if fault.__name__ not in _SHORT and not request.config.getoption("--whole"):
        pytest.skip("other tests of places do it too: pytest --whole, as `make prove` does")
    monkeypatch.setenv("CXR_SHARED_DISK_LAG", "2")
    clock = tmp_path / "clock"
    describe_cluster(tmp_path, {"FAKE_CLOCK": str(clock)}, kind='"slurm"')
    assert fault(Site(slurm, tmp_path / "shared", clock), random.Random(fault.__name__)) == []
