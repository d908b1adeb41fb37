"""Several devices, and several machines, do what one does: the same loss and gradients, and equal weights ever after."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow
SCRIPT = Path(__file__).parent / "replicas.py"
ROOT = Path(__file__).parents[2]


def started(folder, *ways, **variables):
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1"} | variables
    command = [sys.executable, str(SCRIPT), str(folder), *ways]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """What each way of doing it found: one device, two replicas, and each of two workers."""
    folder = tmp_path_factory.mktemp("replicas")
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(2)]
    processes = [
        started(folder / f"worker{index}", "workers", TF_CONFIG=config) for index, config in enumerate(configs)
    ]
    processes.append(started(folder / "alone", "one", "mirrored"))
    try:
        for process in processes:
            output, _ = process.communicate(timeout=280)
            assert process.returncode == 0, output[-3000:]
    finally:
        for process in processes:
            process.kill()
    names = {
        "one": "alone/one",
        "mirrored": "alone/mirrored",
        "worker0": "worker0/workers",
        "worker1": "worker1/workers",
    }
    return {name: dict(np.load(folder / f"{path}.npz")) for name, path in names.items()}


@pytest.mark.parametrize("way", ["mirrored", "worker0", "worker1"])
@pytest.mark.parametrize("batch_norm", ["inference", "synchronised"])
def test_half_a_batch_each_gives_the_loss_and_the_gradients_of_the_whole(arrays, way, batch_norm):
    one, several = arrays["one"], arrays[way]
    names = [name for name in one if name.startswith(batch_norm)]
    assert len(names) > 20
    for name in names:
        size = np.abs(one[name]).max()
        assert size > 0, name
        assert np.abs(several[name] - one[name]).max() <= 1e-5 * size, name


@pytest.mark.parametrize("way", ["mirrored", "worker0", "worker1"])
def test_after_twenty_steps_all_replicas_hold_identical_weights(arrays, way):
    own = {name: array for name, array in arrays[way].items() if name.startswith("replica")}
    other = arrays["worker1" if way == "worker0" else way]
    compared = 0
    for name, array in own.items():
        twin = name.replace("replica0", "replica1") if way == "mirrored" else name
        np.testing.assert_array_equal(array, other[twin], err_msg=name)
        assert np.isfinite(array).all()
        compared += 1
    assert compared > 60
    # They were trained: the weights are not those of one device's first step.
    assert any((array != 0).any() for name, array in own.items() if name.endswith("000"))
