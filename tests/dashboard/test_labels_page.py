"""The Labels page on files and on BigQuery: its answers, its controls, what it costs, and a server that misbehaves."""

import pandas as pd
import pytest
from as_read import as_read
from bigquery_server.demo import DATASET, SOURCE, configuration, serve_demo
from test_pages import metrics, texts

from cxr_core.schema import LABELS, label_words
from dashboard.labels.details import shared_words


@pytest.fixture
def frontal(built_small_demo):
    table = pd.read_parquet(built_small_demo / "sources/demo/labels_train.parquet")
    return table[table["view"] == 0]


@pytest.fixture
def server(small_demo, tmp_path, monkeypatch):
    """The small demo as BigQuery tables, and a cxr.toml that leads to them."""
    with serve_demo(small_demo / "sources" / "demo") as running:
        (tmp_path / "cxr.toml").write_text(configuration(running.endpoint, small_demo / "sources" / "demo"))
        monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "20")
        yield running


def button(app, label):
    return next(button for button in app.button if button.label == label)


def spec(app, place=0):
    return app.get("plotly_chart")[place].proto.spec


def test_studies_count_where_one_image_is_positive(small_demo, page, frontal):
    app = page("labels", unit="Studies", scale="Count", datasets="Train")
    studies = frontal.groupby(["patient", "study"])["edema"].max()
    assert f"n = {len(studies):,}" in spec(app)
    assert "Train: studies" in spec(app)
    app = page("labels", unit="Patients", scale="Count", datasets="Train")
    assert f"n = {frontal['patient'].nunique():,}" in spec(app)


def test_the_order_and_the_axis_come_from_the_url(small_demo, page, frontal):
    most = (frontal[list(LABELS)] == 3).sum().sort_values(ascending=False, kind="stable")
    app = page("labels", sort="Most positive", axis="Log", scale="Count", datasets="Train")
    shown = spec(app)
    assert shown.index(label_words(most.index[0])) < shown.index(label_words(most.index[-1]))
    assert '"type":"log"' in shown.replace(" ", "")
    assert "no place on a log axis" in texts(app)


def test_labels_that_occur_together_as_counts(small_demo, page, frontal):
    query = {"labels-tab": "Labels that occur together", "pair-measure": "Images", "pair-value": "Uncertain"}
    app = page("labels", **query)
    has = (frontal[list(LABELS)] == 2).to_numpy().astype(int)
    both = has.T @ has
    shares = both / both.diagonal()[:, None].clip(min=1)
    shares[range(14), range(14)] = 0
    row, column = divmod(int(shares.argmax()), 14)
    words = texts(app)
    images = "image" if both[row, row] == 1 else "images"
    assert f"Of {both[row, row]:,} {images} with {label_words(LABELS[row]).lower()} uncertain" in words
    assert f"**{100 * shares[row, column]:.1f} %** have {label_words(LABELS[column]).lower()} uncertain too" in words
    assert "Uncertain in row and column, images" in spec(app, 2)


def test_patients_in_two_data_sets_are_said(small_demo, page):
    assert "No patient stands in two data sets." in texts(page("labels", **{"labels-tab": "Studies and patients"}))
    assert shared_words(1).startswith("1 patient stands in more than one data set")
    assert shared_words(1200).startswith("1,200 patients stand in more than one data set")
    assert "not checked" in shared_words(None), "BigQuery is not asked, so nothing is claimed"


def test_the_preview_names_the_label_that_u_and_w_move_most(small_demo, page, frontal):
    app = page("labels", **{"labels-tab": "What u and w do", "preview-u": "1.0", "preview-w": "1.0"})
    before, after = {}, {}
    for label in LABELS:
        certain = frontal[frontal[label] != 2][label]
        before[label] = (certain == 3).mean()
        after[label] = ((frontal[label] == 3) | (frontal[label] == 2)).mean()
    moved = max(LABELS, key=lambda label: abs(after[label] - before[label]))
    assert f"moves **{label_words(moved)}** most: from {100 * before[moved]:.1f} %" in texts(app)
    assert f"to {100 * after[moved]:.1f} %" in texts(app)


def test_each_table_of_the_page_can_be_downloaded(small_demo, page, monkeypatch):
    tabs = ("Table", "Studies and patients", "Labels that occur together", "What u and w do")
    for tab in tabs:
        assert len(page("labels", **{"labels-tab": tab}).get("download_button")) == 1, tab
    monkeypatch.setenv("CXR_DOWNLOADS", "false")
    for tab in tabs:
        assert not page("labels", **{"labels-tab": tab}).get("download_button"), tab


def test_files_of_this_machine_cost_nothing_and_say_nothing_of_it(small_demo, page):
    app = page("labels", **{"labels-tab": "SQL and cost"})
    assert "billed" not in texts(app)
    assert "Refresh" not in [button.label for button in app.button]
    assert "COUNT_IF(edema = 3)" in app.code[0].value


def test_bigquery_shows_the_same_figures_with_estimate_and_bill(server, page):
    here, there = page("labels"), page("labels", source=SOURCE)
    assert there.title[0].value == here.title[0].value
    assert metrics(there) == metrics(here)
    assert spec(there).replace(f"source={SOURCE}&", "source=demo&") == spec(here), "but for where a click leads"
    billed = sum(statement.bytes_billed for statement in server.billed())
    assert billed > 0
    assert f"{billed / 1e6:.1f} MB billed" in texts(there)
    assert "read by estimate" in texts(there)
    assert "images counted by COUNT(*)" in as_read(texts(there)), (
        "no path stands twice, so the cheap count is used and said"
    )


def test_a_page_that_is_opened_twice_is_billed_once_until_it_is_refreshed(server, page):
    first = page("labels", source=SOURCE)
    billed = len(server.billed())
    second = page("labels", source=SOURCE)
    assert len(server.billed()) == billed
    button(second, "Refresh").click().run()
    asked = len([s for s in server.statements if s.engine != "dry run"])
    assert asked > billed, "asked again"
    assert second.title[0].value == first.title[0].value


@pytest.mark.parametrize(
    ("fault", "options", "words"),
    [
        ("429", {"where": "POST"}, "Exceeded rate limits"),
        pytest.param("500", {"where": "POST"}, "internal error", marks=pytest.mark.whole),
        pytest.param("503", {"where": "POST"}, "retry the request", marks=pytest.mark.whole),
        ("401", {}, "credentials"),
        ("dropped", {}, "cannot be reached at http://127.0.0.1"),
        ("slow", {"where": "POST", "seconds": 3}, "did not answer within 1 s"),
        ("stuck", {}, "did not answer within 1 s"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_a_sentence_and_tried_again(
    server, page, monkeypatch, fault, options, words
):
    page("labels")  # what takes a while at first is loaded
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "1")
    server.misbehave(fault, **options)
    app = page("labels", source=SOURCE)
    assert len(app.error) == 1 and words in as_read(app.error[0].value), app.error[0].value
    assert "\n" not in app.error[0].value
    assert app.title[0].value
    server.behave()
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "30")
    button(app, "Try again").click().run()
    assert not app.error
    assert app.title[0].value.startswith("Uncertain outnumbers positive")
    questions = [statement.labels["question"] for statement in server.billed()]
    assert len(questions) == len(set(questions)), "no answer was billed twice"


def test_an_answer_that_was_had_is_not_asked_again_when_the_next_one_failed(server, page, monkeypatch):
    page("labels", source=SOURCE)
    before = len(server.billed())
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "2")
    server.misbehave("503", "POST")
    app = page("labels", source=SOURCE, **{"labels-tab": "Labels that occur together"})
    assert app.title[0].value.startswith("Uncertain outnumbers positive"), "the rest of the page stands"
    assert len(app.error) == 1
    server.behave()
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "30")
    button(app, "Try again").click().run()
    assert not app.error
    assert [statement.labels["question"] for statement in server.billed()[before:]] == ["cooccurrence"]


def test_a_query_over_the_limit_is_refused_before_it_runs(server, page, tmp_path):
    file = tmp_path / "cxr.toml"
    file.write_text(file.read_text() + "maximum_bytes_billed = 1000\n")
    app = page("labels", source=SOURCE)
    assert "maximum_bytes_billed = 1,000 bytes" in app.error[0].value
    assert server.billed() == []


@pytest.mark.parametrize(
    "name",
    ["a.b.c; DROP TABLE x", "data-project.cxr.la`bels", "data-project.cxr.lab\\\\els", "../../labels", "x" * 2000],
)
@pytest.mark.parametrize("key", ["labels", "predictions", "project"])
def test_hostile_names_in_the_configuration_are_refused_on_the_page(server, page, tmp_path, name, key):
    asked = len(server.requests)
    value = f'["{name}"]' if key == "labels" else f'"{name}{"{model}" if key == "predictions" else ""}"'
    (tmp_path / "cxr.toml").write_text(f'[sources.odd]\nkind = "bigquery"\n{key} = {value}\n')
    app = page("labels", source="odd")
    assert len(app.error) == 1 and "Received:" in app.error[0].value
    assert len(app.error[0].value) < 900
    shown = page("sources")
    assert any("Received:" in warning.value for warning in shown.warning)
    assert len(server.requests) == asked


def test_no_permission_and_a_missing_table_are_told_apart(server, page):
    server.deny(f"{DATASET}.labels_valid")
    denied = page("labels", source=SOURCE).error[0].value
    assert "labels_valid" in denied and "BigQuery Data Viewer" in denied
    del server.tables[f"{DATASET}.labels_valid"]
    missing = page("labels", source=SOURCE).error[0].value
    assert "labels_valid" in missing and "BigQuery Data Viewer" not in missing
