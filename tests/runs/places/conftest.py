import os
from functools import partial

import described_places
import pytest
from ray_head import running_ray
from slurm_cluster import running_slurm


@pytest.fixture(scope="session")
def slurm_cluster(tmp_path_factory):
    """A Slurm of this machine alone, for all tests of this process; skipped where it is not installed."""
    with running_slurm(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture
def write_places(tmp_path):
    """Write `cxr.toml` in the working directory with these tables of places, each a dictionary of TOML texts."""
    return partial(described_places.write_places, tmp_path)


@pytest.fixture
def shared_with(tmp_path):
    """Describe the place `cluster`, which shares a folder with this machine, and has this very code."""
    return partial(described_places.describe_cluster, tmp_path)


@pytest.fixture(scope="session")
def ray_head():
    """A Ray of this machine alone, for all tests of this process; skipped where it is not installed."""
    with running_ray() as head:
        yield head


@pytest.fixture
def slurm(slurm_cluster, shared_with, monkeypatch):
    """The place `cluster`, a Slurm."""
    monkeypatch.setenv("SLURM_CONF", str(slurm_cluster.configuration))
    shared_with(kind='"slurm"')
    slurm_cluster.give_node_back()
    yield slurm_cluster
    slurm_cluster.cancel_all()


@pytest.fixture(params=["slurm", "ray", "slurm_over_a_bucket"])
def each_kind(request):
    """The place `cluster`, once of each kind; a training takes minutes on each, so that two are for `make prove`."""
    return _one_of_several(request)


@pytest.fixture(params=["slurm", "ray"])
def each_with_a_disk(request):
    """The same of those that share a disk, which several workers need."""
    return _one_of_several(request)


def _one_of_several(request):
    if request.param != "slurm" and not request.config.getoption("--whole"):
        pytest.skip("the same again elsewhere takes minutes: pytest --whole, as `make prove` does")
    return request.getfixturevalue(request.param)


@pytest.fixture
def slurm_over_a_bucket(slurm, cloud_storage, bucket, shared_with, tmp_path):
    """The place `cluster`, a Slurm that shares no folder with this machine: its own is in a bucket."""
    there = {"CXR_GCS_ENDPOINT": os.environ["CXR_GCS_ENDPOINT"], "TMPDIR": str(tmp_path)}
    shared_with(kind='"slurm"', folder=f'"{bucket}/runs"', variables=there)
    yield slurm
    cloud_storage.is_up = True


@pytest.fixture
def ray(ray_head, shared_with):
    """The place `cluster`, a Ray."""
    shared_with(kind='"ray"', address=f'"{ray_head.address}"')
    return ray_head
