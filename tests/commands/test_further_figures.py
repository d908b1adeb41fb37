"""What commands print beyond their short answers: counted from the files of a small demo."""

import json

import numpy as np
import pandas as pd
import pytest

from cxr_core.cli import main
from cxr_core.schema import LABELS

FRONTAL, OTHER = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"


def said(capsys, *arguments):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def valid(home):
    """The frontal label rows of valid beside the model's scores."""
    labels = pd.read_parquet(home / "sources/demo/labels_valid.parquet")
    scores = pd.read_parquet(home / f"sources/demo/predictions/{FRONTAL}_predictions.parquet")
    return labels.merge(scores[["path", *LABELS]], on="path", suffixes=("", "_score"))


def test_details_of_the_labels_are_counts_of_the_table(small_demo, capsys):
    found = said(capsys, "distribution", "--details", "--u", "1", "--w", "0.5")
    rows = pd.read_parquet(small_demo / "sources/demo/labels_train.parquet")
    frontal = rows[rows["view"] == 0]
    size = next(one for one in found["counts"] if (one["dataset"], one["view"]) == ("train", "frontal"))
    studies = len(frontal[["patient", "study"]].drop_duplicates())
    assert (size["images"], size["studies"], size["patients"]) == (len(frontal), studies, frontal["patient"].nunique())
    assert size["images_per_study"] == len(frontal) / studies
    assert found["patients_in_several_datasets"] == 0
    for label in LABELS:
        of_label = found["datasets"]["train"]["labels"][label]
        n = [int((frontal[label] == code).sum()) for code in range(4)]
        assert [value["n"] for value in of_label["values"].values()] == n
        assert [value["share"] for value in of_label["values"].values()] == [count / sum(n) for count in n]
        assert of_label["uncertain_per_positive"] == (n[2] / n[3] if n[3] else None)
        assert of_label["positive_rate_certain"] == pytest.approx(n[3] / (n[0] + n[1] + n[3]))
        seen = (n[3] + 0.5 * n[2]) / (n[0] + n[1] + n[3] + 0.5 * n[2])
        assert of_label["positive_rate_seen"] == pytest.approx(seen)
    assert found["datasets"]["train"]["more_uncertain_than_positive"] == [
        label for label in LABELS if (frontal[label] == 2).sum() > (frontal[label] == 3).sum()
    ]
    by_patient = said(capsys, "distribution", "--details", "--unit", "patients")["datasets"]["train"]["labels"]["edema"]
    largest = frontal.groupby("patient")["edema"].max()
    assert [value["n"] for value in by_patient["values"].values()] == [(largest == code).sum() for code in range(4)]


def test_pairs_of_labels_are_counted(small_demo, capsys):
    found = said(capsys, "distribution", "--pairs", "positive", "--dataset", "valid")
    rows = pd.read_parquet(small_demo / "sources/demo/labels_valid.parquet")
    positive = rows[rows["view"] == 0][list(LABELS)] == 3
    for one in found["pairs"]:
        both = int((positive[one["label"]] & positive[one["other"]]).sum())
        assert one["images"] == both
        if one["label"] != one["other"] and positive[one["label"]].any():
            assert one["share"] == both / positive[one["label"]].sum()
    assert found["closest"]["share"] == max(one["share"] for one in found["pairs"] if one["share"])


def test_groups_and_values_are_counted_where_a_card_cuts(own_small_demo, capsys):
    said(capsys, "thresholds", FRONTAL, "--rule", "youden", "--name", "card")
    found = said(capsys, "evaluate", FRONTAL, "--at", "card", "--by", "sex")["labels"]["support_devices"]
    rows = valid(own_small_demo)
    called = rows["support_devices_score"] >= found["at"]["threshold"]
    for code, of_value in enumerate(found["at"]["called"].values()):
        mine = rows["support_devices"] == code
        assert (of_value["n"], of_value["n_called"]) == (mine.sum(), (mine & called).sum())
    at, positive = found["at"], rows["support_devices"] == 3
    assert at["f1"] == pytest.approx(2 * at["tp"] / (2 * at["tp"] + at["fp"] + at["fn"]))
    for group in found["groups"]:
        here = (rows["sex"] == group["group"]) & (rows["support_devices"] != 2)
        assert (group["n"], group["n_positive"]) == (here.sum(), (here & positive).sum())
        assert group["sensitivity"] == (here & positive & called).sum() / (here & positive).sum()


def test_effects_are_mean_differences_and_a_preview_saves_nothing(small_demo, capsys):
    found = said(capsys, "compare", FRONTAL, OTHER, "--effects", "fracture")
    rows = valid(small_demo)
    other = pd.read_parquet(small_demo / f"sources/demo/predictions/{OTHER}_predictions.parquet").set_index("path")
    moved = other["fracture"].reindex(rows["path"]).to_numpy() - rows["fracture_score"].to_numpy()
    shift = found["groups"]["positive"]["shifts"][OTHER]
    assert (found["baseline"], shift["n"]) == (FRONTAL, (rows["fracture"] == 3).sum())
    assert shift["mean"] == pytest.approx(np.mean(moved[rows["fracture"] == 3]))
    before = sorted((small_demo / "sources/demo/predictions").iterdir())
    preview = said(capsys, "ensemble", FRONTAL, OTHER, "--method", "mean-logit", "--preview")
    assert sorted((small_demo / "sources/demo/predictions").iterdir()) == before
    assert preview["images"] == len(rows) and set(preview["mean"]) == {"ensemble", FRONTAL, OTHER}
    best = max((FRONTAL, OTHER), key=lambda one: preview["mean"][one]["roc_auc"]["value"])
    assert preview["best"] == best
    gain = preview["mean"]["ensemble"]["roc_auc"]["value"] - preview["mean"][best]["roc_auc"]["value"]
    assert preview["mean_gain"]["value"] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("distribution --details --pairs positive", "two questions"),
        ("distribution --details --unit odd", "The unit must be"),
        ("distribution --pairs odd", "odd"),
        (f"ensemble {FRONTAL} {OTHER} --method mean-logit", "needs a name"),
        (f"evaluate {FRONTAL} --by odd", "odd"),
        (f"compare {FRONTAL} {OTHER} --effects odd", "odd"),
    ],
)
def test_a_question_without_an_answer_is_told_in_one_line(small_demo, capsys, arguments, sentence):
    assert main(arguments.split()) == 2
    told = capsys.readouterr()
    assert told.out == "" and sentence in told.err and told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("distribution --details", "images_per_study"),
        ("distribution --pairs positive", "the share is of the images of the first"),
        (f"evaluate {FRONTAL} --by sex", "specificity"),
        (f"compare {FRONTAL} {OTHER} --effects fracture", "mean change"),
        (f"ensemble {FRONTAL} {OTHER} --method mean-logit --preview", "Mean AUC against"),
    ],
)
def test_people_read_a_table(small_demo, capsys, arguments, words):
    assert main(arguments.split()) == 0
    assert words in capsys.readouterr().out
