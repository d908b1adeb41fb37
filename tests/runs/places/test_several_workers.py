"""Several workers as one run, on a real Slurm and, with `--whole`, on a real Ray."""

import json
import os
import signal

import pytest
from processes_of_runs import workers_of

from cxr_core.runs import service

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow, pytest.mark.timeout(900)]

TRAINING = ("--seed", "5", "--image-size", "32", "--batch-size", "8", "--checkpoint-minutes", "0")
TWO = ("--on", "cluster", "--workers", "2", "--batch-norm", "synchronised")


def start(cxr, name, *options):
    done = cxr("train", "--json", "--name", name, *TRAINING, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["run"]


def losses(run):
    return {row["step"]: row["loss"] for row in service.read_metrics(run) if "loss" in row}


def test_two_workers_are_one_run_that_goes_on_after_the_loss_of_one(own_small_demo, each_with_a_disk, cxr, until):
    """The second is killed by signal 9; both batches together are the batch that one worker has."""
    alone = start(cxr, "alone", "--epochs", "1")
    run = start(cxr, "together", "--epochs", "2", "--restarts", "1", *TWO, "--detach")
    until(lambda: len(losses(run)) > 1, 300)
    os.kill(workers_of(run)[1], signal.SIGKILL)
    done = service.wait(run, timeout=400)
    assert done.status == "completed", service.log_tail(run)
    assert done.reason.endswith("It went on from its last checkpoint once, since a worker was lost.")
    steps = [row["step"] for row in service.read_metrics(run) if "loss" in row]
    assert steps == list(range(1, steps[-1] + 1))
    assert losses(run)[1] == pytest.approx(losses(alone)[1], rel=1e-5)
    assert workers_of(run) == []
    assert done.result["weights"] == str(own_small_demo / "sources" / "demo" / "models" / "together.h5")


def test_here_a_run_has_one_worker(own_small_demo, cxr):
    done = cxr("train", *TRAINING, "--workers", "2")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "On this machine a run has one worker. Received: 2." in done.stderr


def test_a_place_that_shares_no_disk_has_one_worker(own_small_demo, write_places, bucket, cxr):
    write_places(cluster={"kind": '"slurm"', "folder": f'"{bucket}/runs"'})
    done = cxr("train", *TRAINING, *TWO)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Several workers need a folder that all their machines see." in done.stderr
