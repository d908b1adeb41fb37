"""The Runs page: what a person reads of runs, and that a run of days opens as fast as one of minutes."""

import itertools
import json
import random
from dataclasses import replace

import pandas as pd
import pytest
from small_demo import MODELS, give_weights

from cxr_core.runs import columns, service
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.store import RunStore
from cxr_core.tasks.family_results import PlannedTraining, SeedSpread
from dashboard.charts.color_difference import color_difference
from dashboard.charts.palette import DARK, LIGHT
from dashboard.charts.policies import policy_points
from dashboard.charts.run_curves import MOST_RUNS, run_colors
from dashboard.runs.answer import runs_answer
from dashboard.runs.details import differences, flat_words
from dashboard.runs.family_steps import seed_words
from dashboard.runs.files import metrics_csv
from dashboard.runs.table import in_families
from dashboard.runs.words import took
from dashboard.shared.formatting import plain

LARGEST_CHART = 100_000  # bytes that one chart may send to the browser


@pytest.fixture
def submitted(own_small_demo, monkeypatch):
    """Add a training run as its process would leave it."""
    monkeypatch.setattr(service, "_launch", lambda store, run: run)

    def submit(
        name="mine",
        status="completed",
        rows=(),
        options=None,
        kind="train",
        parent=None,
        run_id=None,
        result=None,
        **config,
    ):
        config |= {"options": {"epochs": 2} | (options or {}), "steps_per_epoch": 100}
        run = service.submit(kind, name, "demo", config, "cpu", resumable=True, parent=parent, run_id=run_id)
        store = RunStore(own_small_demo)
        store.start(run.run)
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (store.run_folder(run.run) / "metrics.jsonl").write_text(content)
        if result is not None:
            store.set_result(run.run, result)
        if status != "running":
            store.end(run.run, status, None, run.supervisor)
        return run

    return submit


def rows(n):
    """A row each step, and a validation each hundred."""
    for step in range(1, n + 1):
        row = {"step": step, "epoch": 1 + step // 100, "time": 1e9 + step, "loss": 1 / step, "images_per_second": 50.0}
        yield row
        if step % 100 == 0:
            figures = {"val_loss": 0.5 + 1 / step, "val_loss_certain": 0.4, "val_auc": 0.6 + (step == 300) / 10}
            yield {"step": step, "epoch": step // 100, "time": 1e9 + step} | figures


def charts(app):
    return app.get("vega_lite_chart") + app.get("arrow_vega_lite_chart")


def test_200000_rows_are_parsed_once_and_each_chart_stays_small(submitted, page, monkeypatch):
    parsed = []
    real = columns.parse_columns
    monkeypatch.setattr(columns, "parse_columns", lambda content: parsed.append(len(content)) or real(content))
    run = submitted(rows=rows(200_000))
    size = (service.folder_of(run.run) / "metrics.jsonl").stat().st_size
    app = page("runs", run=run.run)
    app.run()
    assert parsed == [size], "a second look parses nothing"
    assert {metric.label: metric.delta for metric in app.metric}["Validation AUC"] == "best 0.700 in epoch 3"
    assert len(charts(app)) == 3
    assert max(len(chart.proto.SerializeToString()) for chart in charts(app)) < LARGEST_CHART
    assert len(app.table[1].value) == 11, "the best and the last ten validations"


IGNORE, POSITIVE = {"u": 0.0, "w": 0.0}, {"u": 1.0, "w": 1.0}


def listed(app) -> list[str]:
    """The names in the table of runs; the one that is shown is in bold."""
    return [name.strip("*").replace("\\", "") for name in app.table[0].value.index]


def shown_text(app) -> str:
    return "\n".join(str(e.value) for kind in ("markdown", "caption", "info", "warning") for e in getattr(app, kind))


def test_runs_are_found_by_words_status_kind_and_tag_and_the_url_says_so(submitted, page):
    first = submitted("alpha", options=IGNORE)
    submitted("beta", "failed", options=POSITIVE)
    submitted("gamma", kind="predict")
    service.set_tags(first.run, ["paper"])
    service.set_notes(first.run, "the baseline")
    assert listed(page("runs")) == ["gamma", "beta", "alpha"]
    assert listed(page("runs", search="BASELINE ignore")) == ["alpha"]
    assert listed(page("runs", status="failed")) == ["beta"]
    assert listed(page("runs", kind="Prediction")) == ["gamma"]
    assert listed(page("runs", tag="paper")) == ["alpha"]
    app = page("runs", search="nothing has this")
    assert "No run has all of that" in shown_text(app)
    app.text_input(key="search").set_value("beta").run()
    assert listed(app) == ["beta"]


def test_losses_are_drawn_together_for_one_policy_only_and_the_page_says_why(submitted, page):
    same, mine = submitted("same", rows=rows(200), options=IGNORE), submitted("mine", rows=rows(200), options=IGNORE)
    other = submitted("other", rows=rows(200), options=POSITIVE)
    app = page("runs", run=mine.run, beside=[same.run, other.run])
    assert app.multiselect(key="beside").value == [same.run, other.run]
    (warning,) = app.warning
    assert "other (positive (u 1, w 1))" in warning.value
    assert "same (" not in warning.value
    app.multiselect(key="beside").set_value([same.run]).run()
    assert not app.warning
    assert app.query_params["beside"] in (same.run, [same.run])


def test_configurations_side_by_side_mark_what_differs(submitted, page):
    one, two = submitted("one", options=IGNORE), submitted("two", options=POSITIVE)
    app = page("runs", run=one.run, beside=two.run)
    table = app.table[-1].value
    assert list(table.loc["**≠ u**"]) == ["**0**", "**1**"]
    assert list(table.loc["epochs"]) == ["2", "2"]
    app.toggle(key="only-differences").set_value(True).run()
    assert "epochs" not in app.table[-1].value.index


def test_an_entry_that_one_run_lacks_differs():
    frame = differences({"a": {"x": "1", "y": "2"}, "b": {"x": "1"}})
    assert list(frame.loc["y"]) == ["2", "–", True]
    assert not frame.loc["x", "differs"]


def test_notes_and_tags_are_kept_and_shown_as_they_were_written(submitted, page):
    run = submitted()
    app = page("runs", **{"run-tab": "Notes"})
    app.text_area(key=f"notes-{run.run}").set_value("see ![x](http://elsewhere/x.png)")
    next(button for button in app.button if button.label == "Save notes and tags").click().run()
    assert service.get(run.run).notes == "see ![x](http://elsewhere/x.png)"
    shown = app.table[0].value["Notes"].iloc[0]
    assert shown == plain("see ![x](http://elsewhere/x.png)"), "no picture is fetched from anywhere"


def test_what_people_wrote_is_no_markup():
    assert plain(":red[x] *y*\n`z` <b>") == "\\:red\\[x\\] \\*y\\* \\`z\\` \\<b\\>"


def test_a_run_of_another_machine_says_when_it_was_last_seen(submitted, page, monkeypatch):
    submitted(status="running", rows=rows(10))
    store = RunStore.newest_first
    elsewhere = {"machine": "another", "boot": "another"}

    def foreign(self, *arguments):
        runs = store(self, *arguments)
        return [replace(run, host="gpu-7", supervisor=replace(run.supervisor, **elsewhere)) for run in runs]

    monkeypatch.setattr(RunStore, "newest_first", foreign)
    shown = page("runs").table[0].value["By"].iloc[0]
    assert "running on gpu-7, last seen" in shown
    assert shown.endswith("s ago")


def test_a_workspace_on_a_network_disk_is_warned_of(submitted, page, monkeypatch):
    submitted()
    monkeypatch.setattr("cxr_core.runs.network_disk.network_file_system", lambda path: "nfs4")
    assert "lies on a network file system (nfs4)" in page("runs").warning[0].value


def test_the_metrics_are_offered_as_they_were_measured(submitted):
    run = submitted(rows=[{"step": 1, "loss": 0.1 + 0.2}, {"step": 2, "val_auc": 0.75}])
    table = pd.read_csv(pd.io.common.BytesIO(metrics_csv(service.metric_columns(run.run))))
    assert list(table["step"]) == [1, 2]
    assert table["loss"][0] == 0.1 + 0.2
    assert table["val_auc"].isna().tolist() == [True, False]


def test_the_metrics_carry_no_formula_in_the_name_of_a_figure(submitted):
    run = submitted(rows=[{"=1+1": 0.5}])
    assert metrics_csv(service.metric_columns(run.run)).decode().splitlines()[0] == "'=1+1"


def test_tensorboard_files_are_written_when_asked_and_the_command_is_shown(submitted, page):
    run = submitted(rows=rows(5))
    app = page("runs", **{"run-tab": "Files"})
    assert not any("--port" in one.value for one in app.code)
    app.button(key=f"write-events-{run.run}").click().run()
    assert app.code[0].value.endswith("--host 127.0.0.1 --port 6006")
    assert list((service.folder_of(run.run) / "tensorboard").iterdir())


def test_the_parts_of_a_sweep_stand_under_it_and_fold_away(submitted):
    whole = submitted("sweep", kind="sweep")
    parts = [submitted(f"part{n}", parent=whole.run) for n in range(2)]
    submitted("later")
    runs = service.list_runs()
    assert [run.name for run, _ in in_families(runs, set())] == ["later", "sweep"]
    names = [(run.name, deep) for run, deep in in_families(runs, {whole.run})]
    assert names == [("later", False), ("sweep", False), ("part0", True), ("part1", True)]
    alone = [run for run in runs if run.run == parts[0].run]
    assert [run.name for run, _ in in_families(alone, set())] == ["part0"], "found without its whole"


def family(submitted, kind, aucs):
    """A family with one training a seed, or a (u, w), each with the AUCs of its validations."""
    ids = [new_run_id() for _ in aucs]
    pairs = list(aucs) if kind == "sweep" else [(None, None)] * len(ids)
    members = [PlannedTraining(run, f"part{n}", n, *pair) for n, (run, pair) in enumerate(zip(ids, pairs, strict=True))]
    whole = submitted("family", kind=kind, children=[vars(member) for member in members])
    for member, found in zip(members, aucs.values() if kind == "sweep" else aucs, strict=True):
        if found:
            rows = [{"step": n, "epoch": n, "val_auc": auc, "val_auc_labels": [auc - 0.1] * 14} for n, auc in found]
            part = submitted(member.name, "running", rows=rows, parent=whole.run, run_id=member.run)
            RunStore(service.settings().home).set_result(part.run, {"val_auc": max(auc for _, auc in found)})
            RunStore(service.settings().home).end(part.run, "completed", None, part.supervisor)
    return whole


def test_a_sweep_shows_the_auc_of_each_u_and_w(submitted, page):
    found = {(0.0, 1.0): [(1, 0.7), (2, 0.6)], (1.0, 1.0): [(1, 0.8)], (0.5, 1.0): []}
    run = family(submitted, "sweep", found)
    app = page("runs", run=run.run)
    (chart,) = app.get("plotly_chart")
    shown = json.loads(chart.proto.spec)["data"][0]
    assert shown["x"] == ["0", "0.5", "1"]
    assert shown["text"] == [["0.700", "", "<b>0.800</b>"]]
    assert list(app.table[1].value["Best validation AUC"]) == ["0.700", "0.800", "–"]
    # a sweep has no model of its own to predict with; its trainings have
    assert {button.label for button in app.button} == {"Delete run", "Predict all", "Repeat the best over seeds"}
    assert "One seed a pair" in shown_text(app)
    app.selectbox(key="sweep-label").set_value("edema").run()
    assert json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]["text"] == [["0.600", "", "<b>0.700</b>"]]


def test_a_sweep_without_figures_says_when_they_come(submitted, page):
    run = family(submitted, "sweep", {(0.0, 1.0): [], (1.0, 1.0): []})
    app = page("runs", run=run.run)
    assert "The first cell fills" in shown_text(app)
    assert list(app.table[1].value["Status"]) == ["not queued yet"] * 2


def test_a_repetition_shows_the_mean_and_the_spread_over_its_seeds(submitted, page):
    run = family(submitted, "repeat", [[(1, 0.7)], [(1, 0.8)], [(1, 0.9)]])
    app = page("runs", run=run.run)
    (metric,) = app.metric
    assert metric.value == "0.800 ± 0.100 (n = 3)", "the standard deviation of .7, .8, .9 with n - 1"
    assert any("seed alone moves this AUC by ± 0.100. More than 1,000 seeds" in one.value for one in app.caption)
    (spec,) = (json.loads(chart.proto.spec) for chart in charts(app))
    assert "thick: their mean" in spec["title"][1]
    assert len(spec["layer"]) == 2


def test_a_training_of_one_seed_says_so_and_what_similar_ones_did(submitted, page):
    alone = submitted(rows=rows(200), result={"val_auc": 0.8})
    assert any(
        "One seed, and no similar training was repeated" in one.value for one in page("runs", run=alone.run).caption
    )
    for seed, auc in ((1, 0.7), (2, 0.72)):
        submitted(f"other{seed}", rows=rows(200), options={"seed": seed, "learning_rate": 0.1}, result={"val_auc": auc})
    app = page("runs", run=alone.run)
    assert any("trainings like it (other2 and others) by ± 0.014" in one.value for one in app.caption)


def test_trainings_that_seeds_cannot_tell_apart_are_said_to_be_so(submitted, page):
    """Two seeds, .80 and .82: sd .0141, and by Student's t of one degree of freedom two seeds differ by up to .254."""
    first, _ = (
        submitted(f"first{n}", rows=rows(200), options={"seed": n}, result={"val_auc": 0.8 + n / 50}) for n in (0, 1)
    )
    near, far = (
        submitted(name, rows=rows(200), options={"learning_rate": 0.1, "seed": 7}, result={"val_auc": auc})
        for name, auc in (("near", 0.6), ("far", 0.5))
    )
    assert runs_answer(service.list_runs()) == (
        "Nothing is running; best validation AUC 0.820 by first1, which cannot be told from 1 of 2 others"
    )
    app = page("runs", run=first.run, beside=[near.run, far.run])
    (said,) = (one.value for one in app.markdown if "two seeds of one training" in one.value)
    assert "first0 cannot be told apart from near (+0.200)" in said
    assert "is above far by more than seeds do (+0.300)" in said
    assert "may differ by 0.254" in said


def test_a_learned_policy_shows_how_u_and_w_moved(submitted, page):
    moved = [{"step": n, "time": n, "loss": 1.0, "u": [n / 10] * 14, "w": [0.5] * 14} for n in range(10)]
    run = submitted(rows=moved)
    spec = next(json.loads(c.proto.spec) for c in charts(page("runs", run=run.run)) if "facet" in c.proto.spec)
    assert "u (line) and w (dashed)" in spec["title"]
    points = policy_points(service.metric_columns(run.run))
    edema = points[(points["label"] == "Edema") & (points["part"] == "u")]
    assert list(edema["y"]) == [n / 10 for n in range(10)]
    assert len(points) == 10 * 14 * 2


def test_what_seeds_alone_do_is_said_beside_a_sweep():
    # pooled: sqrt((1 * .02 ** 2 + 2 * .01 ** 2) / 3)
    spreads = [SeedSpread(0.8, 0.02, 2), SeedSpread(0.7, 0.01, 3), SeedSpread(0.6, None, 1)]
    assert "± 0.014 (standard deviation within a pair, over 2 pairs" in seed_words(spreads)
    assert "not known" in seed_words([SeedSpread(0.8, None, 1), SeedSpread(None, None, 0)])


def test_a_configuration_is_in_words():
    config = {
        "children": [{"run": "a"}, {"run": "b"}],
        "u": [0.0, 0.5],
        "augment": True,
        "options": {"view": "lateral"},
    }
    assert flat_words(config) == {
        "trainings": "2 trainings, listed above",
        "u": "0, 0.5",
        "augment": "yes",
        "view": "lateral",
    }


def test_best_is_best_of_what_was_judged_on_the_same_images(own_small_demo, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    home = own_small_demo

    def finished(name, auc, view, files=("/valid-0",)):
        config = {"options": {"epochs": 2, "view": view}, "files_valid": list(files), "n_valid": 10}
        run = service.submit("train", name, "demo", config, "cpu")
        RunStore(home).start(run.run)
        RunStore(home).set_result(run.run, {"val_auc": auc})
        RunStore(home).end(run.run, "completed", None, run.supervisor)

    finished("one", 0.7, "frontal")
    finished("two", 0.8, "frontal")
    assert runs_answer(service.list_runs()) == "Nothing is running; best validation AUC 0.800 by two"
    finished("side", 0.9, "lateral")
    said = runs_answer(service.list_runs())
    assert "0.900 by side (demo, lateral, 10 images)" in said
    assert "0.800 by two (demo, frontal, 10 images)" in said
    finished("elsewhere", 0.95, "frontal", ["/other"])
    assert "and 1 more" in runs_answer(service.list_runs())


def test_what_a_run_took_counts_the_time_before_a_resume(submitted):
    run = submitted(status="failed")
    assert took(replace(run, started=1000.0, ended=1010.0, worked=50.0)) == "1 min 0 s"


def test_no_two_runs_of_a_chart_share_nearly_one_colour():
    rng = random.Random(0)
    for colors in (LIGHT, DARK):
        for _ in range(300):
            names = {f"legend {n}": f"model-{rng.random()}" for n in range(MOST_RUNS)}
            chosen = list(run_colors(names, colors).values())
            assert min(color_difference(a, b) for a, b in itertools.combinations(chosen, 2)) >= 25


def test_the_learning_rate_stands_beside_the_step(submitted, page):
    run = submitted(rows=[row | {"learning_rate": 0.001} for row in rows(5)])
    deltas = {metric.label: metric.delta for metric in page("runs", run=run.run).metric}
    assert deltas["Step"] == "learning rate 0.001"


def test_a_training_that_learned_nothing_says_so(submitted, page, own_small_demo):
    run = submitted(status="running", rows=rows(100))
    RunStore(own_small_demo).end(run.run, "completed", "It learned nothing that shows.", run.supervisor)
    assert page("runs", run=run.run).warning[0].value == "It learned nothing that shows."


def test_the_best_of_a_sweep_is_repeated_over_seeds_by_the_form(submitted, page):
    run = family(submitted, "sweep", {(0.0, 1.0): [(1, 0.7)], (1.0, 1.0): [(1, 0.8)]})
    app = page("runs", run=run.run)
    next(button for button in app.button if button.label == "Repeat the best over seeds").click().run()
    assert app.segmented_control(key="train-several").value == "repeat"


def downloads(app):
    return [button.proto.label for button in app.get("download_button")]


def test_a_finished_model_is_downloaded_with_its_cards_and_not_where_downloads_are_off(submitted, page, monkeypatch):
    run = submitted(MODELS[0])
    where = {"run": run.run, "run-tab": "Files"}
    assert "Download model" not in downloads(page("runs", **where)), "there are no weights"
    give_weights(MODELS[0])
    assert {"Download model", "Download ONNX", "Download SavedModel"} <= set(downloads(page("runs", **where)))
    monkeypatch.setenv("CXR_DOWNLOADS", "false")
    app = page("runs", **where)
    assert not downloads(app)
    why = "Downloads are switched off by the setting `downloads`."
    assert [one.value for one in app.caption].count(why) == 1


def test_without_the_packages_for_onnx_a_run_says_what_to_install(submitted, page, monkeypatch):
    run = submitted(MODELS[0])
    give_weights(MODELS[0])
    monkeypatch.setattr("cxr_core.models.export_forms.find_spec", lambda name: None)
    app = page("runs", **{"run": run.run, "run-tab": "Files"})
    assert "Download SavedModel" in downloads(app) and "Download ONNX" not in downloads(app)
    assert [one.value for one in app.caption if "requirements-onnx.txt" in one.value]
