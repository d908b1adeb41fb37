import os
import sys
from pathlib import Path

import pytest
from slurm_cluster import SlurmCluster, why_not

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def slurm_cluster(tmp_path_factory):
    """A Slurm of this machine alone, for all tests of this process; skipped where it is not installed."""
    if reason := why_not():
        pytest.skip(reason)
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def write_places(tmp_path):
    """Write `cxr.toml` in the working directory with these tables of places, each a dictionary of TOML texts."""

    def write(**places):
        lines = [
            f"[places.{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in places.items()
        ]
        (tmp_path / "cxr.toml").write_text("\n".join(lines))

    return write


@pytest.fixture
def slurm(slurm_cluster, write_places, tmp_path, monkeypatch):
    """The place `cluster`, which shares a folder with this machine, and has this very code."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_cluster.configuration))
    shared = tmp_path / "shared"
    shared.mkdir()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    keys = {"kind": '"slurm"', "folder": f'"{shared}"', "python": f'"{sys.executable}"'}
    write_places(cluster=keys | {"environment": f'{{ PYTHONPATH = "{path}" }}'})
    yield slurm_cluster
    slurm_cluster.cancel_all()
