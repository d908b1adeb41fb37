import json

import numpy as np
import pytest
from shown_figures import Pool, shown_figures
from tried_policies import Searching, made_up_embeddings

from cxr_core.cli import main
from cxr_core.runs import service
from cxr_core.runs.run import CANCELLED
from cxr_core.tasks.policies import policy_landscape
from cxr_core.tasks.policy_search import start_search
from dashboard.shared.policy_table import PER_LABEL, table_text

MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def searching(own_small_demo, monkeypatch):
    return Searching(monkeypatch, own_small_demo)


def said(app):
    return " ".join(one.value for one in [*app.markdown, *app.caption])


def test_the_landscape_of_a_label_its_best_and_what_cannot_be_told_from_it(searching, page):
    start_search("demo")
    app = page("train", **{"train-try": "true", "train-try-label": "support_devices"})
    assert "Support devices: u " in said(app)
    assert "cannot be told from it" in said(app)
    assert "trained with ignore" in said(app)
    assert "Frozen features are an approximation" in said(app)
    spec = app.get("plotly_chart")[0].proto.spec
    assert "Support devices: AUC by u and w" in spec


def test_every_figure_of_the_landscape_is_in_what_the_command_prints(searching, page, capsys):
    start_search("demo")
    pool = Pool()
    for line in (["policies", "--model", MODEL], ["distribution", "--details"]):
        capsys.readouterr()
        assert main([*line, "--json"]) == 0
        pool.add(json.loads(capsys.readouterr().out))
    before = {figure.text for figure in shown_figures(page("train"), None)}
    app = page("train", **{"train-try": "true", "train-try-label": "support_devices"})
    shown = [figure for figure in shown_figures(app, "support_devices") if figure.text not in before]
    missing = [f"{figure.text} ({figure.where})" for figure in shown if not pool.has(figure)]
    assert not missing, "\n".join(missing)
    assert len(shown) > 100, "the landscape was not read"


def test_one_click_fills_the_form_with_the_mix(searching, page):
    start_search("demo")
    app = page("train", **{"train-try": "true"})
    app.button(key="fill-in-mix").click().run()
    assert app.segmented_control(key="train-strategy").value == PER_LABEL
    mix = policy_landscape("demo", MODEL).mix()
    assert app.session_state["train-table-start"] == table_text(mix)
    assert app.query_params["train-table"] == table_text(mix)


def test_before_a_try_there_is_a_button_that_starts_one(searching, page):
    app = page("train", **{"train-try": "true"})
    assert "not been tried" in said(app)
    app.button(key=f"try-policies-{MODEL}").click().run()
    assert searching.taken == 1
    assert "is best" in said(app)


def test_policies_are_tried_on_embeddings_that_the_field_names(searching, page, own_small_demo):
    ids, vectors = made_up_embeddings(own_small_demo)
    np.save(own_small_demo / "mine.npy", vectors)
    (own_small_demo / "mine.txt").write_text("\n".join(ids) + "\n")
    app = page("train", **{"train-try": "true"})
    named = str(own_small_demo / "mine.npy")
    app.text_input(key="train-try-embeddings").set_value(named).run()
    assert "not been tried" in said(app)
    app.button(key=f"try-policies-{named}").click().run()
    assert "is best" in said(app)
    assert searching.taken == 0, "no network was asked for features"
    app = page("train", **{"train-try": "true", "train-try-embeddings": "/etc/mine.npy"})
    assert [one.value for one in app.error if "input_folders" in one.value]


def test_nothing_is_looked_at_before_the_switch_is_on(searching, page, monkeypatch):
    monkeypatch.setattr("dashboard.shared.engine.policy_landscape", pytest.fail)
    page("train")


def test_a_try_that_was_cancelled_is_said(searching, page, monkeypatch):
    run = type("Ended", (), {"is_active": False, "status": CANCELLED, "reason": "Cancelled by the user."})()
    monkeypatch.setattr("dashboard.train.tried_policies.latest_search", lambda source, model: run)
    app = page("train", **{"train-try": "true"})
    assert any("The last try was cancelled" in one.value for one in app.warning)
    assert service.list_runs("policies") == []
