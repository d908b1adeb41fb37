"""Several devices, and several machines, do what one does: the same loss and gradients, and equal weights ever after."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from random_records import write_random_records

pytestmark = pytest.mark.tensorflow
SCRIPT = Path(__file__).parent / "replicas.py"
ROOT = Path(__file__).parents[2]


def carry_out(*groups):
    """Do the jobs of each group at a time, each in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    command = [sys.executable, str(SCRIPT), json.dumps(groups, default=str)]
    # a group of their own, so that none of them outlives a test that fails
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=280)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, output[-3000:]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def two_workers(folders, *ways):
    """Return the jobs of two workers of one cluster, each with a folder of its own or both with one."""
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(2)]
    return [[config, folder, *ways] for folder, config in zip(folders, configs, strict=True)]


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """What each way of doing it found: one device, two replicas, and each of two workers."""
    folder = tmp_path_factory.mktemp("replicas")
    for name in ("worker0", "worker1", "alone"):
        (folder / name).mkdir()
    workers = two_workers([folder / "worker0", folder / "worker1"], "workers")
    carry_out([*workers, ["", folder / "alone", "one", "mirrored"]])
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
    assert compared > 120


@pytest.fixture(scope="module")
def workers_runs(tmp_path_factory):
    """A run of two workers of which the second is cancelled, then resumed by both."""
    folder = tmp_path_factory.mktemp("workers")
    write_random_records(folder / "train", 22, shards=3)
    write_random_records(folder / "valid", 10, shards=1, first=1000)
    carry_out(*(two_workers([folder, folder], "run", str(stop_at)) for stop_at in (3, 0)))
    return folder


def test_two_workers_stop_together_go_on_and_only_the_first_writes_models(workers_runs):
    rows = [
        [json.loads(line) for line in (workers_runs / f"run{index}/metrics.jsonl").read_text().splitlines()]
        for index in range(2)
    ]
    # 22 images in batches of 4, two epochs, a validation after each.
    assert [row["step"] for row in rows[0]] == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 10]
    for first, second in zip(*rows, strict=True):
        assert first.get("loss", first.get("val_loss")) == second.get("loss", second.get("val_loss"))
    models = [sorted(path.name for path in (workers_runs / f"run{index}").glob("*.h5")) for index in range(2)]
    assert models == [["best.h5", "last.h5"], []]
