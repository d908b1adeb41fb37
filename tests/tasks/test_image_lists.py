import json

import numpy as np
import pandas as pd
import pytest

from cxr_core.cli import main
from cxr_core.errors import TableError, UnknownNameError, UsageError
from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import label_curves
from cxr_core.tasks.images import GROUPS, ImageQuery, images
from cxr_core.tasks.threshold_cards import choose_thresholds, judged_at, parse_rule, read_card
from cxr_core.warehouse.parquet import write_readings

FRONTAL, LATERAL = "densenet_frontal_u0_0__w0_0", "densenet_lateral_u0_0__w0_0"
CELLS = ("tp", "fp", "fn", "tn")
GROUP_OF = {"tp": "true-positive", "fp": "false-positive", "fn": "false-negative", "tn": "true-negative"}


def tables(home, model):
    """The label rows of valid, the truth and the model's scores, read from their files and put together by path."""
    folder = home / "sources" / "demo"
    labels = pd.read_parquet(folder / "labels_valid.parquet").set_index("path")
    scores = pd.read_parquet(folder / "predictions" / f"{model}_predictions.parquet").set_index("path")
    truth = pd.read_parquet(folder / "truth.parquet").set_index("path")
    paths = [path for path in scores.index if path in labels.index]
    return labels.loc[paths], truth.loc[paths], scores.loc[paths]


@pytest.fixture
def read_by_three(own_small_demo):
    """Three readers of two thirds of the valid images, who agree with the truth or not, or are unsure."""
    random = np.random.default_rng(5)
    labels, truth, _ = tables(own_small_demo, FRONTAL)
    rows = labels.reset_index()[[*KEY_COLUMNS]].iloc[: len(labels) * 2 // 3]
    said = []
    for reader in ("ann", "bob", "cyd"):
        codes = {}
        for label in LABELS:
            seen = (truth[label].to_numpy()[: len(rows)] == 1) ^ (random.random(len(rows)) < 0.2)
            codes[label] = np.where(random.random(len(rows)) < 0.2, random.choice([0, 2], len(rows)), seen * 2 + 1)
        said.append(rows.assign(reader=reader, **codes))
    write_readings(get_source("demo").readings_path("three"), pd.concat(said))
    return own_small_demo, pd.concat(said)


def positive_by(judge, label, labels, truth, said):
    """{path: whether the judge calls the label positive}, without those on which the judge says nothing certain."""
    if judge == "report":
        return {path: code == 3 for path, code in labels[label].items() if code != 2}
    if judge == "truth":
        return {path: code == 1 for path, code in truth[label].items()}
    found = {}
    for path, codes in said.groupby("path")[label]:
        yes, no = int((codes == 3).sum()), int((codes == 1).sum())
        if yes != no:
            found[path] = yes > no
    return found


@pytest.mark.parametrize("judge", ["report", "truth", "three"])
def test_the_groups_are_the_cells_of_the_confusion_table_image_by_image(read_by_three, judge):
    home, said = read_by_three
    labels, truth, scores = tables(home, FRONTAL)
    for label in ("edema", "cardiomegaly", "no_finding"):
        positive = positive_by(judge, label, labels, truth, said)
        curves = label_curves("demo", FRONTAL, label, "valid", None, judge)
        own = np.sort(scores[label].to_numpy())
        for threshold in map(float, [own[0] - 1, *own[:: max(1, len(own) // 8)], own[-1], own[-1] + 1]):
            point = curves.operating_point(threshold)
            called = {path: scores[label][path] >= threshold for path in positive}
            for cell in CELLS:
                yes, no = (cell == "tp" or cell == "fn"), (cell == "fn" or cell == "tn")
                wanted = [path for path, is_so in positive.items() if is_so == yes and called[path] == (not no)]
                assert len(wanted) == getattr(point, cell)
                query = ImageQuery("demo", label, GROUP_OF[cell], FRONTAL, threshold=threshold, judge=judge)
                found = images(query).listed
                sign = 1 if no else -1
                in_order = sorted(wanted, key=lambda path: (sign * scores[label][path], path))
                assert [one.path for one in found] == in_order
                assert [one.score for one in found] == [scores[label][path] for path in in_order]


def test_a_card_cuts_as_evaluate_does(own_small_demo):
    choose_thresholds("demo", FRONTAL, parse_rule("youden"), card="card")
    card = read_card("demo", "card")
    for dataset in ("valid", "test"):
        for label, cut in judged_at(card, "demo", FRONTAL, dataset, None, "report").items():
            if cut.point is None:
                continue
            query = {"source": "demo", "label": label, "model": FRONTAL, "card": "card", "dataset": dataset}
            assert images(ImageQuery(**query, group="false-positive")).total == cut.point.fp
            assert images(ImageQuery(**query, group="false-negative")).total == cut.point.fn


def test_the_groups_of_a_view_are_the_cells_of_that_view(small_demo):
    for view in ("frontal", "lateral"):
        point = label_curves("demo", FRONTAL, "edema", "valid", view).operating_point(0.0)
        for cell, group in GROUP_OF.items():
            query = ImageQuery("demo", "edema", group, FRONTAL, threshold=0.0, view=view)
            assert images(query).total == getattr(point, cell)


def test_two_models_and_the_images_of_a_study_are_held_against_each_other(small_demo):
    _, _, scores = tables(small_demo, FRONTAL)
    other = tables(small_demo, "densenet_frontal_u1_0__w1_0")[2]
    apart = (scores["edema"].rank(pct=True) - other["edema"].rank(pct=True)).abs()
    found = images(ImageQuery("demo", "edema", "models-differ", FRONTAL, beside="densenet_frontal_u1_0__w1_0"))
    assert found.listed[0].path in apart[apart == apart.max()].index
    assert found.total == (apart > 0).sum()
    found = images(ImageQuery("demo", "edema", "study-contradicts", FRONTAL)).listed
    assert len({(one.patient, one.study) for one in found}) < len(found)
    with pytest.raises(UsageError, match="Two models"):
        images(ImageQuery("demo", "edema", "models-differ", FRONTAL))


def test_views_are_kept_apart_and_a_limit_cuts_the_end(small_demo):
    _, _, scores = tables(small_demo, LATERAL)
    query = ImageQuery("demo", "edema", model=LATERAL)
    found = images(query)
    assert found.total == len(found.listed) == len(scores)
    assert [one.score for one in found.listed] == sorted(scores["edema"], reverse=True)
    assert {one.view for one in found.listed} == {"lateral"}
    first = images(ImageQuery("demo", "edema", model=LATERAL, limit=3))
    assert (first.total, first.listed) == (found.total, found.listed[:3])
    assert images(ImageQuery("demo", "edema", model=LATERAL, view="frontal")).total == 0


def test_without_a_model_the_images_of_a_value_are_listed_by_path(small_demo):
    labels = pd.read_parquet(small_demo / "sources/demo/labels_valid.parquet")
    for group, code in (("uncertain", 2), ("blank", 0)):
        for label in ("edema", "fracture"):
            found = images(ImageQuery("demo", label, group))
            assert [one.path for one in found.listed] == sorted(labels[labels[label] == code]["path"])
    every = images(ImageQuery("demo", dataset="valid", view="lateral")).listed
    row = labels[labels["view"] == 1].sort_values("path").iloc[0]
    assert len(every) == (labels["view"] == 1).sum()
    assert (every[0].path, every[0].patient, every[0].study, every[0].image) == (
        *(row["path"], row["patient"], row["study"], row["image"]),
    )
    assert (every[0].value, every[0].score) == (None, None)


def test_a_model_orders_the_blank_and_the_uncertain(small_demo):
    labels, _, scores = tables(small_demo, FRONTAL)
    blank = labels.index[labels["edema"] == 0]
    found = images(ImageQuery("demo", "edema", "blank", FRONTAL)).listed
    assert [one.score for one in found] == sorted(scores["edema"][blank], reverse=True)
    assert {one.value for one in found} == {"not_mentioned"}
    label = (labels[list(LABELS)] == 2).sum().idxmax()
    unsure = scores[label][labels.index[labels[label] == 2]]
    found = images(ImageQuery("demo", label, "uncertain", FRONTAL)).listed
    assert sorted(one.path for one in found) == sorted(unsure.index)
    assert [one.score for one in found[:2]] == [unsure.max(), unsure.min()]


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        ({"group": "odd", "label": "edema"}, UnknownNameError, "Unknown group 'odd'"),
        ({"label": "odd"}, UnknownNameError, "Unknown label 'odd'"),
        ({"group": "uncertain"}, UsageError, "Name it with --label"),
        ({"model": FRONTAL}, UsageError, "Name it with --label"),
        ({"group": "doubtful", "label": "edema"}, UsageError, "Name one with --model"),
        ({"group": "false-positive", "label": "edema", "threshold": 0.5}, UsageError, "Name one with --model"),
        ({"group": "false-positive", "label": "edema", "model": FRONTAL}, UsageError, "needs one cut"),
        (
            {"group": "false-negative", "label": "edema", "model": FRONTAL, "threshold": 0.5, "card": "c"},
            UsageError,
            "needs one cut",
        ),
        ({"group": "doubtful", "label": "edema", "model": FRONTAL, "threshold": 0.5}, UsageError, "Leave it out"),
        (
            {"group": "false-negative", "label": "edema", "model": FRONTAL, "threshold": float("nan")},
            UsageError,
            "finite",
        ),
        ({"group": "false-negative", "label": "edema", "model": FRONTAL, "card": "c"}, UnknownNameError, "card 'c'"),
        ({"group": "blank", "label": "edema", "model": FRONTAL, "judge": "truth"}, UsageError, "report's own values"),
        ({"label": "edema", "judge": "truth"}, UsageError, "Only a model is judged"),
        ({"limit": 0}, UsageError, "1 or more"),
        ({"dataset": "odd"}, UnknownNameError, "odd"),
        ({"view": "odd"}, UnknownNameError, "odd"),
        ({"model": "odd", "label": "edema"}, UnknownNameError, "odd"),
    ],
)
def test_a_query_that_has_no_answer_is_told_in_one_sentence(small_demo, wrong, error, sentence):
    with pytest.raises(error, match=sentence):
        images(ImageQuery("demo", **wrong))


def test_a_path_that_stands_twice_is_refused_as_evaluate_refuses_it(own_small_demo):
    file = own_small_demo / "sources/demo/labels_valid.parquet"
    labels = pd.read_parquet(file)
    first = labels[labels["path"] == tables(own_small_demo, FRONTAL)[0].index[0]]
    pd.concat([labels, first], ignore_index=True).to_parquet(file, index=False)
    for model in (None, FRONTAL):
        with pytest.raises(TableError, match="each path once"):
            images(ImageQuery("demo", "edema", model=model))


def test_the_command_prints_the_keys_of_each_image_and_no_more(small_demo, capsys):
    arguments = ["images", "--model", FRONTAL, "--label", "edema", "--group", "false-positive", "--threshold=0.5"]
    assert main([*arguments, "--limit", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert len(said) == 2
    names = ["path", "dataset", "view", "patient", "study", "image", "value", "score", "why"]
    assert all(list(one) == names for one in said)
    assert said[0]["score"] >= said[1]["score"] >= 0.5
    assert main([*arguments, "--limit", "2"]) == 0
    text = capsys.readouterr()
    assert text.out.startswith("The first 2 of ") and said[0]["path"] in text.out
    assert text.err.startswith("See the first: ") and f"show {said[0]['path']} --to FILE.png" in text.err
    assert main(["images", "--group", "doubtful", "--label", "edema"]) == 2
    assert capsys.readouterr().err == "The group doubtful is of a model. Name one with --model.\n"


def test_every_group_is_named_in_the_help(capsys):
    assert main(["images", "--help"]) == 0
    help_text = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    assert all(group in help_text for group in GROUPS)
