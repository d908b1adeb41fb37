"""Every page on a small demo: its answer, its controls, its empty state, its errors as sentences."""

import json
import threading
from dataclasses import replace

import pandas as pd
import pytest
from as_read import without_links
from html_tables import html_tables

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.lanes import Need
from cxr_core.runs.store import RunStore
from cxr_core.schema import LABELS, label_words
from cxr_core.tasks.compare import compare
from cxr_core.tasks.effects import treatment_effects
from cxr_core.tasks.ensemble import build_ensemble
from cxr_core.tasks.evaluate import evaluate, label_curves
from cxr_core.tasks.models import models
from cxr_core.training.options import TrainOptions
from cxr_core.training.probe import Accelerator
from cxr_core.uncertainty import Policy, named_policy, uniform_policy
from cxr_core.warehouse.parquet import write_table
from dashboard.shared.filled_in import filled_in
from dashboard.shared.formatting import with_interval
from dashboard.shared.header import SYNTHETIC_NOTICE
from dashboard.shared.navigation import PAGES
from dashboard.train.several_input import Several

NAMES = [row.name for row in PAGES]
FIRST, SECOND, LATERAL = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"


def texts(app) -> str:
    """All words of the page, its badges and tables included."""
    words = [str(e.value) for kind in ("markdown", "caption", "info", "error", "success") for e in getattr(app, kind)]
    tables = [table.value.to_string() for table in app.table]
    return "\n".join([*words, *tables, *(str(title.value) for title in app.title)])


def point_tables(app) -> list[pd.DataFrame]:
    """The confusion matrix and the shares at the operating point, which are Markdown."""
    found = []
    for text in (without_links(element.value) for element in app.markdown if element.value.startswith("|")):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
        found.append(pd.DataFrame([row[1:] for row in rows[2:]], [row[0] for row in rows[2:]], rows[0][1:]))
    return found


def model_tables(app) -> list[pd.DataFrame]:
    """The tables of models beside labels, in words."""
    return [table for element in app.get("html") for table in html_tables(element.proto.body)]


def metrics(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize("name", NAMES)
def test_every_page_says_that_the_demo_is_synthetic_and_names_its_source(small_demo, page, name):
    shown = texts(page(name))
    assert SYNTHETIC_NOTICE in shown
    assert "Source: demo" in shown


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("runs", "sources")])
def test_without_the_demo_a_page_offers_to_build_it(workspace, page, name):
    app = page(name)
    assert [button.label for button in app.button] == ["Build the demo"]
    assert not app.error


def test_without_runs_the_runs_page_says_how_to_start_one(small_demo, page):
    app = page("runs")
    assert app.title[0].value == "Nothing has run yet"
    assert [button.label for button in app.button] == ["Train a model"]


def test_labels_counts_what_a_group_by_counts(small_demo, page):
    app = page("labels")
    table = pd.read_parquet(small_demo / "sources/demo/labels_train.parquet")
    frontal = table[table["view"] == 0]
    assert metrics(app)["Train images"] == f"{len(frontal):,}"
    more = [label for label in LABELS if (frontal[label] == 2).sum() > (frontal[label] == 3).sum()]
    assert app.title[0].value == f"Uncertain outnumbers positive in {len(more)} of 14 labels"
    shown = app.table[0].value
    assert list(shown.index) == [label_words(label) for label in LABELS]
    assert [without_links(cell) for cell in shown["Uncertain"]] == [
        f"{(frontal[label] == 2).sum():,}" for label in LABELS
    ]


def test_the_view_of_the_labels_page_comes_from_its_url(small_demo, page):
    app = page("labels", view="Lateral")
    table = pd.read_parquet(small_demo / "sources/demo/labels_train.parquet")
    assert metrics(app)["Train images"] == f"{(table['view'] == 1).sum():,}"


def test_labels_draws_one_chart_for_train_and_one_for_valid(small_demo, page):
    titles = [chart.proto.spec for chart in page("labels").get("plotly_chart")]
    assert len(titles) == 2
    assert "Train: share of images" in titles[0]
    assert "Valid: share of images" in titles[1]


def test_evaluate_shows_the_figures_of_the_engine(small_demo, page):
    figures = evaluate("demo", FIRST).labels["pleural_effusion"]
    app = page("evaluate", model=FIRST, label="Pleural effusion")
    assert metrics(app)["ROC AUC"] == f"{figures.roc_auc:.3f}"
    assert metrics(app)["Average precision"] == f"{figures.average_precision:.3f}"
    assert metrics(app)["Certain images"] == f"{figures.n:,}"
    assert app.title[0].value.startswith(f"Pleural effusion: AUC {figures.roc_auc:.3f}")


def test_evaluate_lists_all_labels_and_their_mean(small_demo, page):
    app = page("evaluate", model=FIRST)
    result = evaluate("demo", FIRST)
    table = app.dataframe[0].value
    assert list(table["Label"]) == list(map(label_words, LABELS))
    expected = [with_interval(figures.roc_auc, figures.roc_auc_ci) for figures in result.labels.values()]
    assert list(table["AUC (95 % interval)"]) == expected
    mean = result.mean_roc_auc
    assert metrics(app)["Mean AUC (95 % interval)"].startswith(f"{mean.value:.3f}")


def test_a_lower_operating_point_finds_fewer(small_demo, page):
    app = page("evaluate", model=FIRST, label="Support devices")
    found = []
    for wanted in (0.95, 0.2):
        app.slider(key="sensitivity").set_value(wanted).run()
        found.append(int(point_tables(app)[0].loc["Finding present", "Called positive"]))
    assert found[0] > found[1] > 0


def test_a_model_that_lacks_the_label_is_told_in_a_sentence(own_small_demo, page):
    path = own_small_demo / f"sources/demo/predictions/{FIRST}_predictions.parquet"
    rest = pd.read_parquet(path).drop(columns="edema")
    path.unlink()
    rest.to_parquet(path)
    app = page("evaluate", model=FIRST)
    assert app.title[0].value == "Edema: not predicted by this model"


def test_a_broken_prediction_table_leaves_the_other_models_alone(own_small_demo, page):
    path = own_small_demo / f"sources/demo/predictions/{SECOND}_predictions.parquet"
    path.unlink()
    path.write_text("no table")
    app = page("evaluate", model=FIRST)
    assert not app.error
    assert len(app.get("plotly_chart")) == 2


def test_compare_names_the_model_with_the_best_mean(small_demo, page):
    means = {model: evaluate("demo", model).mean_roc_auc for model in (FIRST, SECOND)}
    best = max(means, key=lambda model: means[model].value)
    title = page("compare").title[0].value
    assert title.startswith(
        f"{best} has the largest mean AUC {means[best].value:.3f}; whether others differ is not tested"
    )


def test_compare_shows_the_paired_difference_of_two_models(small_demo, page):
    app = page("compare", **{"compare-tab": "Is the difference real?"})
    found = compare("demo", FIRST, SECOND)
    shown = app.table[0].value["AUC(A) − AUC(B)"]
    assert shown["Support devices"] == f"{found.labels['support_devices'].difference:+.3f}".replace("-", "−")


@pytest.mark.parametrize("tab", ["All labels", "Curves of one label", "Is the difference real?"])
def test_compare_shows_beside_each_model_what_uncertain_labels_meant(small_demo, page, tab):
    app = page("compare", **{"compare-tab": tab})
    policies = {entry.name: entry.policy_words() for entry in models("demo") if entry.name in (FIRST, SECOND)}
    assert all("(u " in words for words in policies.values())
    if tab == "All labels":
        assert list(model_tables(app)[0].loc["Uncertain labels"]) == [policies[FIRST], policies[SECOND]]
    elif tab == "Curves of one label":
        assert app.dataframe[0].value.set_index("Model")["Uncertain labels"].to_dict() == policies
    else:
        assert all(words in texts(app) for words in policies.values())


def test_an_ensemble_is_saved_and_can_be_evaluated(own_small_demo, page):
    app = page("compare", **{"compare-tab": "Build an ensemble"})
    app.text_input[0].set_value("both").run()
    next(button for button in app.button if button.label == "Save ensemble").click().run()
    assert "Saved both" in texts(app)
    assert evaluate("demo", "both").labels["edema"].n > 0
    next(button for button in app.button if button.label == "Evaluate both").click().run()
    assert app.selectbox(key="model").value == "both"
    assert "policies of its members" in texts(app)


def test_the_label_and_the_data_set_go_along_to_evaluate(own_small_demo, page):
    build_ensemble("demo", ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"], "max", "image", "both")
    app = page("compare", dataset="test", label="fracture", **{"compare-tab": "Build an ensemble"})
    app.session_state["saved-ensemble"] = ("demo", "both", 1)
    app.run()
    next(button for button in app.button if button.label == "Evaluate both").click().run()
    assert "Fracture" in app.title[0].value
    assert app.query_params["dataset"] == "test" and app.selectbox(key="model").value == "both"
    assert not app.warning


def test_an_ensemble_name_that_is_taken_is_refused_in_a_sentence(own_small_demo, page):
    app = page("compare", **{"compare-tab": "Build an ensemble"})
    app.text_input[0].set_value(LATERAL).run()
    next(button for button in app.button if button.label == "Save ensemble").click().run()
    assert LATERAL in app.error[0].value


def test_train_states_the_images_and_steps_of_the_run(small_demo, page):
    app = page("train", **{"train-view": "Lateral", "train-epochs": "2"})
    table = pd.read_parquet(small_demo / "sources/demo/labels_train.parquet")
    n_train = int((table["view"] == 1).sum())
    assert metrics(app)["N_train"] == f"{n_train:,}"
    assert metrics(app)["Steps per epoch"] == str(n_train // 32)
    assert app.title[0].value.startswith(f"{n_train:,} images, {2 * (n_train // 32)} steps")


def test_train_writes_the_loss_out_with_its_u_and_w(small_demo, page):
    app = page("train")
    app.slider(key="train-u").set_value(0.3).run()
    assert r"0.75\cdot\ell(y_{ni},\,0.3)" in app.latex[0].value


def test_train_says_why_a_run_cannot_start(small_demo, page):
    app = page("train")
    app.selectbox(key="train-batch-size").set_value(512).run()
    assert app.title[0].value == "This run cannot start yet"
    assert "batch" in app.error[0].value
    assert next(button for button in app.button if button.label == "Start training").disabled


def test_train_says_why_an_accelerator_is_missing(small_demo, page):
    assert "**Single GPU** is not available: This machine has no NVIDIA GPU." in texts(page("train"))


def test_train_offers_the_cpu_while_it_still_looks_for_others(small_demo, page, monkeypatch):
    asked = threading.Event()
    monkeypatch.setattr("dashboard.shared.accelerator_input.known_accelerators", lambda: None)
    monkeypatch.setattr("dashboard.shared.accelerator_input.accelerators", lambda: asked.wait(60))
    app = page("train")
    asked.set()
    assert "Looking for GPUs and TPUs" in texts(app)
    assert not next(button for button in app.button if button.label == "Start training").disabled


def test_start_submits_exactly_what_the_form_says_and_opens_the_run(own_small_demo, page, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    app = page("train", **{"train-view": "Lateral", "train-epochs": "1"})
    app.slider(key="train-u").set_value(0.4)
    next(button for button in app.button if button.label == "Start training").click().run()
    run = service.list_runs()[0]
    assert (run.kind, run.source, run.device) == ("train", "demo", "cpu")
    chosen = run.config["options"]
    assert (chosen["view"], chosen["policy"], chosen["epochs"]) == ("lateral", uniform_policy(0.4, 0.75).as_dict(), 1)
    assert (chosen["architecture"], chosen["image_size"]) == ("densenet-small", 96)
    assert app.selectbox(key="run").value == run.run


@pytest.fixture
def started(monkeypatch):
    """What the Train page asks the engine to start, by the name of the task; nothing is launched."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    return lambda: service.list_runs()[0]


def press_start(app):
    next(button for button in app.button if button.label.startswith("Start ")).click().run()


def test_a_sweep_is_started_as_one_run_with_what_the_form_says(own_small_demo, page, started):
    app = page("train", **{"train-several": "Sweep over u and w", "train-epochs": "1", "train-name": "grid"})
    app.multiselect(key="train-sweep-u").set_value(["0", "1"]).run()
    assert app.title[0].value.startswith("4 trainings of ")
    press_start(app)
    run = started()
    assert (run.kind, run.name, run.config["u"], run.config["w"]) == ("sweep", "grid", [0, 1], [0.25, 1])
    assert [child["name"] for child in run.config["children"]][::3] == ["grid_u0_0__w0_25", "grid_u1_0__w1_0"]
    assert app.selectbox(key="run").value == run.run


def test_a_sweep_without_values_cannot_start(small_demo, page):
    app = page("train", **{"train-several": "Sweep over u and w"})
    app.multiselect(key="train-sweep-w").set_value([]).run()
    assert "at least one u and one w" in app.error[0].value
    app.multiselect(key="train-sweep-w").set_value(["much"]).run()
    assert "must be numbers from 0 to 1" in app.error[0].value


def test_a_repetition_is_started_over_its_seeds(own_small_demo, page, started):
    app = page("train", **{"train-several": "Repeat over seeds", "train-seed": "5", "train-strategy": "Hybrid"})
    press_start(app)
    run = started()
    assert (run.kind, run.config["seeds"], run.config["options"]["policy"]["name"]) == ("repeat", [5, 6, 7], "hybrid")


def test_u_and_w_of_each_label_come_from_the_url_and_go_back_there(own_small_demo, page, started):
    pairs = ";".join(f"{place / 20:g},0.5" for place in range(14))
    app = page("train", **{"train-strategy": "Per label", "train-table": pairs})
    assert r"w_i\cdot" not in app.latex[0].value
    assert r"0.5\cdot\ell(y_{ni},\,u_i)" in app.latex[0].value
    assert app.query_params["train-table"] in (pairs, [pairs])
    press_start(app)
    policy = Policy.from_dict(started().config["options"]["policy"])
    assert policy.u == tuple(place / 20 for place in range(14))
    assert f"policy_{policy.digest}" in started().name
    again = filled_in(TrainOptions.from_dict(started().config["options"]))
    assert (again["train-strategy"], again["train-table-start"]) == ("per label", pairs)


def test_masked_blanks_stand_in_the_loss_and_in_the_run(own_small_demo, page, started):
    app = page("train", **{"train-strategy": "Mask blanks"})
    assert r"0 & \text{not mentioned}" in app.latex[0].value
    assert r"\text{positive or negative}" in app.latex[0].value
    press_start(app)
    assert Policy.from_dict(started().config["options"]["policy"]) == named_policy("mask-blanks")
    assert "mask-blanks" in started().name
    assert filled_in(TrainOptions.from_dict(started().config["options"]))["train-strategy"] == "mask-blanks"


def test_blanks_of_each_label_come_from_the_url_and_go_back_there(own_small_demo, page, started):
    numbers = ";".join(f"0.4,0.75,{place / 20:g},0.5" for place in range(14))
    app = page("train", **{"train-strategy": "Per label", "train-table": numbers})
    assert r"0.5\cdot\ell(y_{ni},\,b_i) & \text{not mentioned}" in app.latex[0].value
    assert app.query_params["train-table"] in (numbers, [numbers])
    press_start(app)
    policy = Policy.from_dict(started().config["options"]["policy"])
    assert (policy.blank_u, policy.blank_w) == (tuple(place / 20 for place in range(14)), (0.5,) * 14)
    assert filled_in(TrainOptions.from_dict(started().config["options"]))["train-table-start"] == numbers


def test_ranges_and_kinds_of_each_label_come_from_the_url_and_go_back_there(own_small_demo, page, started):
    rows = ["0.4,0.75,0,1,,"] * 12 + ["0.55,1,0,1,0.85,", "0,0,0,1,,three-class"]
    app = page("train", **{"train-strategy": "Per label", "train-table": ";".join(rows)})
    assert any("softmax over absent" in one.value for one in app.caption)
    press_start(app)
    policy = Policy.from_dict(started().config["options"]["policy"])
    assert policy.kinds == ("",) * 13 + ("three-class",)
    assert (policy.u[12], policy.upper[12], policy.upper[0]) == (0.55, 0.85, 0.4)
    assert filled_in(TrainOptions.from_dict(started().config["options"]))["train-table-start"] == ";".join(rows)


def test_training_from_a_model_that_predicts_no_training_image_cannot_start_and_says_how(own_small_demo, page):
    model = "densenet_frontal_u0_0__w0_0"
    app = page("train", **{"train-strategy": "Self trained", "train-teacher": model})
    assert any("has no predictions of training images" in one.value for one in app.error)


def test_self_training_without_a_model_is_planned_as_two_trainings_in_one_run(own_small_demo, page, started):
    app = page("train", **{"train-strategy": "Self trained"})
    assert not app.error
    press_start(app)
    options = TrainOptions.from_dict(started().config["options"])
    assert options.policy == named_policy("self-trained")
    assert filled_in(options)["train-teacher"] == "its own first stage"


@pytest.mark.parametrize(
    "text", ["", "1,1", ";".join(["7,1"] * 14), ";".join(["1,1,1"] * 14), ";".join(["1,1,0,1,,x"] * 14), "<script>"]
)
def test_a_table_in_the_url_that_is_none_means_the_defaults(small_demo, page, text):
    app = page("train", **{"train-strategy": "Per label", "train-table": text})
    assert not app.error
    assert r"0.75\cdot\ell(y_{ni},\,0.4)" in app.latex[0].value


@pytest.mark.parametrize(
    ("tampered", "sentence"),
    [
        (lambda app: app.text_input(key="train-save-to").set_value("/etc/models"), "that pages may write to"),
        (lambda app: app.text_input(key="train-tensorboard").set_value("../../x"), "that pages may write to"),
        (lambda app: app.text_input(key="train-name").set_value("../mine"), "A model name must be"),
    ],
)
def test_what_a_tampered_page_sends_is_refused_by_the_engine(small_demo, page, tampered, sentence):
    app = page("train")
    tampered(app).run()
    assert sentence in app.error[0].value
    assert not [button for button in app.button if button.label == "Start training" and not button.disabled]


@pytest.mark.parametrize(
    ("forged", "sentence"),
    [
        ({"policy": {"u": 7.0}}, "A policy needs a name"),
        ({"batch_size": -1}, "batch size must be a whole number from 1"),
    ],
)
def test_values_that_no_widget_would_send_are_refused_by_the_engine(small_demo, page, monkeypatch, forged, sentence):
    options = TrainOptions(**forged, architecture="densenet-small", image_size=96)
    monkeypatch.setattr("dashboard.train.form.train_form", lambda source, models: (options, Several()))
    app = page("train")
    assert sentence in app.error[0].value
    assert next(button for button in app.button if button.label == "Start training").disabled


def submitted(monkeypatch, home, status: str, rows: int = 0):
    """A training run as its process would leave it."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    run = service.submit("train", "mine", "demo", {"options": {"epochs": 2}}, "cpu", resumable=True)
    store = RunStore(home)
    store.start(run.run)
    lines = [f'{{"step": {n}, "epoch": 1, "time": {1e9 + n}, "loss": {1 / n}}}\n' for n in range(1, rows + 1)]
    (store.run_folder(run.run) / "metrics.jsonl").write_text("".join(lines))
    if status != "running":
        store.end(run.run, status, "the disk is full" if status == "failed" else None, run.supervisor)
    return run


def test_a_working_run_shows_its_latest_loss_and_can_be_cancelled(own_small_demo, page, monkeypatch):
    submitted(monkeypatch, own_small_demo, "running", rows=4)
    app = page("runs")
    assert metrics(app)["Training loss"] == "0.2500"
    assert metrics(app)["Step"] == "4"
    app.button(key=f"cancel-run-{service.list_runs()[0].run}").click().run()
    assert service.list_runs()[0].cancel_requested


def test_a_failed_run_shows_its_reason_and_can_be_resumed_or_deleted(own_small_demo, page, monkeypatch):
    submitted(monkeypatch, own_small_demo, "failed", rows=1)
    app = page("runs")
    assert app.error[0].value == "the disk is full"
    assert [button.label for button in app.button] == ["Resume run", "Train again", "Delete run"]


def test_the_run_in_the_url_is_shown_and_a_list_names_runs_in_words(own_small_demo, page, monkeypatch):
    first = submitted(monkeypatch, own_small_demo, "completed", rows=1)
    submitted(monkeypatch, own_small_demo, "failed", rows=1)
    chosen = page("runs", run=first.run)
    assert chosen.selectbox(key="run").value == first.run
    assert f"mine · Training · {first.run}" in chosen.selectbox(key="run").options
    assert not chosen.error


def test_an_unknown_run_in_the_url_is_named_and_no_other_one_takes_its_place(own_small_demo, page, monkeypatch):
    newest = submitted(monkeypatch, own_small_demo, "failed", rows=1)
    app = page("runs", run="<script>")
    assert "There is no run '\\<script\\>'" in app.error[0].value
    assert not app.button
    assert app.query_params["run"] == "<script>"
    app.selectbox(key="run").set_value(newest.run).run()
    assert app.error[0].value == "the disk is full"
    assert app.query_params["run"] == newest.run


def test_a_finished_training_run_offers_to_predict(own_small_demo, page, monkeypatch):
    submitted(monkeypatch, own_small_demo, "completed", rows=1)
    assert [button.label for button in page("runs").button] == ["Predict", "Train again", "Delete run"]


def test_a_run_can_be_trained_again_with_its_choices(own_small_demo, page, monkeypatch):
    run = submitted(monkeypatch, own_small_demo, "completed", rows=1)
    chosen = {
        "view": "lateral",
        "policy": uniform_policy(0.7, 0.2),
        "epochs": 9,
        "batch_size": 16,
        "learning_rate": 0.002,
        "seed": 5,
    }
    chosen |= {"precision": "bfloat16", "cache": "off", "augment": True, "checkpoint_minutes": 3.0, "decode": "full"}
    options = TrainOptions(**chosen, architecture="densenet-small", image_size=64, name="mine")
    assert filled_in(options)["train-strategy"] == "custom"
    asked = []
    monkeypatch.setattr(
        "dashboard.train.plan.start_training", lambda source, options, place: asked.append(options) or run
    )
    app = page("train")
    for key, value in filled_in(options).items():
        app.session_state[key] = value
    app.run()
    assert not app.warning
    next(button for button in app.button if button.label == "Start training").click().run()
    (again,) = asked
    assert replace(again, seed=5, name="mine") == options
    assert again.name == ""


def test_train_again_opens_the_form_with_the_choices_of_the_run(own_small_demo, page, monkeypatch):
    submitted(monkeypatch, own_small_demo, "failed", rows=1)
    app = page("runs")
    next(button for button in app.button if button.label == "Train again").click().run()
    assert app.number_input(key="train-epochs").value == 2
    assert not app.warning


def test_predicting_with_a_model_that_is_gone_is_told_in_a_sentence(own_small_demo, page, monkeypatch):
    submitted(monkeypatch, own_small_demo, "completed", rows=1)
    app = page("runs")
    next(button for button in app.button if button.label == "Predict").click().run()
    assert "mine" in app.error[0].value


def test_a_demo_of_another_version_can_be_rebuilt(small_demo, page, monkeypatch):
    monkeypatch.setattr("dashboard.sources.listing.is_current", lambda folder: False)
    labels = [button.label for button in page("sources").button]
    assert labels[:2] == ["Check again", "Rebuild the demo"]


def test_sources_lists_what_was_found(small_demo, page):
    app = page("sources")
    assert app.title[0].value in ("The demo source is ready", "The demo source needs attention")
    assert "labels_train.parquet" in texts(app)
    assert str(small_demo) in texts(app)


def test_an_engine_error_is_a_sentence_and_no_traceback(small_demo, page, monkeypatch):
    def refuse(source: str, view: str | None) -> None:
        raise UsageError("The tables are on holiday. Ask again tomorrow.")

    monkeypatch.setattr("cxr_core.tasks.distribution.label_overview", refuse)
    app = page("labels", view="Other")
    assert [error.value for error in app.error] == ["The tables are on holiday. Ask again tomorrow."]
    assert [title.value for title in app.title] == ["This page lacks something that it needs"]
    assert "See what is missing" in [button.label for button in app.button]


def test_downloads_can_be_switched_off(small_demo, page, monkeypatch):
    assert page("labels").get("download_button")
    monkeypatch.setenv("CXR_DOWNLOADS", "false")
    assert not page("labels").get("download_button")


def on_cli(cxr, *arguments):
    done = cxr(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_said(value, ci):
    if value is None:
        return "–"
    return f"{value:.3f} ({ci[0]:.3f}–{ci[1]:.3f})" if ci else f"{value:.3f}"


def test_every_figure_of_evaluate_is_the_command_lines(small_demo, page, cxr):
    labels = on_cli(cxr, "evaluate", SECOND, "--dataset", "test")["labels"]
    app = page("evaluate", model=SECOND, dataset="Test", label="Support devices")
    one, table = labels["support_devices"], app.dataframe[0].value
    assert metrics(app)["ROC AUC"] == f"{one['roc_auc']:.3f}"
    assert metrics(app)["Average precision"] == f"{one['average_precision']:.3f}"
    assert metrics(app)["Certain images"] == f"{one['n']:,}"
    for column, name in (("n (certain)", "n"), ("Positive", "n_positive")):
        assert list(table[column]) == [figures[name] for figures in labels.values()], column
    shares = [100 * figures["n_positive"] / figures["n"] for figures in labels.values()]
    assert list(table["Prevalence"]) == pytest.approx(shares)
    columns = json.loads(app.dataframe[0].proto.columns)
    assert columns["Prevalence"]["type_config"]["format"] == "%.1f %%", "as the other percentages: 8.1 %"
    for column, name in (("AUC (95 % interval)", "roc_auc"), ("AP (95 % interval)", "average_precision")):
        assert list(table[column]) == [as_said(figures[name], figures[f"{name}_ci"]) for figures in labels.values()]


def test_every_figure_of_compare_is_the_command_lines(small_demo, page, cxr):
    each = {model: on_cli(cxr, "evaluate", model)["labels"] for model in (FIRST, SECOND)}
    shown = model_tables(page("compare"))[0].set_axis([FIRST, SECOND], axis=1)
    for model, labels in each.items():
        for label, figures in labels.items():
            cell = shown.loc[label_words(label), model].strip("●▼? ")
            assert cell == (f"{figures['roc_auc']:.3f}" if figures["roc_auc"] is not None else "–"), (model, label)
    found = on_cli(cxr, "compare", FIRST, SECOND)
    app = page("compare", **{"compare-tab": "Is the difference real?"})
    for label, row in found["labels"].items():
        expected = "–" if row["difference"] is None else f"{row['difference']:+.3f}".replace("-", "−")
        assert app.table[0].value.loc[label_words(label), "AUC(A) − AUC(B)"] == expected
    assert found["family"] in texts(app).replace("\\", "")


def test_a_label_change_redraws_the_title_the_figures_and_the_curves(small_demo, page):
    app = page("evaluate", model=FIRST)
    app.selectbox(key="label").set_value("fracture").run()
    figures = evaluate("demo", FIRST).labels["fracture"]
    assert app.title[0].value.startswith("Fracture: AUC")
    assert metrics(app)["Certain images"] == f"{figures.n:,}"
    assert [f"{figures.roc_auc:.3f}" in chart.proto.spec for chart in app.get("plotly_chart")] == [True, False]


@pytest.mark.parametrize(
    ("way", "rule", "wanted"),
    [("Sensitivity", "sensitivity", 0.8), ("Specificity", "specificity", 0.9), ("Youden", "youden", None)],
)
def test_the_operating_point_follows_the_rule_that_is_chosen(small_demo, page, way, rule, wanted):
    curves = label_curves("demo", FIRST, "pleural_effusion")
    point = curves.operating_point(curves.threshold(rule, wanted))
    app = page("evaluate", model=FIRST, label="Pleural effusion", **{"point-by": way})
    shown = point_tables(app)[0]
    assert shown.loc["Finding present", "Called positive"] == f"{point.tp:,}"
    assert shown.loc["Finding absent", "Called positive"] == f"{point.fp:,}"


def test_ppv_is_shown_at_the_prevalence_that_the_reader_sets(small_demo, page):
    curves = label_curves("demo", FIRST, "pleural_effusion")
    point = curves.operating_point(curves.threshold("sensitivity", 0.8))
    app = page("evaluate", model=FIRST, label="Pleural effusion", prevalence="5.0")
    sensitivity, specificity = point.sensitivity.value, point.specificity.value
    ppv = 0.05 * sensitivity / (0.05 * sensitivity + 0.95 * (1 - specificity))
    assert point_tables(app)[1].loc["PPV", "At 5 %"].startswith(f"{ppv:.3f}")


@pytest.mark.parametrize("tab", ["Where the uncertain fall", "Calibration", "Decisions", "Subgroups"])
def test_the_details_of_a_label_open_without_a_sentence_of_error(small_demo, page, tab):
    app = page("evaluate", model=FIRST, label="Pleural effusion", **{"point-tab": tab})
    assert not app.error
    if tab == "Subgroups":
        assert set(app.table[0].value.index) == {"F", "M"}


def test_probabilities_are_not_calibrated_where_the_scale_is_a_score(own_small_demo, page):
    path = own_small_demo / f"sources/demo/predictions/{FIRST}_predictions.parquet"
    table = pd.read_parquet(path)
    path.unlink()
    write_table(path, table, "score")
    shown = texts(page("evaluate", model=FIRST, **{"point-tab": "Calibration"}))
    assert "There is no calibration: scores are ranks, not probabilities" in shown


def test_models_of_two_views_stand_in_families_of_their_own_and_meet_by_study(small_demo, page):
    app = page("compare", **{"models-view": "All"})
    assert "each view is a family of its own" in texts(app)
    assert len(model_tables(app)) == 2
    built = page("compare", **{"models-view": "All", "compare-tab": "Build an ensemble"})
    assert not built.error
    assert "studies of valid" in texts(built)


def test_what_u_and_w_did_names_the_model_that_moved_the_uncertain_images_most(small_demo, page):
    app = page("compare", **{"compare-tab": "What u and w did", "effects-label": "Pleural effusion"})
    found = treatment_effects("demo", [FIRST, SECOND], FIRST, "pleural_effusion")
    moved = found.groups["uncertain"].shifts[SECOND]
    assert f"moves the uncertain ones most ({moved.n} images)" in texts(app)
    assert list(app.table[0].value.index) == [FIRST, SECOND]


def test_train_asks_what_uncertain_labels_mean_before_how_many_runs(small_demo, page):
    heads = [head.value for head in page("train").header]
    assert heads.index("What uncertain labels mean") + 1 == heads.index("How many runs")
    sweep = page("train", **{"train-several": "Sweep over u and w"})
    assert "train-strategy" not in {one.key for one in sweep.button_group}, "u and w are those of the sweep"
    assert "A sweep trains with several u and w" in texts(sweep)


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine that is known to have two GPUs, for the pages and for the engine."""
    gpus = ("gpu:0", "gpu:1")
    found = [Accelerator("cpu", True, "", ("CPU",)), Accelerator("gpu", True, "", gpus)]
    monkeypatch.setattr("dashboard.shared.accelerator_input.known_accelerators", lambda: found)
    monkeypatch.setattr("cxr_core.training.probe._ask", lambda: found)


def test_a_gpu_is_chosen_in_the_form_where_there_are_two(own_small_demo, page, two_gpus, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    app = page("train", **{"train-accelerator": "Single GPU", "train-device": "gpu:1"})
    assert "on the accelerator gpu, the last digits may differ" in texts(app)
    next(button for button in app.button if button.label == "Start training").click().run()
    run = service.list_runs()[0]
    assert (run.device, run.need, run.config["options"]["device"]) == ("gpu", Need(("gpu:1",)), "gpu:1")
    service._store().end(run.run, "failed", None, run.supervisor)
    resume = next(button for button in page("runs", run=run.run).button if button.label == "Resume run")
    assert "the same bits are promised on a CPU alone" in resume.help


def test_no_device_is_asked_for_on_the_cpu(small_demo, page, two_gpus):
    app = page("train", **{"train-device": "gpu:1"})
    assert "train-device" not in {one.key for one in app.button_group}
    assert "the last digits may differ" not in texts(app)
