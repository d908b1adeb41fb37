import json

import numpy as np
import pandas as pd
import pytest

from cxr_core.errors import ExistsError, UnknownNameError, UsageError
from cxr_core.schema import LABELS
from cxr_core.tasks.split import parse_shares, split_source
from cxr_core.warehouse.parquet import write_table


@pytest.fixture
def table(workspace):
    """200 images of 60 patients, all in train; one label was not looked for."""
    n = np.arange(200)
    frame = pd.DataFrame({"path": [f"i{k}" for k in n], "patient": n % 60 + 1, "study": n // 60 + 1, "image": 1})
    frame = frame.assign(view=0, dataset=0, **dict.fromkeys(LABELS, 1))
    frame["fracture"] = pd.array([None, 1] * 100, dtype="Int64")
    path = workspace / "sources" / "own" / "labels.parquet"
    write_table(path, frame.assign(age=60.5, site="a"), unstated=True)
    (path.parent / "source.toml").write_text('kind = "local"\n')
    return path


def test_no_patient_falls_into_two_data_sets_and_nothing_else_changes(table):
    before = pd.read_parquet(table)
    counts = split_source("own", "patient", (0.7, 0.2, 0.1))
    after = pd.read_parquet(table)
    assert (after.groupby("patient")["dataset"].nunique() == 1).all()
    assert {name: one["patients"] for name, one in counts.items()} == {"train": 42, "valid": 12, "test": 6}
    assert sum(one["images"] for one in counts.values()) == 200
    for code, name in enumerate(("train", "valid", "test")):
        assert counts[name]["images"] == (after["dataset"] == code).sum()
    pd.testing.assert_frame_equal(after.drop(columns="dataset"), before.drop(columns="dataset"), check_dtype=False)


def test_the_seed_divides_alike_and_another_otherwise(table):
    first, again, other = (
        (split_source("own", "patient", (0.5, 0.3, 0.2), seed, replace=True), pd.read_parquet(table)["dataset"])[1]
        for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_a_division_is_not_given_up_unless_asked_and_never_under_what_was_made_for_it(table):
    split_source("own", "patient", (0.5, 0.5, 0))
    with pytest.raises(ExistsError, match="divided already.*--replace"):
        split_source("own", "patient", (0.5, 0.5, 0))
    (table.parent / "predictions").mkdir()
    (table.parent / "predictions" / "net_predictions.parquet").touch()
    with pytest.raises(ExistsError, match="has predictions that were made for the division"):
        split_source("own", "patient", (0.5, 0.5, 0), replace=True)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.5, 0.4, 0.2), (1.5, -0.5, 0)])
def test_shares_that_are_none_are_refused(table, shares):
    with pytest.raises(UsageError, match="add up to 1"):
        split_source("own", "patient", shares)


def test_other_words_are_refused(table):
    with pytest.raises(UnknownNameError, match="unit to split by"):
        split_source("own", "study", (1, 0, 0))
    with pytest.raises(UsageError, match="Shares are three numbers"):
        parse_shares("much,0,0")
    with pytest.raises(UsageError, match="demo"):
        split_source("demo", "patient", (1, 0, 0))


def test_the_command_prints_the_counts(table, cxr):
    done = cxr("split", "--by", "patient", "--seed", "7", "--shares", "0.8,0.1,0.1", "--source", "own", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["train"]["patients"] == 48
    assert set(document) == {"train", "valid", "test"}
    assert cxr("split", "--by", "patient", "--shares", "1,1,1", "--source", "own").returncode == 2
