"""Runs that are killed with SIGKILL and resumed end as one that was not; `benchmarks/kill_series.py` has more of them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from random_records import write_random_records

pytestmark = pytest.mark.tensorflow
SCRIPT = Path(__file__).parent / "killed_runs.py"
OPTIONS = {
    "architecture": "densenet-small",
    "image_size": 32,
    "batch_size": 4,
    "epochs": 2,
    "seed": 5,
    "checkpoint_minutes": 0,
    "cache": "on",
}
#: Three steps an epoch; a checkpoint after each and at each epoch's end: numbers 1 to 8.
MOMENTS = [("half", 3), ("validated", 1), ("step", 5), ("validation", 2)]


def test_runs_that_are_killed_and_resumed_end_as_if_they_had_not_been(tmp_path, pytestconfig):
    moments = MOMENTS if pytestconfig.getoption("whole") else MOMENTS[:2]
    request = {
        "options": OPTIONS,
        "files_train": list(map(str, write_random_records(tmp_path / "train", 14, shards=2))),
        "files_valid": list(map(str, write_random_records(tmp_path / "valid", 6, shards=1, first=1000))),
        "folder": str(tmp_path),
        "moments": moments,
    }
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([root, f"{root}/tests"]), "CUDA_VISIBLE_DEVICES": "-1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [result["moment"] for result in results] == [f"{kind} {number}" for kind, number in moments]
    assert {result["killed"] for result in results} == {-signal.SIGKILL}
    assert {result["resumed"] for result in results} == {0}, done.stderr[-3000:]
    assert {result["moment"]: result["differs"] for result in results} == {result["moment"]: [] for result in results}
    assert done.stdout.count("killed: ") == len(moments)
