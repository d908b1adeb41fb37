"""Reading mode without a browser: blind, one film after another, every verdict kept, and what becomes of them."""

import shutil

import pandas as pd
import pytest

from cxr_core.tasks.images import ImageQuery, image_group
from cxr_core.tasks.reading import Desk, Given, said, store
from cxr_core.tasks.reading_list import reading_list

FRONTAL = "densenet_frontal_u0_0__w0_0"
ANN = Desk("demo", "own-readings", "ann", "edema")
GROUP = {"model": FRONTAL, "label": "edema", "group": "blank"}
READS = GROUP | {"mode": "read", "reader": "ann"}


def films(order="spread", seed=1, group="blank"):
    return reading_list(image_group(ImageQuery("demo", "edema", group, FRONTAL)), order, seed).part()


def shown(app):
    """The path of the film that is shown, by its buttons."""
    (button,) = (one for one in app.button if one.key and one.key.startswith("say-present-"))
    return button.key.removeprefix("say-present-")


def say(app, verdict):
    return app.button(key=f"say-{verdict}-{shown(app)}").click().run()


def words(app):
    return " ".join(
        one.value for one in [*app.title, *app.header, *app.markdown, *app.caption, *app.success, *app.info]
    )


def test_a_name_begins_and_every_verdict_is_kept_as_it_is_given(own_small_demo, page):
    app = page("images", **GROUP, mode="read")
    assert app.title[0].value.startswith("Read edema in ")
    app.text_input(key="reading-name").set_value("ann")
    app.text_input(key="reading-set").set_value("own-readings")
    next(button for button in app.button if button.label == "Begin").click().run()
    given = {}
    for verdict, film in zip(["present", "absent", "unsure"], films(), strict=False):
        assert shown(app) == film.path
        say(app, verdict)
        given[film.path] = verdict
        assert said(ANN) == given
    app.button(key="undo-last").click().run()
    assert said(ANN) == dict(list(given.items())[:2])
    assert shown(app) == films()[2].path


def test_who_comes_back_goes_on_at_the_first_film_that_is_not_read(own_small_demo, page):
    ordered = films("random", 5)
    for film in (ordered[0], ordered[1], ordered[3]):
        store(ANN, film, Given("present"))
    app = page("images", **READS, order="random", seed="5")
    assert shown(app) == ordered[2].path
    say(app, "absent")
    assert shown(app) == ordered[4].path
    app.button(key="move-left").click().run()
    assert shown(app) == ordered[3].path
    assert "You said: present." in words(app)


def test_reading_is_blind_until_a_switch_says_otherwise_and_then_the_verdict_is_set_aside(own_small_demo, page):
    app = page("images", **READS)
    assert "Report" not in words(app) and "logit" not in words(app)
    assert not app.table
    say(app, "present")
    app.button(key="show-report").click().run()
    film = films()[1]
    assert f"Report: {film.value.replace('_', ' ')}" in words(app)
    assert f"{film.score:.3f}".replace("-", "−") in words(app)
    say(app, "absent")
    table = pd.read_parquet(ANN.table).set_index("path")
    assert table.loc[[one.path for one in films()[:2]], "set_aside"].tolist() == ["", "edema"]


@pytest.mark.parametrize(
    ("query", "aside"), [({}, ""), ({"order": "listed"}, "edema"), ({"group": "true-negative"}, "edema")]
)
def test_what_was_picked_by_a_score_is_set_aside_and_said_to_be(own_small_demo, page, query, aside):
    app = page("images", **READS | query)
    assert ("No sample" in words(app)) == bool(aside)
    say(app, "present")
    assert pd.read_parquet(ANN.table)["set_aside"].tolist() == [aside]


def test_the_truth_is_revealed_after_a_verdict_with_how_often_one_was_right(own_small_demo, page):
    truth = pd.read_parquet(own_small_demo / "sources" / "demo" / "truth.parquet").set_index("path")["edema"]
    app = page("images", **READS)
    app.button(key="show-truth").click().run()
    assert "the truth is" not in words(app)
    for film in films()[:3]:
        say(app, "present")
        real = "present" if truth[film.path] else "absent"
        assert f"you said **present**, the truth is **{real}**" in words(app)
    right = int(truth[[film.path for film in films()[:3]]].sum())
    assert f"You agree with the truth on {right} of 3 films" in words(app)


def test_a_second_look_is_at_ones_own_disagreements(own_small_demo, page):
    read = films()[:6]
    for film in read:
        store(ANN, film, Given("present"))
    app = page("images", **READS, films="report")
    assert app.title[0].value == "Reading edema: 6 films"
    for film in sorted(read, key=lambda film: film.path):
        assert shown(app) == film.path
        say(app, "absent")
    assert set(said(ANN).values()) == {"absent"}
    assert app.title[0].value == "Reading edema: 0 films"
    assert "The report differs on no film that you have read" in words(app)


def test_two_windows_lose_nothing_and_the_second_one_says_so(own_small_demo, page):
    one, other = page("images", **READS), page("images", **READS)
    say(one, "present")
    say(other, "absent")
    assert "ann has called this film present meanwhile" in other.error[0].value
    assert said(ANN) == {films()[0].path: "present"}
    say(other, "absent")
    assert said(ANN) == {films()[0].path: "absent"}


def test_readings_are_deleted_after_a_question_and_downloaded_unless_that_is_off(own_small_demo, page, monkeypatch):
    for film in films()[:2]:
        store(ANN, film, Given("present"))
        store(Desk("demo", "own-readings", "bob", "edema"), film, Given("absent"))
    app = page("images", **READS)
    assert app.get("download_button")
    app.button(key="delete-readings").click().run()
    assert said(ANN)
    app.button(key="delete-readings-for-good-own-readings").click().run()
    assert said(ANN) == {}
    assert set(pd.read_parquet(ANN.table)["reader"]) == {"bob"}
    monkeypatch.setenv("CXR_DOWNLOADS", "false")
    app = page("images", **READS)
    assert not app.get("download_button")
    assert "Downloads are switched off" in words(app)


def test_a_source_without_records_explains_itself(own_small_demo, page):
    for file in (own_small_demo / "sources" / "demo" / "records").rglob("*"):
        file.unlink() if file.is_file() else None
    app = page("images", **READS)
    assert "There is nothing to read: The source demo has no TFRecords" in words(app).replace("\\", "")
    assert not [button for button in app.button if button.key and button.key.startswith("say-")]


def test_without_a_model_or_a_truth_films_are_read_too(own_small_demo, page):
    demo = own_small_demo / "sources" / "demo"
    own = demo.with_name("own")
    shutil.copytree(demo, own, ignore=shutil.ignore_patterns("predictions", "truth.parquet"))
    (own / "source.toml").write_text('kind = "local"\n')
    app = page("images", source="own", label="edema", group="blank", mode="read", reader="ann")
    assert "show-report" in [button.key for button in app.button]
    assert "show-truth" not in [button.key for button in app.button]
    say(app, "absent")
    assert len(said(Desk("own", "own-readings", "ann", "edema"))) == 1


def test_a_judge_of_picked_films_says_so_on_evaluate(own_small_demo, page):
    for place, film in enumerate(films()[:4]):
        store(ANN, film, Given("present" if place else "absent", set_aside=place == 0))
    app = page("evaluate", model=FRONTAL, label="edema", judge="own-readings")
    assert "Of 4 readings of this set, 1 were picked" in words(app)
    assert "were picked" not in words(page("evaluate", model=FRONTAL, label="edema"))


def test_of_all_images_the_reports_values_take_turns(own_small_demo, page):
    labels = pd.read_parquet(own_small_demo / "sources" / "demo" / "labels_valid.parquet").set_index("path")["edema"]
    app = page("images", **READS | {"group": "all"})
    assert "A sample" in words(app)
    first = []
    for _ in range(labels[labels.index.isin([film.path for film in films(group=None)])].nunique()):
        first.append(labels[shown(app)])
        say(app, "unsure")
    assert len(set(first)) == len(first)


HOSTILE = ["../../evil", "a\0b", "truth"]
HOSTILE += [
    pytest.param(text, marks=pytest.mark.whole)
    for text in ("", "x" * 5000, "![i](http://evil.example/x)", "1e999", "-1")
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda text: text[:12])
def test_a_hostile_link_is_a_page_that_stores_nothing(own_small_demo, page, value):
    for name in ("reader", "readings", "order", "films", "seed", "image"):
        app = page("images", **READS | {name: value})
        assert app.title
    assert not (own_small_demo / "sources" / "demo" / "readings").exists()
