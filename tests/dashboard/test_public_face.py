"""The public face: small, lazy, documented, and what the pages offer of it runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cxr_core
from cxr_core.runs import service
from cxr_core.tasks.images import ImageQuery
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import named_policy
from dashboard.shared.notebook import (
    comparison_lines,
    distribution_lines,
    evaluation_lines,
    image_lines,
    run_lines,
    source_lines,
    training_lines,
)

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
MODELS = ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"]


def test_importing_it_loads_nothing_and_naming_a_function_only_what_it_needs():
    code = (
        "import sys, cxr_core; before = set(sys.modules); cxr_core.evaluate; after = set(sys.modules);"
        "print(sorted(before & {'numpy', 'pandas', 'duckdb'}), sorted(after & {'streamlit', 'tensorflow', 'matplotlib'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


def test_every_public_name_is_there_offered_by_tab_and_documented():
    for name in cxr_core.PUBLIC:
        assert getattr(cxr_core, name) is not None and name in dir(cxr_core)
    documented = set(re.findall(r"`(\w+)(?:\.\w+)?[(`]", PAGE.split("| name | gives |")[1]))
    assert set(cxr_core.PUBLIC) <= documented


def test_a_name_that_is_not_public_is_refused_with_those_that_are():
    with pytest.raises(AttributeError, match="evaluate"):
        _ = cxr_core.no_such_thing


def run_and_return(lines):
    place = {}
    exec("\n".join(lines), place)
    return place


def test_the_lines_of_the_page_run_on_the_demo(small_demo):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    place = run_and_return([code])
    assert place["details"]["edema"].roc_part.specificity == 0.9
    assert len(place["frame"]) == place["found"].n_images


@pytest.mark.parametrize(
    "lines",
    [
        evaluation_lines("demo", MODELS[0], "edema", "valid", None, "report"),
        comparison_lines("demo", MODELS, "valid", "roc_auc", "report"),
        distribution_lines("demo", "frontal"),
        training_lines("demo", TrainOptions(named_policy("hybrid"), epochs=3, architecture="densenet-small")),
        training_lines("demo", TrainOptions(named_policy("learned"), view="lateral")),
        image_lines(ImageQuery("demo", "edema", "false-positive", MODELS[0], threshold=0.125, dataset="test"), ""),
        image_lines(ImageQuery("demo", "edema", dataset="test"), "s01"),
        source_lines("demo"),
    ],
)
def test_the_lines_that_pages_offer_run_and_give_a_frame(own_small_demo, lines):
    # A demo of its own: what was asked of a table is kept, and other tests look at the SQL by which it is asked.
    assert len(run_and_return(["import cxr_core", *lines])["frame"])


def test_the_lines_of_a_run_give_its_metrics(workspace, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    run = service.submit("train", "mine", "demo", {"options": {}}, "cpu").run
    rows = [{"step": step, "loss": 1 / step} for step in (1, 2, 3)]
    (service.folder_of(run) / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run_and_return(["import cxr_core", *run_lines(run)])["frame"].to_dict("records") == rows


def lines_of(app):
    """A page whose lines of Python somebody opens."""
    assert not any("import cxr_core" in one.value for one in app.code), "what is folded is not sent"
    app.session_state["notebook"] = True
    return app.run()


def test_pages_offer_the_lines_of_what_they_show(small_demo, page):
    offered = [one.value for one in lines_of(page("evaluate", model=MODELS[1], label="edema", dataset="test")).code]
    assert (
        "\n".join(["import cxr_core", *evaluation_lines("demo", MODELS[1], "edema", "test", None, "report")]) in offered
    )
    assert any("model_grid" in one.value for one in lines_of(page("compare")).code)
    assert any("distribution" in one.value for one in lines_of(page("labels")).code)
    assert any("plan_training" in one.value for one in lines_of(page("train")).code)
    asked = [one.value for one in lines_of(page("images", model=MODELS[0], label="edema", group="uncertain")).code]
    query = ImageQuery("demo", "edema", "uncertain", MODELS[0])
    assert "\n".join(["import cxr_core", *image_lines(query, "")]) in asked
    assert any("list_sources" in one.value for one in lines_of(page("sources")).code)
