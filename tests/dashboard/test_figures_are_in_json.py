"""Whatever figure a page shows of the demo, some command prints it: a walk through the pages and their tabs."""

import contextlib
import io
import json
import shlex

import pytest
from kept_folders import copy_sources
from shown_figures import Pool, figures_in, shown_figures

from cxr_core.cli import main
from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from cxr_core.tasks.images import ImageQuery, image_group
from cxr_core.tasks.reading import Desk, Given
from cxr_core.tasks.reading import store as store_verdict
from cxr_core.tasks.reading_list import reading_list

FIRST, SECOND = "densenet_frontal_u0_0__w0_0", "densenet_frontal_u0_0__w1_0"
TWO = f"{FIRST} {SECOND}"
CHOSEN = {"models-frontal": [FIRST, SECOND]}
#: Thresholds that the pages choose by themselves where nobody moves an input.
CARDS = {
    "point": "--rule sensitivity=.8",
    "card": "--rule sensitivity=.9",
    "read": "--rule sensitivity=.8 --judge radiologists",
    "alarms": "--rule alarms=10 --recalibrate platt",
}
LABELS, EDEMA = "distribution --details", "--model densenet_frontal_u0_0__w0_0 --label edema --group"
GRID, EVALUATE = f"compare {TWO} --grid roc_auc", f"evaluate {FIRST} --details --at point --by sex"
#: Page, what its address asks for, the label that it is about if any, and the commands that print what it shows.
WALK = [
    ("labels", {}, None, [LABELS]),
    ("labels", {"labels-tab": "What they mean"}, None, [LABELS, "meaning --view frontal"]),
    ("labels", {"labels-tab": "Studies and patients"}, None, [LABELS]),
    ("labels", {"labels-tab": "Labels that occur together"}, None, [LABELS, "distribution --pairs positive"]),
    ("labels", {"labels-tab": "What u and w do"}, None, [LABELS]),
    ("train", {}, None, [LABELS]),
    ("runs", {}, None, ["runs"]),
    ("sources", {}, None, ["sources"]),
    ("evaluate", {}, "edema", [EVALUATE]),
    ("evaluate", {"point-tab": "Where the uncertain fall"}, "edema", [EVALUATE]),
    ("evaluate", {"point-tab": "Decisions"}, "edema", [EVALUATE]),
    ("evaluate", {"dataset": "test"}, "edema", [f"evaluate {FIRST} --dataset test --at point"]),
    ("evaluate", {"judge": "radiologists"}, "edema", [f"evaluate {FIRST} --judge radiologists --at read"]),
    (
        "evaluate",
        {"point-tab": "Calibration", "evaluate-tab": "Thresholds"},
        "edema",
        [EVALUATE, *(f"evaluate {FIRST} --at card --dataset {one} --images-a-day 100" for one in ("valid", "test"))],
    ),
    (
        "evaluate",
        {"evaluate-tab": "Thresholds", "card-rule": "alarms", "recalibrate": "platt"},
        "edema",
        [EVALUATE, *(f"evaluate {FIRST} --at alarms --dataset {one} --images-a-day 100" for one in ("valid", "test"))],
    ),
    (
        "evaluate",
        {"point-tab": "Subgroups", "evaluate-tab": "Groups"},
        "edema",
        [EVALUATE, f"gaps {FIRST} --by sex --at card"],
    ),
    (
        "evaluate",
        {"slices": "true", "evaluate-tab": "Groups"},
        "edema",
        [EVALUATE, f"gaps {FIRST} --by sex --at card", f"gaps {FIRST} --slices --at card"],
    ),
    ("compare", CHOSEN, None, [GRID]),
    ("compare", CHOSEN | {"figure": "average_precision"}, None, [GRID.replace("roc_auc", "average_precision")]),
    (
        "compare",
        CHOSEN | {"compare-tab": "Curves of one label"},
        "edema",
        [GRID, f"evaluate {FIRST}", f"evaluate {SECOND}"],
    ),
    ("compare", CHOSEN | {"compare-tab": "Is the difference real?"}, None, [GRID, f"compare {TWO}"]),
    ("compare", CHOSEN | {"compare-tab": "Two judges"}, None, [GRID, f"compare {TWO} --beside truth"]),
    (
        "compare",
        CHOSEN | {"compare-tab": "Two judges", "judged-label": "edema", "beside": "radiologists"},
        None,
        [GRID, f"compare {TWO} --beside radiologists --label edema"],
    ),
    (
        "compare",
        CHOSEN | {"compare-tab": "Several sources"},
        None,
        [GRID, f"compare {TWO} --also-by truth --also-by radiologists"],
    ),
    ("compare", CHOSEN | {"compare-tab": "What u and w did"}, "edema", [GRID, f"compare {TWO} --effects edema"]),
    (
        "compare",
        CHOSEN | {"compare-tab": "Build an ensemble"},
        None,
        [GRID, f"ensemble {TWO} --method mean-logit --preview"],
    ),
    ("images", {}, "edema", [f"images {EDEMA} false-positive --at card"]),
    ("images", {"group": "uncertain"}, "edema", [f"images {EDEMA} uncertain"]),
    ("images", {"group": "doubtful"}, "edema", [f"images {EDEMA} doubtful", f"doubts {FIRST}"]),
]


def asked(line):
    """What a command line prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main([*shlex.split(line), "--json"]) == 0, line
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def home(built_demo, tmp_path_factory):
    """The demo with the cards whose thresholds the pages choose by themselves."""
    folder = tmp_path_factory.mktemp("walked") / "workspace"
    copy_sources(built_demo, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(folder))
        for name, rule in CARDS.items():
            asked(f"thresholds {FIRST} {rule} --name {name}")
    return folder


@pytest.fixture(scope="module")
def printed():
    """The documents of commands, each asked once."""
    return {}


@pytest.mark.parametrize(("name", "address", "label", "lines"), WALK)
def test_every_figure_of_a_page_is_in_the_json_of_a_command(
    home, printed, page, monkeypatch, name, address, label, lines
):
    monkeypatch.setenv("CXR_HOME", str(home))
    pool = Pool()
    for line in lines:
        if line not in printed:
            printed[line] = asked(line)
        pool.add(printed[line])
    app = page(name, **address)
    assert not app.warning, "the address was not understood"
    figures = shown_figures(app, label)
    missing = [f"{figure.text} ({figure.where})" for figure in figures if not pool.has(figure)]
    assert not missing, "\n".join(missing)
    assert len(figures) >= 5 or name in ("runs", "sources"), "the page was not read"


def test_every_figure_of_the_readers_beside_the_model_is_in_the_json_of_evaluate(home, page, monkeypatch):
    monkeypatch.setenv("CXR_HOME", str(home))
    app = page("evaluate", judge="radiologists")
    app.session_state["beside-readers"] = True
    app.run()
    (table,) = [one.value for one in app.table if "Reader" in (one.value.index.name, *one.value.columns)]
    assert len(table) == 8
    pool = Pool()
    pool.add(asked(f"evaluate {FIRST} --judge radiologists --at read"))
    missing = [f"{one.text} ({one.where})" for one in shown_figures(app, "edema") if not pool.has(one)]
    assert not missing, "\n".join(missing)


def test_every_figure_of_a_film_is_in_what_show_prints_of_it(home, page, monkeypatch):
    monkeypatch.setenv("CXR_HOME", str(home))
    wall = [*asked(f"images {EDEMA} false-positive --at card"), *asked(f"images {EDEMA} uncertain")]
    pool = Pool()
    for document in (wall, asked(f"images {EDEMA} false-positive --at card")):
        pool.add(document)
    path = wall[0]["path"]
    pool.add(asked(f"show {path} --model {FIRST} --model {SECOND}"))
    app = page("images", image=path, also=SECOND)
    (table,) = [one.value for one in app.table if "Model 2" in one.value.columns]
    assert table.shape == (14, 4), "report, truth and two models"
    figures = shown_figures(app, "edema")
    missing = [f"{figure.text} ({figure.where})" for figure in figures if not pool.has(figure)]
    assert not missing, "\n".join(missing)


def test_every_figure_of_a_training_is_in_what_runs_prints_of_it(own_small_demo, page, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    run = service.submit("train", "mine", "demo", {"options": {"epochs": 2}, "steps_per_epoch": 2}, "cpu")
    store = RunStore(own_small_demo)
    store.start(run.run)
    rows = [
        {"step": step, "epoch": 1 + (step - 1) // 2, "time": 1e9 + step, "loss": 0.71 / step, "images_per_second": 47.0}
        | (
            {"val_loss": 0.613 - step / 50, "val_loss_certain": 0.571, "val_auc": 0.541 + step / 70}
            if step % 2 == 0
            else {}
        )
        for step in range(1, 5)
    ]
    (store.run_folder(run.run) / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store.end(run.run, "completed", None, run.supervisor)
    pool = Pool()
    for line in ("runs", f"runs show {run.run}", f"runs metrics {run.run}"):
        pool.add(asked(line))
    figures = shown_figures(page("runs", run=run.run), None)
    missing = [f"{figure.text} ({figure.where})" for figure in figures if not pool.has(figure)]
    assert not missing, "\n".join(missing)
    assert {"0.598", "0.573", "0.533"} <= {figure.text for figure in figures}, "AUC and losses of the validations"


def test_every_figure_of_reading_mode_is_in_what_commands_print(own_small_demo, page):
    group = {"model": FIRST, "label": "edema", "group": "blank"}
    films = asked(f"images {EDEMA} blank")
    desk = Desk("demo", "own-readings", "ann", "edema")
    listed = reading_list(image_group(ImageQuery("demo", "edema", "blank", FIRST)), "spread", 1).part()
    for film, verdict in zip(listed[:3], ("present", "absent", "present"), strict=True):
        store_verdict(desk, film, Given(verdict))
    pool = Pool()
    pool.add(films)
    app = page("images", **group, mode="read", reader="ann", readings="own-readings")
    figures = shown_figures(app, "edema")
    missing = [f"{figure.text} ({figure.where})" for figure in figures if not pool.has(figure)]
    assert figures, "the page was not read"
    assert not missing, "\n".join(missing)


def test_the_walk_sees_what_no_command_prints():
    pool = Pool()
    pool.add({"labels": {"edema": {"roc_auc": 0.87349, "n": 523}, "fracture": {"roc_auc": 0.7}}, "share": 0.0821})
    seen = {figure.text: pool.has(figure) for figure in figures_in("AUC 0.873, 0.874, 523, 0.700, 8.2 %", "edema", "")}
    assert seen == {"0.873": True, "0.874": False, "523": True, "0.700": False, "8.2": True}
    assert [figure.text for figure in figures_in("−0.004 to +0.063 at 12:30, 1,650 images", None, "")] == [
        "-0.004",
        "+0.063",
        "1650",
    ]
