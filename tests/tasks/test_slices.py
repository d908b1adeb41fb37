"""Slices by one or two columns: what is worse is found and named, what p is corrected for is all that was looked at."""

import json

import numpy as np
import pandas as pd
import pytest
from prediction_source import NAME, of_view, scores_for, write_predictions, write_source
from statsmodels.stats.multitest import multipletests

from cxr_core.cli import main
from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.tasks.gaps import gaps
from cxr_core.tasks.import_groups import import_groups
from cxr_core.tasks.slices import slices
from cxr_core.tasks.threshold_cards import choose_thresholds, parse_rule

LABELS = ("edema", "fracture")


@pytest.fixture
def hidden(workspace, tmp_path):
    """A source in which edema of old women alone is scored by chance, and of nobody else."""
    labels = of_view(write_source(workspace, 900), "frontal")
    random = np.random.default_rng(5)
    people = labels[["patient"]].drop_duplicates()
    people = people.assign(
        sex=random.choice(["F", "M"], len(people)),
        age=random.choice([30, 70], len(people)),
        site=random.choice(["north", "south"], len(people)),
    )
    people.to_csv(tmp_path / "people.csv", index=False)
    told = labels.merge(people, on="patient")
    scores = scores_for(labels, 1, strength=3.0, names=LABELS)
    unlucky = ((told.sex == "F") & (told.age == 70)).to_numpy()
    scores.loc[unlucky, "edema"] = random.normal(1.5, 1.8, unlucky.sum())
    write_predictions(workspace, "net", scores)
    choose_thresholds(NAME, "net", parse_rule("youden"), card="card")
    import_groups(NAME, tmp_path / "people.csv")
    return told


def test_the_slice_that_is_served_worse_is_the_first_and_no_other_label_is(hidden):
    found = slices(NAME, "net", "card", dataset="test")
    assert set(found.columns) == {"view", "sex", "age", "site"}
    assert found.found[0].group in ("sex+age: F, 60 to below 80", "age+sex: 60 to below 80, F")
    assert {one.label for one in found.worse} == {"edema"}
    assert found.worse[0].gap.ci_corrected[1] < 0


def test_a_slice_has_the_gap_of_that_group_and_p_is_corrected_for_all_slices(hidden):
    found = slices(NAME, "net", "card", ["sex", "site"], "test")
    crossed = gaps(NAME, "net", ["sex+site"], "card", "test").matrix.labels
    for one in found.found:
        if one.group.startswith("sex+site: "):
            cell = crossed[one.label][one.group.removeprefix("sex+site: ")]
            assert (one.gap.value, one.gap.p) == (cell.gaps[one.figure].value, cell.gaps[one.figure].p)
    each = {(one.label, one.figure, one.group): one.gap for one in found.found}
    # Of two groups that are each other's rest one is a test: those of one column alone.
    tests = [gap for (_, _, group), gap in each.items() if group not in ("sex: M", "site: south")]
    assert found.tests == len(tests) == 2 * 2 * (1 + 1 + 4)
    corrected = multipletests([gap.p for gap in tests], method="holm")[1]
    assert [gap.p_corrected for gap in tests] == pytest.approx(corrected, abs=1e-12)


def test_small_slices_are_left_out_and_counted_and_all_images_are_no_slice(hidden, monkeypatch):
    monkeypatch.setenv("CXR_MINIMUM_POSITIVES", "150")
    found = slices(NAME, "net", "card", dataset="test")
    sizes = hidden[hidden.dataset == 2].groupby(["sex", "age"]).patient.nunique()
    assert (sizes < 150).all() and found.too_small == 3 * 4
    assert found.looked_at == 3 * 2 + 3 * 4, "crossed with the one view there is, a group is that group"


def test_crossed_and_unknown_columns_are_refused(hidden):
    with pytest.raises(UsageError, match="name single ones"):
        slices(NAME, "net", "card", ["sex+age"])
    with pytest.raises(UnknownNameError, match="column to split by"):
        slices(NAME, "net", "card", ["colour"])


def test_the_command_prints_the_first_slices_and_asks_for_columns_or_slices(hidden, capsys):
    ask = ["gaps", "net", "--source", NAME, "--at", "card", "--dataset", "test"]
    assert main([*ask, "--slices", "--limit", "3", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["slices"]) == 3 and document["worse"] >= 1
    assert document["slices"][0]["slice"].startswith("sex+age")
    assert pd.DataFrame(document["slices"])["p_corrected"].is_monotonic_increasing
    assert main([*ask, "--slices"]) == 0
    assert "served worse" in capsys.readouterr().out
    assert main(ask) == 2
    assert "--slices" in capsys.readouterr().err
