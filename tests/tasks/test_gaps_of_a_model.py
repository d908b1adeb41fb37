import json

import numpy as np
import pandas as pd
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.tasks.gaps import gaps
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.subgroups import subgroups
from cxr_core.tasks.threshold_cards import choose_thresholds, parse_rule, read_card


@pytest.fixture
def people(workspace, tmp_path):
    """A source of 300 patients with two images each in test, a card, and a table that tells of the patients."""
    labels = of_view(write_source(workspace, 600), "frontal")
    write_predictions(workspace, "net", scores_for(labels, 1, names=("edema", "fracture")))
    choose_thresholds(NAME, "net", parse_rule("youden"), card="card")
    random = np.random.default_rng(2)
    told = labels[["patient"]].drop_duplicates()
    told = told.assign(
        race=random.choice(["Black", "White"], len(told)),
        age=random.integers(10, 95, len(told)),
        sex=random.choice(["F", "M", ""], len(told), p=[0.5, 0.45, 0.05]),
    )
    told.to_csv(tmp_path / "people.csv", index=False)
    import_groups(NAME, tmp_path / "people.csv")
    return labels.merge(told, on="patient")


def direct(labels, dataset, label, inside, workspace):
    scores = pd.read_parquet(workspace / f"sources/{NAME}/predictions/net_predictions.parquet").set_index("path")
    rows = labels[inside & (labels.dataset == {"valid": 1, "test": 2}[dataset]) & (labels[label] != 2)]
    called = scores.loc[rows.path, label].to_numpy() >= read_card(NAME, "card").thresholds[label]
    positive = (rows[label] == 3).to_numpy()
    return {"sensitivity": called[positive].mean(), "specificity": (~called[~positive]).mean()}


def test_gaps_are_those_of_the_tables(people, workspace):
    found = gaps(NAME, "net", ["race"], "card", "test")
    assert found.matrix.groups == ("Black", "White")
    for label in ("edema", "fracture"):
        own = direct(people, "test", label, people.race == "Black", workspace)
        rest = direct(people, "test", label, people.race != "Black", workspace)
        cell = found.matrix.labels[label]["Black"].as_json()
        for figure in own:
            assert cell[figure] == pytest.approx(own[figure], abs=1e-12)
            assert cell["gap"][figure] == pytest.approx(own[figure] - rest[figure], abs=1e-12)


def test_several_columns_stand_beside_each_other_or_are_crossed_and_ages_are_in_bands(people, workspace):
    found = gaps(NAME, "net", ["sex", "age"], "card", "test")
    assert found.matrix.groups[:3] == ("sex: F", "sex: M", "sex: not stated")
    assert "age: 40 to below 60" in found.matrix.groups and len(found.matrix.groups) == 8
    inside = people.age.between(40, 59)
    cell = found.matrix.labels["edema"]["age: 40 to below 60"].as_json()
    assert cell["sensitivity"] == pytest.approx(direct(people, "test", "edema", inside, workspace)["sensitivity"])
    crossed = gaps(NAME, "net", ["sex+race"], "card", "test")
    assert crossed.matrix.groups == ("F, Black", "F, White", "M, Black", "M, White", "not stated")
    cell = crossed.matrix.labels["edema"]["F, Black"].as_json()
    inside = (people.sex == "F") & (people.race == "Black")
    assert cell["specificity"] == pytest.approx(direct(people, "test", "edema", inside, workspace)["specificity"])


def test_unknown_columns_and_foreign_cards_are_refused(people, workspace):
    for wrong in (["ward"], ["dataset"], ["sex+ward"]):
        with pytest.raises(UnknownNameError, match="column to split by"):
            gaps(NAME, "net", wrong, "card")
    with pytest.raises(UsageError, match="once"):
        gaps(NAME, "net", ["sex", "sex"], "card")
    write_predictions(workspace, "other", scores_for(people, 1, names=("edema",)))
    with pytest.raises(UsageError, match="is of the model net"):
        gaps(NAME, "other", ["sex"], "card")


def test_the_command_prints_the_matrix_and_says_what_the_sides_are(people, cxr):
    arguments = ("gaps", "net", "--by", "race", "--at", "card", "--dataset", "test", "--source", NAME)
    said = json.loads(cxr(*arguments, "--json").stdout)
    assert (said["by"], said["groups"], said["tests"]) == ("race", ["Black", "White"], 4)
    cell = said["labels"]["edema"]["White"]
    needed = {"n", "n_positive", "sensitivity", "sensitivity_ci", "specificity", "specificity_ci", "gap", "gap_ci",
              "p_corrected", "why"}  # fmt: skip
    assert needed <= cell.keys()
    assert set(cell["gap"]) == set(cell["p_corrected"]) == {"sensitivity", "specificity"}
    text = cxr(*arguments)
    assert "each group minus all other images" in text.stdout and "Holm for 4 tests" in text.stdout
    ends = " to ".join(f"{end:+.3f}" for end in cell["gap_ci_corrected"]["specificity"])
    assert "corrected interval" in text.stdout and ends in text.stdout
    wrong = cxr("gaps", "net", "--by", "ward", "--at", "card", "--source", NAME)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


def test_each_group_has_its_auc_and_its_calibration(people):
    found = gaps(NAME, "net", ["sex"], "card", "test")
    shown = found.as_json()["labels"]["edema"]["F"]
    one = next(
        group for group in subgroups(NAME, "net", "edema", "sex", "test").groups if group.group == "F"
    ).evaluation
    assert shown["area"]["roc_auc"] == one.roc_auc
    assert shown["calibration"].keys() >= {"slope", "slope_ci", "observed_to_expected", "why"}
    assert shown["calibration"]["observed_to_expected"] == found.calibration["edema"]["F"].observed_to_expected > 0
