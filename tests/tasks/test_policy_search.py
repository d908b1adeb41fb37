import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tried_policies import SIZE, Searching

from cxr_core.cli import main
from cxr_core.errors import DataError, UnknownNameError, UsageError
from cxr_core.runs.step import Cancelled
from cxr_core.schema import LABELS
from cxr_core.tasks.feature_store import kept_features
from cxr_core.tasks.policies import policy_landscape
from cxr_core.tasks.policy_search import search_state, searched, start_search

MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def searching(own_small_demo, monkeypatch):
    return Searching(monkeypatch, own_small_demo)


@pytest.fixture
def folder(own_small_demo):
    return own_small_demo / "sources" / "demo"


def test_features_are_taken_once_and_kept_as_halves_with_the_keys_of_their_images(searching, folder):
    told = start_search("demo")
    kept = kept_features(next((folder / "features").iterdir()))
    assert told == {"model": MODEL, "features": str(kept.folder), "images": len(kept.images), "size": SIZE}
    assert (kept.features.dtype, kept.features.shape) == (np.float16, (len(kept.images), SIZE))
    assert isinstance(kept.features, np.memmap)
    assert set(kept.images["dataset"]) == {0, 1}
    start_search("demo")
    assert searching.taken == 1
    assert {"taking the features", "training the heads"} <= {message for message, _, _ in searching.said}


def test_features_that_halves_cannot_hold_are_kept_whole(searching, folder):
    searching.scale = 1e5
    start_search("demo")
    assert kept_features(next((folder / "features").iterdir())).features.dtype == np.float32


def test_features_that_are_no_numbers_are_refused(searching, folder):
    searching.scale = np.nan
    with pytest.raises(DataError, match="not finite"):
        start_search("demo")
    assert not list((folder / "features").glob("*"))


def test_another_model_file_has_features_of_its_own_and_takes_the_place_of_the_former(searching, folder):
    start_search("demo")
    before = search_state("demo", MODEL)
    file = folder / "models" / f"{MODEL}.h5"
    file.write_bytes((folder / "models" / "densenet_frontal_u1_0__w1_0.h5").read_bytes())
    assert searched("demo", MODEL) is None
    start_search("demo", MODEL)
    assert searching.taken == 2
    assert len(list((folder / "features").iterdir())) == 1
    assert search_state("demo", MODEL) != before


def test_when_a_training_label_changes_heads_are_trained_anew_on_the_same_features(searching, folder):
    start_search("demo")
    table = folder / "labels_train.parquet"
    rows = pd.read_parquet(table)
    rows["edema"] = rows["edema"].to_numpy()[::-1]
    from cxr_core.warehouse.parquet import write_table

    write_table(table, rows)
    assert searched("demo", MODEL) is None
    start_search("demo")
    assert searching.taken == 1
    assert searched("demo", MODEL) is not None


@pytest.mark.parametrize("when", ["taking the features", "training the heads"])
def test_a_search_that_is_cancelled_leaves_nothing_half(searching, folder, when):
    searching.stopped_at = when
    with pytest.raises(Cancelled):
        start_search("demo")
    assert searched("demo", MODEL) is None
    searching.stopped_at = None
    start_search("demo")
    assert searched("demo", MODEL) is not None


def test_what_is_said_of_the_heads_is_what_scikit_learn_says_of_their_scores(searching, folder):
    start_search("demo")
    found, kept = policy_landscape("demo", MODEL, "truth"), searched("demo", MODEL)
    truth = pd.read_parquet(folder / "truth.parquet").set_index("path")
    label = "support_devices"
    y, head = truth.loc[kept.images["path"], label].to_numpy(), kept.grid.of_pairs[60]
    scores = kept.scores[LABELS.index(label), head]
    row = [one for one in found.as_json()["grid"] if one["label"] == label][60]
    assert (row["u"], row["w"]) == (0.5, 0.5)
    assert row["roc_auc"] == pytest.approx(roc_auc_score(y, scores))
    assert row["average_precision"] == pytest.approx(average_precision_score(y, scores))


def test_the_command_prints_the_contract_and_only_the_labels_that_are_asked_for(searching, capsys):
    start_search("demo")
    asked = ["policies", "--label", "edema", "--label", "support_devices", "--json"]
    assert main(asked) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"features", "grid", "best"}
    assert document["features"]["model"] == MODEL
    assert document["features"]["policy"] == "ignore (u 0, w 0)"
    assert len(document["grid"]) == 2 * 121
    assert set(document["grid"][0]) == {"label", "u", "w", "roc_auc", "average_precision"}
    assert list(document["best"]) == ["edema", "support_devices"]
    assert {"u", "w", "gain", "gain_ci"} <= set(document["best"]["edema"])
    assert main(asked[:-1]) == 0
    said = capsys.readouterr().out
    assert "The features were trained with a policy of their own" in said


def test_a_label_that_is_too_rare_in_train_has_no_head_and_says_why(searching):
    start_search("demo")
    rare = [label for label, one in policy_landscape("demo").labels.items() if "too few for a head" in (one.why or "")]
    best = policy_landscape("demo").as_json()["best"]
    assert rare
    assert all(best[label]["u"] is None and best[label]["why"] for label in rare)


def test_the_mix_takes_what_gains_beyond_chance_and_else_what_is_best_for_all(searching):
    start_search("demo")
    found = policy_landscape("demo")
    mix = found.mix()
    for place, label in enumerate(LABELS):
        wanted = found.best(label) if found.is_told(label) else found.common
        assert (mix.u[place], mix.w[place]) == wanted


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        (["--label", "cough"], UnknownNameError, "Unknown label 'cough'"),
        (["--model", "nobody"], UnknownNameError, "Unknown model with weights 'nobody'"),
        (["--judge", "nobody"], UnknownNameError, "nobody"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_a_sentence(searching, capsys, asked, status, sentence):
    start_search("demo")
    capsys.readouterr()
    assert main(["policies", *asked]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_without_a_model_there_are_no_features(searching, folder):
    for file in (folder / "models").glob("*.h5"):
        file.unlink()
    with pytest.raises(UsageError, match="no model with weights"):
        start_search("demo")
