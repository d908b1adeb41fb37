"""Which models Compare shows first, and which pair it compares."""

import pandas as pd
import pytest
from html_tables import full_names

from cxr_core.models.listing import ModelEntry
from cxr_core.tasks.ensemble import build_ensemble
from cxr_core.tasks.models import models
from cxr_core.warehouse.parquet import write_table
from dashboard.compare.model_choice import default_view, own_first

FRONTAL, OTHER, LATERAL = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"


def entry(name, view=None, is_ensemble=False):
    return ModelEntry(name, view, predictions=("valid",), is_ensemble=is_ensemble)


PRETRAINED = [entry(FRONTAL, "frontal"), entry(LATERAL, "lateral")]
ALL = ["frontal", "lateral", "none", "all"]


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ([], "frontal"),
        ([entry("mine", "lateral")], "lateral"),
        ([entry("mine")], "all"),
        ([entry("mine", "lateral"), entry("other", "frontal")], "all"),
    ],
)
def test_the_view_that_shows_the_users_own_models_is_the_default(own, shown):
    assert default_view([*PRETRAINED, *own], ALL) == shown


def test_the_users_own_models_stand_before_the_pretrained_ones():
    listed = own_first([*PRETRAINED, entry("mine"), entry("z_ensemble", "frontal", is_ensemble=True)])
    assert [one.name for one in listed] == ["mine", "z_ensemble", FRONTAL, LATERAL]


@pytest.fixture
def hospital(own_small_demo):
    """A model of unknown view, as a file of frontal and lateral images is imported."""
    folder = own_small_demo / "sources/demo/predictions"
    tables = [pd.read_parquet(folder / f"{model}_predictions.parquet") for model in (FRONTAL, LATERAL)]
    write_table(folder / "hospital_predictions.parquet", pd.concat(tables), "logit", {"imported": "theirs.csv"})
    return "hospital"


def test_a_model_of_unknown_view_is_the_first_thing_to_see(hospital, page):
    app = page("compare")
    assert app.multiselect(key="models-all").value[0] == hospital
    assert hospital in app.title[0].value or hospital in app.get("html")[0].proto.body


def test_an_ensemble_with_a_model_of_unknown_view_is_of_no_single_view(hospital):
    build_ensemble("demo", [hospital, FRONTAL], "mean-logit", "image", "with-hospital")
    build_ensemble("demo", [FRONTAL, OTHER], "mean-logit", "image", "of-frontal")
    views = {one.name: one.view for one in models("demo")}
    assert (views["with-hospital"], views["of-frontal"]) == (None, "frontal")


def test_the_pair_is_of_models_that_predict_the_same_images_unless_chosen(hospital, page):
    app = page("compare", **{"compare-tab": "Is the difference real?"})
    assert {app.selectbox(key=key).value for key in ("model-a", "model-b")} == {FRONTAL, OTHER}
    assert not app.error
    app.selectbox(key="model-b").set_value(app.selectbox(key="model-a").value).run()
    assert "the same model" in app.info[-1].value
    app.selectbox(key="model-b").set_value(LATERAL).run()
    assert "share none" in app.error[0].value


def test_the_head_of_the_table_has_short_names_and_the_whole_ones_as_tooltips(small_demo, page):
    body = page("compare").get("html")[0].proto.body
    assert full_names(body) == [FRONTAL, OTHER]
    assert ">u0_0__w0_0</th>" in body
