"""Places on Train and Sources: offered where they are described, and what is wrong with one is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from small_demo import MODELS, give_weights

from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore
from cxr_core.sources.registry import get_source
from cxr_core.tasks.training_plan import training_defaults
from dashboard.runs.words import device_words, status_badge

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


@pytest.fixture
def trained(own_small_demo, described, monkeypatch):
    """Add a training as it would have ended; nothing is started."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)

    def add(status, place):
        options = replace(training_defaults("demo"), image_size=32).as_dict()
        run = service.submit("train", "mine", "demo", {"options": options}, "cpu", resumable=True, place=place)
        RunStore(own_small_demo).start(run.run)
        RunStore(own_small_demo).end(run.run, status, None, run.supervisor)
        return run.run

    return add


def buttons(app, run):
    return {button.key.removesuffix(f"-{run}"): button for button in app.button if (button.key or "").endswith(run)}


def test_a_failed_training_goes_on_at_another_place_that_can_be_used(trained, page):
    run = trained("failed", "here")
    offered = buttons(page("runs", run=run), run)
    assert {name for name in offered if name.startswith("resume-run")} == {"resume-run", "resume-run-cluster"}
    app = offered["resume-run-cluster"].click().run()
    assert not app.exception
    assert (service.get(run).place, service.get(run).status, service.get(run).leg) == ("cluster", "queued", 2)


def test_a_training_of_a_place_tells_its_accelerator_and_may_go_on_here(trained, page):
    run = trained("cancelled", "cluster")
    assert device_words(service.get(run)) == "cpu"
    offered = buttons(page("runs", run=run), run)
    assert {name for name in offered if name.startswith("resume-run")} == {"resume-run", "resume-run-here"}
    assert offered["resume-run-here"].label == "This machine"


def test_predictions_with_a_finished_training_are_made_at_a_place(trained, page):
    run = trained("completed", "here")
    give_weights(MODELS[0])
    weights = get_source("demo").model_path(MODELS[0])
    weights.rename(weights.with_stem("mine"))
    app = buttons(page("runs", run=run), run)["predict-cluster"].click().run()
    assert not app.exception
    (predicting,) = [one for one in service.list_runs() if one.kind == "predict"]
    assert (predicting.place, predicting.name, predicting.config["accelerator"]) == ("cluster", "mine", "cpu")


def test_predictions_of_any_model_are_made_at_a_place(trained, page):
    give_weights(MODELS[0])
    app = page("sources")
    app.selectbox(key="predict-place").set_value("cluster")
    app.selectbox(key="predict-model").set_value(MODELS[0])
    app.text_input(key="predict-name").set_value("there").run()
    app.selectbox(key="predict-accelerator-there").set_value("gpu").run()
    app.button(key="predict-start").click().run()
    assert not app.exception
    (predicting,) = service.list_runs()
    assert (predicting.place, predicting.name, predicting.config["accelerator"]) == ("cluster", "there", "gpu")


def test_a_place_that_is_billed_says_what_a_run_costs_before_it_is_asked(trained, page, tmp_path):
    """2 x 0.35 + 0.41 = 1.11 an hour, times 24."""
    keys = 'kind = "vertex"\nproject = "our-project"\nregion = "europe-west4"\nfolder = "gs://bucket/runs"\nimage = "cxr-lab"\n'
    keys += 'machine = "n1-standard-8"\naccelerator = "NVIDIA_TESLA_T4"\naccelerators = 2\nhours = 24\n'
    keys += 'currency = "EUR"\nprices = { n1-standard-8 = 0.41, NVIDIA_TESLA_T4 = 0.35 }\n'
    (tmp_path / "cxr.toml").write_text(f"[places.google]\n{keys}")
    said = texts(page("runs", run=trained("failed", "here")))
    assert "A run costs: n1-standard-8 and 2 x NVIDIA_TESLA_T4 for 1.11 EUR an hour" in said
    assert "at most 26.64 EUR in 24 hours" in said


def test_without_a_place_nothing_is_offered_elsewhere(trained, page, tmp_path):
    run = trained("failed", "here")
    (tmp_path / "cxr.toml").write_text("")
    assert "predict-place" not in [box.key for box in page("sources").selectbox]
    assert "resume-run-cluster" not in buttons(page("runs", run=run), run)
