"""Training on a real Slurm and a real Ray: the weights are those of the same training here, to the bit, be it stopped on the way or not."""

import json

import pytest
from trained_weights import losses, same_weights

from cxr_core.runs import service

pytestmark = [pytest.mark.slow, pytest.mark.tensorflow, pytest.mark.timeout(900)]

TRAINING = ("--epochs", "3", "--seed", "5", "--image-size", "32", "--batch-size", "8")


def train(cxr, name, *options):
    done = cxr("train", "--json", "--name", name, *TRAINING, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_weights_are_those_of_the_same_training_here_also_after_a_stop(own_small_demo, each_kind, cxr, until):
    home = own_small_demo
    here = train(cxr, "here")
    there = train(cxr, "there", "--on", "cluster")
    assert (there["place"], there["status"], there["result"]["model"]) == ("cluster", "completed", "there")
    assert there["result"]["weights"] == str(home / "sources" / "demo" / "models" / "there.h5")
    assert same_weights(home, "here", "there")
    assert losses(there["run"]) == losses(here["run"])

    stopped = train(cxr, "stopped", "--on", "cluster", "--detach")["run"]
    until(lambda: losses(stopped), 120)
    assert json.loads(cxr("runs", "cancel", stopped, "--json").stdout)["status"] == "cancelled"
    assert len(losses(stopped)) < len(losses(here["run"]))
    assert cxr("runs", "resume", stopped, "--json").returncode == 0
    assert service.wait(stopped, timeout=240).status == "completed"
    assert same_weights(home, "here", "stopped")
    assert losses(stopped) == losses(here["run"])


def test_a_training_that_is_put_back_into_the_queue_has_the_weights_of_one_that_was_not(
    own_small_demo, slurm, cxr, until, pytestconfig
):
    if not pytestconfig.getoption("--whole"):
        pytest.skip("that a run goes on after it, tests/runs/places/test_away.py shows with one that trains nothing")
    here = train(cxr, "here")
    run = train(cxr, "again", "--on", "cluster", "--checkpoint-minutes", "0", "--detach")["run"]
    until(lambda: len(losses(run)) > 3, 240)
    slurm.requeue(f"{run}.1")
    done = service.wait(run, timeout=400)
    assert (done.status, done.leg) == ("completed", 1), service.log_tail(run)
    assert losses(run) == losses(here["run"])
    assert same_weights(own_small_demo, "here", "again")


def test_predictions_made_there_are_those_made_here(own_small_demo, slurm, cxr):
    from small_demo import MODELS, give_weights

    from cxr_core.warehouse.parquet import read_metadata

    give_weights(MODELS[0])
    made = {}
    for name, place in (("made-here", "here"), ("made-there", "cluster")):
        done = cxr("predict", "--json", "--model", MODELS[0], "--name", name, "--dataset", "valid", "--on", place)
        assert done.returncode == 0, done.stderr
        made[place] = json.loads(done.stdout)
    assert made["cluster"] == made["here"] | {
        "model": "made-there",
        "table": made["here"]["table"].replace("made-here", "made-there"),
    }
    path = own_small_demo / "sources" / "demo" / "predictions" / "made-there_predictions.parquet"
    assert read_metadata(path).model["view"] == "frontal"
