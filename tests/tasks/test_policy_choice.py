"""Policies that follow from what a source has: a model's predictions, readings, a column of probabilities."""

import json

import numpy as np
import pandas as pd
import prediction_source
import pytest
from record_source import IMAGES, NAME, write_source

from cxr_core.errors import CxrError, DataError, UsageError
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.image_targets import keep_image_targets
from cxr_core.tasks.meaning import meaning
from cxr_core.tasks.meaning_by_model import meaning_by_model
from cxr_core.tasks.policy_choice import policy_choice
from cxr_core.training.row_targets import UNITS, read_row_targets
from cxr_core.uncertainty import Policy, kind_policy, named_policy, uniform_policy
from cxr_core.warehouse.parquet import write_table

EDEMA = LABELS.index("edema")


@pytest.fixture
def folder(workspace):
    made = write_source(workspace, with_path=False)
    toml = (made / "source.toml").read_text()
    (made / "source.toml").write_text(f'{toml}predictions = "predictions/{{model}}_predictions.parquet"\n')
    return made


def predict(folder, scale="logit", change=lambda scores: scores, dataset="train"):
    """Predictions whose number tells the row, of every image of a data set; return the label rows."""
    rows = pd.read_parquet(folder / f"labels_{dataset}.parquet")
    keys = rows[["path", "patient", "study", "image", "view", "dataset"]]
    spread = np.linspace(-3, 3, len(rows)) if scale == "logit" else np.linspace(0, 1, len(rows))
    made = keys.assign(**{label: change(spread + place / 1000) for place, label in enumerate(LABELS)})
    write_table(folder / "predictions" / "one_predictions.parquet", made, scale, {})
    return rows.assign(score=spread)


def state(folder, train):
    """Give every label table a column of probabilities, that of train these."""
    for file in folder.glob("labels_*.parquet"):
        write_table(file, pd.read_parquet(file).assign(edema_probability=train if "train" in file.name else 0.5))


def kept(folder, policy, to):
    source = get_source(NAME)
    files = sorted(map(str, (folder / "records" / "train").glob("frontal*")))
    keep_image_targets(source, policy, "frontal", files, to)
    return read_row_targets(to)


def test_self_trained_takes_the_probability_of_each_image_by_its_keys(folder, tmp_path):
    rows = predict(folder)
    policy = policy_choice(NAME, "self-trained:one")
    assert policy == kind_policy("self-trained:one")
    units = kept(folder, policy, tmp_path)
    # The records stand in the order of the patients, dealt out to two files by halves.
    frontal = rows[rows["view"] == 0]
    expected = 1 / (1 + np.exp(-(frontal["score"].to_numpy() + EDEMA / 1000)))
    assert units.shape == (IMAGES["train"], 14)
    np.testing.assert_allclose(sorted(units[:, EDEMA] / UNITS), sorted(expected), atol=1e-7)


def test_what_a_run_began_with_stays_when_the_table_changes(folder, tmp_path):
    predict(folder)
    policy = policy_choice(NAME, "self-trained:one")
    before = kept(folder, policy, tmp_path)
    predict(folder, change=lambda scores: -scores)
    np.testing.assert_array_equal(kept(folder, policy, tmp_path), before)


def test_the_data_itself_may_tell_a_probability_beside_the_value(folder, tmp_path):
    rows = pd.read_parquet(folder / "labels_train.parquet")
    stated = np.where(np.arange(len(rows)) % 3 == 0, np.nan, np.linspace(0, 1, len(rows)))
    state(folder, stated)
    kinds = tuple("soft" if label == "edema" else "" for label in LABELS)
    policy = Policy("mine", (0.0,) * 14, (0.0,) * 14, kinds=kinds)
    units = kept(folder, policy, tmp_path)
    frontal = stated[rows["view"] == 0]
    np.testing.assert_allclose(
        sorted(units[:, EDEMA]), sorted(np.where(np.isnan(frontal), -1, np.nan_to_num(frontal) * UNITS)), atol=1
    )
    assert (np.delete(units, EDEMA, axis=1) == -1).all()


@pytest.mark.parametrize(
    ("column", "error", "said"),
    [(None, UsageError, "no column edema_probability"), (1.5, DataError, "numbers from 0 to 1")],
)
def test_a_column_that_is_no_probability_is_refused(folder, tmp_path, column, error, said):
    if column is not None:
        state(folder, column)
    kinds = tuple("soft" if label == "edema" else "" for label in LABELS)
    with pytest.raises(error, match=said):
        kept(folder, Policy("mine", (0.0,) * 14, (0.0,) * 14, kinds=kinds), tmp_path)


def test_a_model_from_which_nothing_can_be_learned_is_refused(folder):
    with pytest.raises(CxrError, match="no model predictions|has no|absent"):
        policy_choice(NAME, "self-trained:absent")
    predict(folder, dataset="valid")
    with pytest.raises(UsageError, match="no predictions of training images"):
        policy_choice(NAME, "self-trained:one")
    predict(folder, scale="score")
    with pytest.raises(UsageError, match="are scores"):
        policy_choice(NAME, "self-trained:one")


def test_a_policy_file_mixes_policies_by_label(folder, tmp_path):
    predict(folder)
    names = ["ignore", "smoothed", "three-class", "self-trained:one", "mask-blanks"]
    entries = {label: names[place % len(names)] for place, label in enumerate(LABELS)}
    entries |= {"edema": {"u": [0.2, 0.4], "w": 0.5}, "fracture": {"u": 0.3, "w": 0.9, "blank_w": 0.5}}
    file = tmp_path / "mixed.json"
    file.write_text(json.dumps(entries))
    policy = policy_choice(NAME, str(file))
    assert policy.name == "mixed"
    place = LABELS.index
    assert (policy.u[EDEMA], policy.upper[EDEMA], policy.w[EDEMA]) == (0.2, 0.4, 0.5)
    assert policy.blank_w[place("fracture")] == 0.5
    assert policy.kinds[2:4] == ("three-class", "self-trained:one")
    assert (policy.u[1], policy.upper[1], policy.w[1]) == (0.55, 0.85, 1.0)
    assert (policy.blank_w[4], policy.w[4]) == (0, 0)
    assert Policy.from_dict(json.loads(json.dumps(policy.as_dict()))) == policy
    assert policy.digest != named_policy("smoothed").digest
    assert policy.u_scalar is None


@pytest.mark.parametrize("name", ["smoothed", "self-trained", "three-class", "soft", "self-trained:one", "hybrid"])
def test_a_file_that_says_one_policy_for_all_labels_is_that_policy(folder, tmp_path, name):
    predict(folder)
    file = tmp_path / "all.json"
    file.write_text(json.dumps(dict.fromkeys(LABELS, name)))
    assert policy_choice(NAME, str(file)) == policy_choice(NAME, name)


def test_a_learned_label_cannot_be_mixed_with_others(folder, tmp_path):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(dict.fromkeys(LABELS, "ignore") | {"edema": "learned"}))
    with pytest.raises(UsageError, match="learned for all labels"):
        policy_choice(NAME, str(file))


def test_estimated_is_the_share_without_readings_and_the_mean_where_there_is_none(workspace):
    labels = prediction_source.write_source(workspace)
    rare = labels.assign(fracture=labels["fracture"].replace(2, 0))
    for dataset, file in ((1, "valid"), (2, "test")):
        folder = workspace / "sources" / prediction_source.NAME
        write_table(folder / f"labels_{file}.parquet", rare[rare["dataset"] == dataset])
    prediction_source.write_predictions(workspace, "some", prediction_source.scores_for(labels, 1, 2.0))
    few = prediction_source.scores_for(labels, 2)[:10]
    prediction_source.write_predictions(workspace, "few", few)
    policy = policy_choice(prediction_source.NAME, "estimated")
    ranges = meaning_by_model(prediction_source.NAME, "some").ranges
    known = {label: one.by_truth.share for label, one in ranges.items() if one.by_truth}
    assert set(LABELS) - set(known) == {"fracture"}
    usual = np.mean(list(known.values()))
    assert policy.u == tuple(pytest.approx(known.get(label, usual), abs=1e-4) for label in LABELS)
    assert (policy.name, set(policy.w)) == ("estimated", {1.0})


def test_from_readings_is_the_share_that_readers_call_present(own_demo):
    policy = policy_choice("demo", "from-readings")
    assert policy.u == meaning("demo").policy(1.0, "any").u
    assert (policy.name, set(policy.w)) == ("from-readings", {1.0})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"u_to": (0.1,) * 14}, "must not end below its beginning"),
        ({"u_to": (0.9,) * 3}, "needs 14 upper ends"),
        ({"kinds": ("three-class",) * 14}, "has no u and w of its own"),
        ({"kinds": ("four-class",) + ("",) * 13}, "kind of a label must be"),
        ({"kinds": ("self-trained:../x",) + ("",) * 13}, "kind of a label must be"),
    ],
)
def test_ranges_and_kinds_that_mean_nothing_are_refused(wrong, said):
    values = uniform_policy(0.4, 0.75).as_dict() | {"name": "mine"} | {name: list(row) for name, row in wrong.items()}
    with pytest.raises(UsageError, match=said):
        Policy.from_dict(values)
