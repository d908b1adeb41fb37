from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from as_read import as_read, wall_of

from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.doubts import doubts
from cxr_core.tasks.evaluate import label_curves
from cxr_core.tasks.image_facts import image_facts
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.image_search import named_images
from cxr_core.tasks.images import ImageQuery, images
from dashboard.images.choice import GROUP_WORDS
from dashboard.images.film import readers_table, said_table

FRONTAL = "densenet_frontal_u0_0__w0_0"
BESIDE = "densenet_frontal_u1_0__w1_0"
LATERAL = "densenet_lateral_u0_0__w0_0"


def test_the_title_counts_what_evaluate_counts_and_the_wall_shows_the_first_24(small_demo, page):
    point = label_curves("demo", FRONTAL, "edema").operating_point(0.0)
    app = page("images", model=FRONTAL, label="edema", group="false-positive", **{"cut-by": "number", "cut": "0"})
    assert app.title[0].value == f"False positives for edema: {point.fp:,}"
    found = images(ImageQuery("demo", "edema", "false-positive", FRONTAL, threshold=0.0)).listed
    wall = wall_of(app)
    assert [link["image"] for _, link in wall] == [one.path for one in found[:24]]
    assert all(
        f"logit {one.score:.3f}".replace("-", "−") in words for (words, _), one in zip(wall, found, strict=False)
    )
    assert not any("view1" in words for words, _ in wall)
    app.toggle(key="paths").set_value(True).run()
    assert all(one.path in words for (words, _), one in zip(wall_of(app), found, strict=False))


@pytest.mark.parametrize("group", list(GROUP_WORDS))
def test_each_group_has_its_images_or_says_why_not(small_demo, page, group):
    app = page("images", model=FRONTAL, label="edema", group=group)
    assert app.title[0].value.startswith(GROUP_WORDS[group])
    assert app.info or wall_of(app)


def test_a_click_shows_the_film_with_what_everybody_says_of_it(small_demo, page):
    app = page("images", model=FRONTAL, label="edema", group="uncertain-highest")
    _, link = wall_of(app)[0]
    assert link["group"] == "uncertain-highest", "whoever opens a film keeps what was chosen"
    app = page("images", **link)
    table = app.table[0].value
    assert list(table.index) == [label_words(label) for label in LABELS]
    assert {"Report", "Truth"} <= set(table.columns)
    assert table.loc["Edema", "Report"] == "Uncertain"
    app.button(key="close-film").click().run()
    assert not app.table


def test_a_link_to_an_image_that_is_not_there_says_so(small_demo, page):
    app = page("images", image="valid/none.jpg")
    assert "No image of demo has the path" in app.warning[0].value.replace("\\", "")


def test_the_table_of_a_film_is_what_the_tables_say(small_demo):
    path = images(ImageQuery("demo", "edema", "blank", FRONTAL, limit=1)).listed[0].path
    found = image_facts("demo", path, (FRONTAL,))
    score = images(ImageQuery("demo", "edema", "blank", FRONTAL, limit=1)).listed[0].score
    assert found.models[FRONTAL]["edema"].score == score
    assert found.models[FRONTAL]["edema"].probability == pytest.approx(1 / (1 + np.exp(-score)))
    assert said_table(found, {"Model": FRONTAL}).loc["Edema", "Report"] == "Not mentioned"
    assert image_record("demo", path).jpg[:2] == b"\xff\xd8"


def test_the_readers_of_a_set_share_a_column_of_the_film(small_demo):
    path = images(ImageQuery("demo", "edema", "blank", FRONTAL, limit=1)).listed[0].path
    says = {"ann": "present", "bob": "present", "eve_2": "absent"}
    found = image_facts("demo", path, (FRONTAL, BESIDE))
    found = replace(found, verdicts={("mine", name): {"edema": says[name]} for name in says})
    columns = {"Model": FRONTAL, "Other model": BESIDE}
    said = said_table(replace(found, models={BESIDE: found.models[BESIDE]}), columns)
    assert list(said.columns) == ["Report", "Truth", "Model", "Other model"]
    assert said.loc["Edema", "Model"] == "–" != said.loc["Edema", "Other model"], "one says nothing of the image"
    table = readers_table(found)
    assert (list(table.index), list(table.columns)) == (["Edema"], ["Readers: mine"])
    assert as_read(table.loc["Edema", "Readers: mine"]) == "Present: ann, bob; Absent: eve_2"
    alike = {("mine", name): {"edema": "present"} for name in says} | {("other", "ann"): {"fracture": "unsure"}}
    table = readers_table(replace(found, verdicts=alike))
    assert table.loc["Edema"].tolist() == ["Present, all 3", "–"]
    assert table.loc["Fracture"].tolist() == ["–", "Unsure: ann"]


def test_every_model_that_is_chosen_for_a_film_has_a_column_and_a_link_reproduces_them(small_demo, page):
    query = ImageQuery("demo", "edema", "models-differ", FRONTAL, beside=BESIDE, limit=1)
    path = images(query).listed[0].path
    app = page("images", model=FRONTAL, label="edema", group="uncertain-highest", image=path)
    assert "Model 2" not in app.table[0].value.columns
    app.multiselect(key="also").set_value([FRONTAL, BESIDE, LATERAL]).run()
    said = app.table[0].value
    assert [one for one in said.columns if one.startswith("Model")] == ["Model", "Model 2", "Model 3"]
    assert said.loc["Edema", "Model 3"] == "–", "it predicts lateral views"
    for column, model in (("Model", FRONTAL), ("Model 2", BESIDE)):
        probability = image_facts("demo", path, (model,)).models[model]["edema"].probability
        assert said.loc["Edema", column] == f"{probability:.3f}"
    words = next(as_read(one.value) for one in app.caption if "probability" in one.value)
    assert f"Model: {FRONTAL}. Model 2: {BESIDE}. Model 3: {LATERAL}." in words
    linked = page("images", model=FRONTAL, label="edema", image=path, also=[BESIDE, LATERAL])
    assert list(linked.table[0].value.columns) == list(said.columns)
    assert not page("images", model=FRONTAL, label="edema", also=BESIDE).warning, "the next film shows it again"


def test_a_further_model_that_is_gone_is_said(small_demo, page):
    path = images(ImageQuery("demo", "edema", "blank", FRONTAL, limit=1)).listed[0].path
    app = page("images", model=FRONTAL, label="edema", image=path, also="gone")
    assert "There is no model 'gone'" in as_read(app.warning[0].value)


def test_labels_in_doubt_say_how_many_of_them_are_wrong_and_lead_to_those_of_all_labels(small_demo, page):
    found = doubts("demo", FRONTAL)
    of_label = found.labels["support_devices"].right
    app = page("images", model=FRONTAL, label="support_devices", group="doubtful")
    assert app.title[0].value == f"Label in doubt for support devices: {of_label.n_doubtful}"
    table = app.table[0].value
    assert table.loc["Support devices"]["Wrong"].tolist()[-1] == f"{of_label.base.n_wrong} of {of_label.base.n_judged}"
    assert table.loc["All labels"]["Share"].iloc[0] == f"{100 * found.right.precision[0].precision:.1f} %"
    assert table.loc["All labels"]["95 % interval"].iloc[0] == "– (only 8 patients; an interval needs at least 10)"
    first = app.dataframe[0].value.iloc[0]
    assert (first["Label"], first["Wrong by truth"]) == (label_words(found.listed[0].label), "No")
    query = parse_qs(urlsplit(first["Open"]).query)
    assert (query["image"], query["group"]) == ([found.listed[0].path], ["doubtful"])
    blank = page("images", model=FRONTAL, label="support_devices", group="blank").expander
    assert not any(one.label.startswith("How many of these labels are wrong") for one in blank)
    app = page("images", model=FRONTAL, label="edema", group="doubtful")
    assert app.title[0].value == "Label in doubt: none of edema" and "no two of its values" in app.info[0].value


def test_a_patient_that_is_typed_in_is_found_in_all_sets_and_stays_in_the_link(small_demo, page):
    path = images(ImageQuery("demo", "edema", limit=1)).listed[0].path
    patient = path.split("/")[1]
    expected = [one.path for one in named_images(ImageQuery("demo", "edema"), patient).part()]
    app = page("images", model=FRONTAL, label="edema", find=patient)
    assert app.title[0].value == f"Images of “{patient}” for edema: {len(expected)}"
    assert [link["image"] for _, link in wall_of(app)] == expected[:24]
    assert not any(one.label in ("Group", "Judge", "Data set") for one in app.selectbox)
    assert "Nothing in demo is named" in page("images", model=FRONTAL, label="edema", find="nobody").info[0].value


def test_reading_takes_films_of_a_group_alone(small_demo, page):
    app = page("images", model=FRONTAL, label="edema", mode="read", find="p10000032")
    assert not any(one.key == "find" for one in app.text_input)
