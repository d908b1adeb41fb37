import numpy as np
import pandas as pd
import pytest

from cxr_core.schema import KEY_COLUMNS, LABELS, label_words
from cxr_core.sources.registry import get_source
from cxr_core.tasks.meaning import meaning
from cxr_core.tasks.meaning_by_model import meaning_by_model
from cxr_core.warehouse.parquet import write_readings

MODEL = "densenet_frontal_u0_0__w0_0"
TAB = {"labels-tab": "What they mean"}


@pytest.fixture
def read(own_small_demo):
    """A small demo of which two readers have read the valid and test images."""
    rows = get_source("demo").warehouse().labels()
    rows = rows[rows["dataset"] != 0]
    random = np.random.default_rng(4)
    frames = []
    for reader in ("ann", "bob"):
        said = {label: np.where(random.random(len(rows)) < 0.5, 3, 1) for label in LABELS}
        frames.append(rows[[*KEY_COLUMNS]].assign(reader=reader, **said))
    write_readings(get_source("demo").readings_path("doctors"), pd.concat(frames))
    return own_small_demo


def test_without_readings_the_tab_says_what_they_are_for_and_where_to_import_them(small_demo, page):
    shown = page("labels", **TAB)
    assert any("Nobody has read images of this source yet" in info.value for info in shown.info)
    assert any(button.label == "Import readings" for button in shown.button)


def test_the_tab_answers_with_the_counted_shares(read, page):
    shown = page("labels", **TAB)
    found = meaning("demo", "doctors", None, "frontal")
    known = [share for label in LABELS if (share := found.labels[label]["uncertain"]).share is not None]
    said = next(one.value for one in shown.header if "Of the uncertain" in one.value or "Of no label" in one.value)
    if known:
        assert f"{max(known, key=lambda share: share.ci[0]).share:.0%}".rstrip("%") in said
    table = next(one.value for one in shown.table if "Uncertain" in one.value.columns)
    edema = found.labels["edema"]["positive"]
    assert f"{edema.n_present} of {edema.n_read} read, of {edema.n:,}" in table.loc["Edema", "Positive"]


def test_the_policy_of_the_readings_fills_the_train_form(read, page):
    shown = page("labels", **TAB)
    shown.button(key="train-with-readings").click().run()
    policy = meaning("demo", "doctors", None, "frontal").policy(0.75, "x")
    assert not shown.exception
    assert shown.session_state["train-strategy"] == "per label"
    assert shown.session_state["train-table-start"].startswith(f"{policy.u[0]:g},0.75")


def test_a_model_shows_both_ends_of_the_range_and_what_is_in_use(read, page):
    shown = page("labels", **TAB, **{"meaning-model": MODEL, "dataset": "valid"})
    assert not shown.exception
    found = meaning_by_model("demo", MODEL, "doctors", "valid", "frontal")
    table = next(one.value for one in shown.table if "Now in use" in one.value.columns)
    assert table.loc["Edema", "Now in use"] == "u 0.4, w 0.75"
    for label, alone in found.ranges.items():
        if alone.by_truth is not None:
            assert f"{alone.by_truth.share:.3f}" in table.loc[label_words(label), "If by the truth"]
        else:
            assert alone.why in table.loc[label_words(label), "If by the truth"]


def test_without_readings_a_model_still_gives_the_honest_range(small_demo, page):
    shown = page("labels", **TAB)
    assert not shown.exception
    table = next(one.value for one in shown.table if "Now in use" in one.value.columns)
    assert "Counted" not in table.columns and "If hedging is by the image" in table.columns


@pytest.mark.parametrize(("strategy", "in_use"), [("mask-blanks", "u 0, w 0"), ("hybrid", "u 0.5, w 0.25")])
def test_what_is_in_use_is_the_strategy_that_the_form_has(small_demo, page, strategy, in_use):
    shown = page("labels", **TAB)
    shown.session_state["train-strategy"] = strategy
    shown.run()
    table = next(one.value for one in shown.table if "Now in use" in one.value.columns)
    assert set(table["Now in use"]) == {in_use}


def test_blanks_are_filled_where_the_user_asks(read, page):
    shown = page("labels", **TAB)
    shown.toggle(key="meaning-blanks").set_value(True).run()
    shown.button(key="train-with-readings").click().run()
    policy = meaning("demo", "doctors", None, "frontal").policy(0.75, "x", blanks=True)
    assert not shown.exception
    first = shown.session_state["train-table-start"].split(";")[0]
    assert first == f"{policy.u[0]:g},0.75,{policy.blank_u[0]:g},1"
