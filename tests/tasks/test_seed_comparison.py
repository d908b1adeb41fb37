"""Which trainings differ in the seed alone, and what is said of two of them."""

import json

import numpy as np
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from sklearn.metrics import roc_auc_score

from cxr_core.cli import main
from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from cxr_core.tasks.seed_groups import floor_of_run, trainings_by_seed
from cxr_core.tasks.seed_words import seed_answer, seed_notes
from cxr_core.tasks.seeds import compare_seeds
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import named_policy


@pytest.fixture
def labels(workspace):
    return of_view(write_source(workspace, 240), "frontal")


@pytest.fixture
def trained(workspace, labels, monkeypatch):
    """Add a completed training with its predictions on valid and test."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)

    def train(model, seed, strength, policy="ignore", status="completed", **options):
        chosen = TrainOptions(policy=named_policy(policy), seed=seed, name=model, **options).as_dict()
        config = {"options": chosen, "files_train": ["t"], "files_valid": ["v"], "n_train": 100, "n_valid": 50}
        run, store = service.submit("train", model, NAME, config, "cpu"), RunStore(workspace)
        store.start(run.run)
        store.set_result(run.run, {"model": model, "val_auc": 0.8 + seed / 100})
        store.end(run.run, status, None, run.supervisor)
        write_predictions(workspace, model, scores_for(labels, seed, strength))
        return service.get(run.run)

    return train


def test_trainings_that_differ_in_the_seed_and_in_names_alone_are_together(trained):
    trained("one", 1, 1.0)
    trained("two", 2, 1.0, save_to="/tmp/elsewhere")
    trained("other", 1, 1.0, "positive")
    trained("longer", 3, 1.0, epochs=7)
    trained("broken", 4, 1.0, status="failed")
    assert set(map(frozenset, trainings_by_seed(NAME))) == {
        frozenset({"one", "two"}),
        frozenset({"other"}),
        frozenset({"longer"}),
    }


def test_several_seeds_of_each_are_compared_by_the_difference_of_their_means(trained, labels):
    for seed in range(4):
        trained(f"a{seed}", seed, 2.0)
        trained(f"b{seed}", seed + 10, 1.0, "positive")
    found = compare_seeds(NAME, "a0", "b2")
    assert (len(found.a), len(found.b)) == (4, 4)
    valid = labels[labels["dataset"] == 1]
    certain = valid["edema"] != 2
    truth = (valid.loc[certain, "edema"] == 3).to_numpy()

    def auc(seed, strength):
        scores = scores_for(labels, seed, strength).loc[valid.index, "edema"][certain]
        return roc_auc_score(truth, scores)

    expected = np.mean([auc(s, 2.0) for s in range(4)]) - np.mean([auc(s + 10, 1.0) for s in range(4)])
    assert found.labels["edema"].value == pytest.approx(expected, abs=1e-12)
    assert found.mean.ci[0] > 0
    assert found.mean.value == pytest.approx(np.mean([one.value for one in found.labels.values()]))
    assert "ranks better than" in seed_answer(found)


def test_one_seed_of_each_says_so_and_takes_the_floor_of_similar_trainings(trained):
    trained("a", 1, 1.0)
    trained("b", 2, 1.0, "positive")
    alone = compare_seeds(NAME, "a", "b")
    assert alone.mean.ci is None
    assert "not known" in seed_answer(alone)
    assert any("no training of this source was repeated" in one for one in seed_notes(alone))
    for seed in (5, 6, 7):
        trained(f"h{seed}", seed, 1.0, "hybrid")
    found = compare_seeds(NAME, "a", "b")
    assert found.similar == (("h7", "h6", "h5"),)
    assert found.mean.floor.freedom == 2
    assert found.mean.ci is not None
    assert "cannot be told apart over seeds and patients" in seed_answer(found)
    assert any("taken from 1 similar training" in one for one in seed_notes(found))
    assert any("seeds of each tell a difference of 0.005" in one or "More than" in one for one in seed_notes(found))


def test_two_seeds_of_one_training_are_compared_as_such(trained):
    trained("a", 1, 1.0)
    trained("b", 2, 1.0)
    found = compare_seeds(NAME, "a", "b")
    assert (found.a, found.b) == (("a",), ("b",))


def test_models_that_no_run_made_have_one_seed(trained, workspace, labels):
    write_predictions(workspace, "theirs", scores_for(labels, 3))
    trained("a", 1, 1.0)
    found = compare_seeds(NAME, "a", "theirs")
    assert found.b == ("theirs",)


def test_the_command_says_it_in_json_and_in_words(trained, capsys):
    for seed in range(2):
        trained(f"a{seed}", seed, 2.0)
        trained(f"b{seed}", seed + 10, 1.0, "positive")
    assert main(["seeds", "a0", "b0", "--source", NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["a"]) == {"a0", "a1"}
    assert told["asked_difference"] == 0.005
    assert set(told["labels"]["edema"]) >= {"difference", "ci", "p", "seeds", "sd_of_seeds", "seeds_needed", "why"}
    assert main(["seeds", "a0", "b0", "--source", NAME]) == 0
    assert "mean of the labels" in capsys.readouterr().out
    assert main(["seeds", "a0", "nobody", "--source", NAME]) == 2


def test_the_floor_of_a_run_is_that_of_its_own_seeds_else_of_trainings_like_it(trained):
    alone = trained("a", 1, 1.0)
    assert floor_of_run(alone) is None
    trained("h1", 1, 1.0, "hybrid")
    trained("h3", 3, 1.0, "hybrid")
    trained("larger", 4, 1.0, "hybrid", image_size=64)
    like = floor_of_run(alone)
    # The standard deviation of .81 and .83.
    assert (like.same, like.floor.sd, like.floor.freedom) == (False, pytest.approx(0.02 / np.sqrt(2)), 1)
    trained("a5", 5, 1.0)
    own = floor_of_run(alone)
    assert (own.same, own.floor.sd, set(own.models)) == (True, pytest.approx(0.04 / np.sqrt(2)), {"a", "a5"})
