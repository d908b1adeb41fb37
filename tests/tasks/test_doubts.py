import json
import re

import numpy as np
import pandas as pd
import pytest

from cxr_core.cli import main
from cxr_core.errors import DataError, UnknownNameError, UsageError
from cxr_core.schema import LABELS
from cxr_core.tasks.doubts import doubts
from cxr_core.tasks.images import ImageQuery, images

FRONTAL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture(scope="module")
def of_demo(built_demo, request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(built_demo))
        yield doubts("demo", FRONTAL)


def tables(home):
    """Labels and truth of the model's images of valid, by path, read from the files."""
    folder = home / "sources" / "demo"
    labels = pd.read_parquet(folder / "labels_valid.parquet").set_index("path")
    predicted = pd.read_parquet(folder / "predictions" / f"{FRONTAL}_predictions.parquet")["path"]
    rows = labels[labels.index.isin(predicted)]
    return rows, pd.read_parquet(folder / "truth.parquet").set_index("path").loc[rows.index]


def test_what_is_wrong_by_the_truth_is_counted_from_the_tables(of_demo, built_demo):
    labels, truth = tables(built_demo)
    for one in of_demo.listed:
        present, positive = truth.loc[one.path, one.label] == 1, labels.loc[one.path, one.label] == 3
        assert one.wrong == (present != positive)
        assert one.value == ("positive" if positive else one.value) != "uncertain"
        assert (one.expected == "positive") != positive
    for label, one in of_demo.labels.items():
        said = labels[label] != 2
        wrong = (truth[label] == 1) != (labels[label] == 3)
        assert (one.right.base.n_judged, one.right.base.n_wrong) == (said.sum(), (wrong & said).sum())
        own = [row.wrong for row in of_demo.listed if row.label == label]
        assert one.right.n_doubtful == len(own)
        assert [p.precision for p in one.right.precision] == [np.mean(own[: p.k]) for p in one.right.precision]
        assert sum(one.values.values()) == one.found.n == len(labels)


def test_the_most_doubtful_are_wrong_far_more_often_than_labels_are(of_demo):
    assert list(of_demo.labels) == list(LABELS)
    chances = [one.probability for one in of_demo.listed]
    assert chances == sorted(chances)
    by_depth = {one.k: one for one in of_demo.right.precision}
    assert set(by_depth) == {10, 25, 50, 100, len(of_demo.listed)}
    assert by_depth[100].ci[0] > 2 * of_demo.right.base.ci[1]


def test_the_group_of_doubtful_images_is_the_list_of_the_label(of_demo, built_demo, monkeypatch):
    monkeypatch.setenv("CXR_HOME", str(built_demo))
    found = images(ImageQuery("demo", "edema", "doubtful", FRONTAL)).listed
    assert [(one.path, one.why) for one in found] == [
        (one.path, one.why) for one in of_demo.listed if one.label == "edema"
    ]


def test_readings_judge_where_they_are_named_and_nobody_where_no_truth_is_known(own_demo):
    sets = [path.stem for path in (own_demo / "sources/demo/readings").glob("*.parquet")]
    found = doubts("demo", FRONTAL, labels=["edema"], judge=sets[0])
    assert found.judge == sets[0] and list(found.labels) == ["edema"]
    assert found.right.base.n_judged < doubts("demo", FRONTAL, labels=["edema"]).right.base.n_judged
    definition = own_demo / "sources/demo/source.toml"
    definition.write_text(re.sub(r"(?m)^truth .*$", "", definition.read_text()))
    found = doubts("demo", FRONTAL, labels=["edema"])
    assert (found.judge, found.right.base, found.right.precision) == (None, None, ())
    assert {one.wrong for one in found.listed} == {None}


def test_images_that_a_model_has_learnt_are_not_doubted(own_small_demo):
    folder = own_small_demo / "sources" / "demo"
    table = pd.read_parquet(folder / "labels_train.parquet")
    rows = table[table["view"] == 0]
    predictions = folder / "predictions" / f"{FRONTAL}_predictions.parquet"
    before = pd.read_parquet(predictions)
    new = rows[before.columns[:6]].assign(**dict.fromkeys(LABELS, 0.5))
    pd.concat([before, new]).to_parquet(predictions, index=False)
    with pytest.raises(UsageError, match="was not trained on"):
        doubts("demo", FRONTAL, "train")
    with pytest.raises(UsageError, match="was not trained on"):
        images(ImageQuery("demo", "edema", "doubtful", FRONTAL, dataset="train"))


def test_a_label_of_which_nothing_can_be_told_says_why(small_demo):
    found = doubts("demo", FRONTAL)
    why = {label: one.found.why for label, one in found.labels.items() if one.found.why}
    assert why and all("no two of its values" in reason for reason in why.values())
    document = found.as_json()
    label = next(iter(why))
    assert document["labels"][label]["why"] == {"doubts": why[label]}
    assert document["labels"][label]["precision"] == [] and document["labels"][label]["wrong_of_all"] is None
    with pytest.raises(DataError, match="There is no group doubtful of this label: no two"):
        images(ImageQuery("demo", label, "doubtful", FRONTAL))


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"labels": ["odd"]}, UnknownNameError, "odd"),
        ({"judge": "report"}, UsageError, "no judge of them"),
        ({"judge": "nobody"}, UnknownNameError, "nobody"),
        ({"dataset": "odd"}, UnknownNameError, "odd"),
        ({"dataset": "train"}, UsageError, "was not trained on"),
    ],
)
def test_a_question_without_an_answer_is_told_in_one_sentence(small_demo, given, error, sentence):
    with pytest.raises(error, match=sentence):
        doubts("demo", FRONTAL, **given)


def test_the_command_prints_the_lists_and_how_right_they_are(small_demo, capsys):
    assert main(["doubts", FRONTAL, "--limit", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said["doubts"]) == 2 and said["judge"] == "truth" and said["folds"] == 5
    assert said["all"]["precision"][0]["k"] == 10
    assert list(said["doubts"][0])[:7] == ["path", "dataset", "view", "patient", "study", "image", "label"]
    assert main(["doubts", FRONTAL, "--label", "support_devices"]) == 0
    text = capsys.readouterr()
    assert "A ranking, not a verdict" in text.out and "How many are wrong by truth" in text.out
    assert text.err.startswith("See the first: ")
    assert main(["doubts", FRONTAL, "--limit", "0"]) == 2
    assert capsys.readouterr().err == "The limit must be 1 or more. Received: 0.\n"
