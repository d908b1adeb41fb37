"""Sweeps and repetitions: real parents with real processes, whose trainings only pretend to train."""

import itertools
import json
import os
import signal
import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest
from record_source import NAME, write_source

from cxr_core.errors import ExistsError, UsageError
from cxr_core.runs import service
from cxr_core.schema import LABELS
from cxr_core.tasks.families import start_repeat, start_sweep
from cxr_core.tasks.family_results import family_auc, sweep_cells
from cxr_core.tasks.family_size import MOST_TRAININGS
from cxr_core.tasks.training_plan import training_defaults
from cxr_core.uncertainty import uniform_policy

FAKE_TRAINING = Path(__file__).parent / "fake_training"


@pytest.fixture
def source(workspace, monkeypatch):
    """A source whose trainings take a moment; what still runs at the end is cancelled."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE_TRAINING), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CXR_HEARTBEAT", "0.2")
    monkeypatch.setenv("CXR_CANCEL_GRACE", "3")
    yield write_source(workspace)
    for run in service.list_runs():
        if run.is_active:
            service.cancel(run.run)
            service.wait(run.run, timeout=20)


def options(**chosen):
    return replace(training_defaults(NAME), **({"batch_size": 8, "image_size": 32, "epochs": 1, "seed": 3} | chosen))


def statuses(parent):
    return [child.status for child in service.children(parent.run)]


def until(condition, seconds=40.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


def test_a_sweep_from_the_command_line_is_one_run_with_a_child_for_each_u_and_w(source, cxr):
    chosen = "--source tiny --json --epochs 1 --batch-size 8 --image-size 32 --name grid --seed 0"
    done = cxr("sweep", "--u", "0", "1", "--w", "0.25", "1", *chosen.split())
    assert done.returncode == 0, done.stderr
    parent = json.loads(done.stdout)
    assert (parent["kind"], parent["name"], parent["status"], parent["device"]) == ("sweep", "grid", "completed", None)
    children = parent["children"]
    pairs = [tuple(child["config"]["options"]["policy"][letter][0] for letter in "uw") for child in children]
    assert pairs == [(0, 0.25), (0, 1), (1, 0.25), (1, 1)]
    assert {child["parent"] for child in children} == {parent["run"]}
    assert {(child["kind"], child["status"], child["device"]) for child in children} == {("train", "completed", "cpu")}
    assert [child["name"] for child in children][:2] == ["grid_u0_0__w0_25", "grid_u0_0__w1_0"]
    # One after the other on the device, in the order of the grid.
    assert all(a["ended"] <= b["started"] for a, b in itertools.pairwise(children))
    assert parent["val_auc"] == pytest.approx(1.0)
    assert (parent["result"]["best_u"], parent["result"]["best_w"]) == (1, 1)
    shown = json.loads(cxr("runs", "show", parent["run"], "--json").stdout)
    assert [child["run"] for child in shown["children"]] == [child["run"] for child in children]
    cells = {(cell.u, cell.w): cell for cell in sweep_cells(service.get(parent["run"]))}
    assert cells[0, 1].mean.mean == pytest.approx(0.75)
    assert cells[1, 0.25].labels[LABELS[3]].mean == pytest.approx(0.8125 + 0.03)


@pytest.mark.slow
def test_a_repetition_resumes_what_failed_and_gives_the_mean_and_spread_over_its_seeds(source):
    parent = service.wait(
        start_repeat(NAME, options(policy=uniform_policy(0, 1), seed=5), 3, name="fails").run, timeout=60
    )
    assert (parent.kind, parent.status, parent.config["seeds"]) == ("repeat", "failed", [5, 6, 7])
    assert "3 of 3 trainings did not complete; fails_seed5: The phantom has no lungs." in parent.reason
    ended = service.wait(service.resume(parent.run).run, timeout=60)
    assert (ended.status, ended.reason) == ("completed", None)
    children = service.children(parent.run)
    assert [child.config["options"]["seed"] for child in children] == [5, 6, 7]
    aucs = [child.val_auc for child in children]
    assert aucs == pytest.approx([0.755, 0.756, 0.757])
    assert ended.val_auc == pytest.approx(statistics.mean(aucs))
    assert ended.result["val_auc_sd"] == pytest.approx(statistics.stdev(aucs))
    assert family_auc(ended).n == 3


def test_a_killed_parent_leaves_its_trainings_alone_and_once_resumed_cancels_them_all(source):
    parent = start_sweep(NAME, options(), [0.5], [0.5], repeat=3, name="slow")
    until(lambda: statuses(parent) == ["running", "queued", "queued"])
    os.kill(service.get(parent.run).supervisor.pid, signal.SIGKILL)
    until(lambda: service.get(parent.run).status == "failed")
    assert statuses(parent) == ["running", "queued", "queued"]
    service.resume(parent.run)
    until(lambda: "0 of 3 trainings completed, now slow_u0_5__w0_5_seed3" in (service.get(parent.run).message or ""))
    assert len(service.children(parent.run)) == 3
    service.cancel(parent.run)
    assert service.wait(parent.run, timeout=20).status == "cancelled"
    assert statuses(parent) == ["cancelled"] * 3
    assert [child.started for child in service.children(parent.run)][1:] == [None, None]


@pytest.mark.parametrize(
    ("us", "ws", "repeat", "sentence"),
    [
        ([], [1], 1, "at least one u"),
        ([7], [1], 1, "u must be a number from 0 to 1"),
        ([0], [float("nan")], 1, "w must be a number from 0 to 1"),
        ([0], [1], 0, "must number from 1 to"),
        ([0], [1], True, "must number from 1 to"),
        ([n / 20 for n in range(11)], [n / 10 for n in range(10)], 1, f"at most {MOST_TRAININGS} trainings"),
        ([0.1234567, 0.12345671], [1], 1, "one name"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_and_starts_nothing(source, us, ws, repeat, sentence):
    with pytest.raises(UsageError, match=sentence):
        start_sweep(NAME, options(), us, ws, repeat)
    assert service.list_runs() == []


def test_a_family_is_checked_like_each_of_its_trainings(source):
    (source / "models").mkdir()
    (source / "models" / "grid_u1_0__w1_0.h5").touch()
    with pytest.raises(ExistsError, match="already has a model grid_u1_0__w1_0"):
        start_sweep(NAME, options(), [0, 1], [1], name="grid")
    with pytest.raises(UsageError, match="pages may write to"):
        start_repeat(NAME, options(save_to="/etc"), 2)
    with pytest.raises(UsageError, match="larger than the 24 training images"):
        start_repeat(NAME, options(batch_size=25), 2)
    assert service.list_runs() == []
