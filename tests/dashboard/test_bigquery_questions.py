"""What each page asks BigQuery, by the job log of the server: once, of the fewest tables, shown, and after a yes."""

import shutil

import pandas as pd
import pytest
from as_read import as_read
from bigquery_server.demo import DATASET, SOURCE, configuration, serve_demo
from test_pages import metrics, texts

from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source

POLICIES = ("u0_0__w0_0", "u0_0__w1_0", "u1_0__w1_0", "u0_5__w0_25")
FRONTAL = [f"densenet_frontal_{policy}" for policy in POLICIES]


@pytest.fixture
def server(small_demo, tmp_path, monkeypatch):
    """The small demo with eight models as tables of BigQuery, and a cxr.toml that leads to them."""
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "60")
    with serve_demo(small_demo / "sources" / "demo") as running:
        for view in ("frontal", "lateral"):
            first = running.tables[f"{DATASET}.densenet_{view}_{POLICIES[0]}_predictions"]
            for policy in POLICIES[1:]:
                running.add(f"{DATASET}.densenet_{view}_{policy}_predictions", first.rows, labels=first.labels)
        (tmp_path / "cxr.toml").write_text(configuration(running.endpoint, small_demo / "sources" / "demo"))
        running.reference_rows = 0
        assert len(get_source(SOURCE).warehouse().prediction_tables()) == 8
        yield running


@pytest.fixture
def there(page):
    """Open a page of the source in BigQuery, and no other page of it before."""

    def open_there(name, **query):
        app = page(name, **query).selectbox(key="source").set_value(SOURCE).run()
        return app.multiselect(key="models-frontal").set_value(FRONTAL).run() if name == "compare" else app

    return open_there


def asked(server):
    """The names of the questions that ran, by the job log; a dry run is free and is none."""
    return sorted(
        job["configuration"]["labels"]["question"]
        for job in server.jobs.values()
        if not job["configuration"].get("dryRun")
    )


def button(app, label):
    return next(button for button in app.button if button.label == label)


@pytest.mark.parametrize(
    ("name", "questions"),
    [
        ("labels", ["counts", "distribution"]),
        ("evaluate", ["joined"]),
        ("compare", ["joined"] * len(FRONTAL)),
        ("train", []),
        ("sources", []),
    ],
)
def test_a_page_asks_once_for_what_it_shows_and_nothing_when_it_is_opened_again(server, there, name, questions):
    for _ in range(2):
        there(name)
        assert asked(server) == questions


def test_evaluate_and_compare_share_their_questions_and_read_only_the_label_table_of_the_data_set(server, there):
    there("evaluate")
    there("compare")
    assert asked(server) == ["joined"] * 4
    tables = {name for statement in server.statements for name in server.tables if f"`{name}`" in statement.sql}
    assert tables == {f"{DATASET}.labels_valid", *(f"{DATASET}.{model}_predictions" for model in FRONTAL)}


@pytest.mark.parametrize("name", ["labels", "evaluate", "compare"])
def test_a_page_shows_the_sql_the_estimate_the_bill_the_age_and_refresh(server, there, name):
    app = there(name)
    ran = [statement for statement in server.statements if statement.engine != "dry run"]
    billed, read = sum(one.bytes_billed for one in ran), sum(one.bytes_processed for one in ran)
    words = as_read(texts(app))
    assert f"{billed / 1e6:.1f} MB billed for {len(ran)} quer" in words
    assert f"{read / 1e6:.1f} MB read by estimate" in words or f"{read / 1e3:.1f} kB read by estimate" in words
    assert "asked at " in words
    assert {one.sql for one in ran} <= {code.value for code in app.code}
    asked_once = len(asked(server))
    button(app, "Refresh").click().run()
    assert len(asked(server)) == 2 * asked_once
    assert [one.label for one in app.button].count("Refresh") == 1


def test_what_a_tab_asks_besides_is_shown_too(server, there):
    app = there("labels", **{"labels-tab": "Labels that occur together"})
    assert asked(server) == ["cooccurrence", "counts", "distribution"]
    assert "billed for 3 queries" in as_read(texts(app))


def test_above_the_limit_a_page_asks_before_bigquery_is_asked(server, page, there, monkeypatch):
    monkeypatch.setenv("CXR_ASK_ABOVE_BYTES", "20000")
    app = there("evaluate", model=FRONTAL[0])
    assert app.title[0].value == "This question to BigQuery needs a yes"
    assert asked(server) == []
    assert "BigQuery would read" in app.warning[0].value and "LEFT JOIN" in app.code[0].value
    next(one for one in app.button if one.label.startswith("Ask it: ")).click().run()
    assert asked(server) == ["joined"]
    assert metrics(app)["ROC AUC"] == metrics(page("evaluate", model=FRONTAL[0]))["ROC AUC"]
    button(app, "Refresh").click().run()
    assert asked(server) == ["joined"], "each yes is good for one question"
    assert any(one.label.startswith("Ask it: ") for one in app.button)


def test_a_page_asks_what_null_is_and_keeps_the_answer(server, page, small_demo):
    name = f"{DATASET}.labels_train"
    train = server.tables[name].rows.to_pandas()
    holes = {label: train[label].astype("Int64").where(train[label] != 0) for label in LABELS}
    server.add(name, train.assign(**holes))
    app = page("labels", source=SOURCE)
    assert app.title[0].value == "The tables can be read in two ways"
    assert "have NULL as a value of" in as_read(app.warning[0].value)
    before = metrics(page("labels"))
    try:
        button(app, "NULL is a blank").click().run()
        assert not app.exception and metrics(app) == before
        assert get_source(SOURCE).null_is == "not_mentioned"
        again = page("labels", source=SOURCE, **{"labels-tab": "Table"})
        here = page("labels", **{"labels-tab": "Table"})
        # the links to images name the source, and are the only thing that may differ
        of_here = again.table[0].value.replace(f"source={SOURCE}&", "source=demo&", regex=True)
        pd.testing.assert_frame_equal(of_here, here.table[0].value)
    finally:
        shutil.rmtree(get_source(SOURCE).folder)  # nothing of this stays in the demo that tests share


def test_a_replaced_table_of_predictions_is_asked_anew(server, there):
    app = there("evaluate", model=FRONTAL[0], label="edema")
    before = metrics(app)["ROC AUC"]
    name = f"{DATASET}.{FRONTAL[0]}_predictions"
    rows = server.tables[name].rows.to_pandas()
    server.add(name, rows.assign(edema=-rows["edema"]))
    assert metrics(app.run())["ROC AUC"] == f"{1 - float(before):.3f}"
    assert asked(server) == ["joined"] * 2
