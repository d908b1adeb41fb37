"""Places on Train and Sources: offered where they are described, and what is wrong with one is told."""

from types import SimpleNamespace

import pytest

from cxr_core.runs.run import Run
from dashboard.runs.words import status_badge

PLACES = '[places.cluster]\nkind = "slurm"\nfolder = "shared"\n[places.wrong]\nkind = "abacus"\n'


@pytest.fixture
def described(tmp_path):
    (tmp_path / "cxr.toml").write_text(PLACES)


def texts(app):
    return " ".join(element.value for kind in (app.caption, app.error, app.markdown) for element in kind)


def choices(app):
    return {group.label: group for group in app.button_group}


def test_without_a_description_nothing_is_asked(small_demo, page):
    assert "Where it works" not in choices(page("train"))


def test_train_offers_the_places_and_says_which_cannot_be_used(small_demo, page, described):
    app = page("train")
    assert choices(app)["Where it works"].options == ["This machine", "cluster"]
    assert "**wrong** cannot be used" in texts(app)


def test_a_training_at_another_place_is_planned_without_what_this_machine_has(small_demo, page, described):
    app = page("train", **{"train-place": "cluster"})
    assert "it works at cluster, whose memory and accelerators are not known here" in texts(app)
    assert "TPU" in choices(app)["Accelerator"].options
    assert {metric.label: metric.value for metric in app.metric}["Expected time"] == "not known"


def test_several_workers_are_offered_at_another_place_alone(small_demo, page, described):
    assert "Workers" not in {one.label for one in page("train").number_input}
    app = page("train", **{"train-place": "cluster", "train-workers": "4"})
    assert {one.label: one.value for one in app.number_input if one.label in ("Workers", "Restarts")} == {
        "Workers": 4,
        "Restarts": 1,
    }
    assert "the last digits may differ" in texts(app)


def test_sources_lists_places_with_what_is_wrong(small_demo, page, described):
    app = page("sources")
    assert "**cluster** · slurm · shared" in texts(app)
    assert "kind must be one of slurm, ray, vertex" in texts(app)


def test_a_run_that_nobody_has_heard_from_is_shown_as_neither_running_nor_failed():
    silent = {"message": "not heard from cluster since 2026-11-27 08:00:00", "place": "cluster"}
    run = SimpleNamespace(status="running", is_active=True, is_unheard=Run.is_unheard.fget(SimpleNamespace(**silent)))
    assert status_badge(run) == ":gray-badge[:material/signal_disconnected: not heard from]"
    run = SimpleNamespace(status="running", is_active=True, is_unheard=False)
    assert "running" in status_badge(run)
