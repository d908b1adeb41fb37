"""A sweep on a real Ray of two CPUs: with `--whole` eight trainings, else three that only pretend to train."""

import itertools
import json
import os
import urllib.request
from pathlib import Path

import pytest

from cxr_core.runs import service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PRETENDING = Path(__file__).parents[2] / "tasks" / "fake_training"
SMALL = ("--epochs", "1", "--seed", "5", "--image-size", "32", "--batch-size", "8")


@pytest.fixture
def grid(pytestconfig, monkeypatch):
    """The u and w of the sweep; the trainings of the small one take a moment."""
    if pytestconfig.getoption("--whole"):
        return ["0", "0.25", "0.5", "1"], ["0.5", "1"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PRETENDING), os.environ.get("PYTHONPATH", "")]))
    return ["0", "0.5", "1"], ["1"]


def jobs(ray, of_runs):
    """The jobs that Ray has had for some runs."""
    with urllib.request.urlopen(f"{ray.address}/api/jobs/", timeout=20) as answer:
        told = json.loads(answer.read())
    return [job for job in told if (job["submission_id"] or "").rpartition(".")[0] in of_runs]


def test_all_trainings_of_a_sweep_end_and_none_works_twice(own_small_demo, grid, ray, cxr):
    us, ws = grid
    done = cxr("sweep", "--json", "--on", "cluster", "--u", *us, "--w", *ws, "--name", "grid", *SMALL)
    assert done.returncode == 0, done.stderr
    parent = json.loads(done.stdout)
    children = parent["children"]
    asked = [(float(u), float(w)) for u, w in itertools.product(us, ws)]
    assert [tuple(child["config"]["options"]["policy"][letter][0] for letter in "uw") for child in children] == asked
    assert {(child["status"], child["place"]) for child in children} == {("completed", "cluster")}
    assert (parent["status"], parent["result"]["completed"]) == ("completed", len(asked))

    worked = jobs(ray, {child["run"] for child in children})
    assert sorted(job["submission_id"] for job in worked) == sorted(f"{child['run']}.1" for child in children)
    assert {job["status"] for job in worked} == {"SUCCEEDED"}
    for child in children:
        rows = [row["step"] for row in service.read_metrics(child["run"]) if "loss" in row]
        assert rows == list(range(1, len(rows) + 1))
        assert len(rows) > 1
        assert child["result"]["model"] == child["name"]
