"""The Sources page: for each source what is missing and how to fix it, each cause told apart."""

import json

import pytest
from as_read import as_read
from bigquery_server.demo import DATASET, SOURCE, configuration, serve_demo
from streamlit.testing.v1 import AppTest
from test_pages import texts

from cxr_core.runs import service
from cxr_core.sources.registry import DEMO, source_folder
from cxr_core.tasks.build_demo import start_demo


@pytest.fixture
def server(small_demo, tmp_path, monkeypatch):
    """The small demo as BigQuery tables, and a cxr.toml that leads to them."""
    with serve_demo(small_demo / "sources" / "demo") as running:
        (tmp_path / "cxr.toml").write_text(configuration(running.endpoint, small_demo / "sources" / "demo"))
        monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "30")
        yield running


def warnings(app):
    """What the page warns of, but for the small demo, which is not that of this version."""
    return [as_read(warning.value) for warning in app.warning if "another version of CXR Lab" not in warning.value]


def button(app, label):
    return next(button for button in app.button if button.label == label)


def test_a_bigquery_source_says_what_it_has_who_pays_and_whom_it_asks(server, page):
    app = page("sources", source=SOURCE)
    assert warnings(app) == []
    words = as_read(texts(app))
    for wanted in (f"{DATASET}.labels_train", "demo-billed-project", "10.0 GB billed by one query", server.endpoint):
        assert wanted in words
    assert "Data never leaves this machine by itself" in words
    before = len(server.billed())
    button(app, "Check again").click().run()
    assert len(server.billed()) == before, "looking costs nothing"


def test_without_permission_the_page_names_the_table_and_the_role(server, page):
    server.deny(f"{DATASET}.labels_valid")
    (problem,) = [text for text in warnings(page("sources")) if "labels_valid" in text]
    assert "You may not read the table" in problem and "BigQuery Data Viewer" in problem


def test_a_table_that_does_not_exist_is_named(server, page):
    del server.tables[f"{DATASET}.labels_valid"]
    (problem,) = [text for text in warnings(page("sources")) if "labels_valid" in text]
    assert "no such table" in problem and "Correct its name" in problem


def test_who_may_not_ask_on_the_bill_of_the_project_is_told(server, page):
    server.deny_project("demo-billed-project")
    assert any("BigQuery Job User" in text and "demo-billed-project" in text for text in warnings(page("sources")))


def test_check_again_finds_what_was_put_right(server, page):
    table = server.tables.pop(f"{DATASET}.labels_valid")
    app = page("sources")
    assert app.title[0].value == "1 of 2 sources is ready"
    server.add(f"{DATASET}.labels_valid", table.rows)
    button(app, "Check again").click().run()
    assert app.title[0].value == "2 of 2 sources are ready"


def test_without_credentials_the_page_says_how_to_sign_in(server, page, tmp_path, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    text = (tmp_path / "cxr.toml").read_text().replace(server.endpoint, "")
    (tmp_path / "cxr.toml").write_text(text)
    app = page("sources")
    assert any("needs Google credentials" in text and "gcloud auth" in text for text in warnings(app))
    assert server.requests == []


def test_expired_credentials_are_told_apart(server, page, tmp_path):
    server.tokens.required = True
    key = server.tokens.write_key(tmp_path / "key.json", server.endpoint)
    server.tokens.revoked = True
    file = tmp_path / "cxr.toml"
    file.write_text(file.read_text() + f'credentials = "{key}"\n')
    assert any("have expired or were revoked" in text and "key" in text for text in warnings(page("sources")))


def test_a_server_that_cannot_be_reached_is_told(server, page, monkeypatch):
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "0.5")
    server.stop()
    assert any("cannot be reached" in text for text in warnings(page("sources")))


def test_rebuilding_the_demo_asks_first_and_is_a_run(own_small_demo, page, monkeypatch):
    monkeypatch.setattr("dashboard.sources.listing.is_current", lambda folder: True)
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    app = page("sources")
    button(app, "Rebuild the demo").click().run()
    assert button(app, "Rebuild it")
    assert service.list_runs() == [], "asked, not started"

    opened = []
    monkeypatch.setattr("dashboard.shared.source.go_to", lambda page, **values: opened.append((page, values)))
    dialog = AppTest.from_string(
        "from dashboard.shared.source import confirm_rebuild\nconfirm_rebuild()", default_timeout=60
    ).run()
    button(dialog, "Rebuild it").click().run()
    (run,) = service.list_runs()
    assert opened == [("runs", {"run": run.run})]
    assert (run.kind, run.source, run.config) == ("demo", DEMO, {"anew": True})


def test_a_demo_that_is_current_is_built_anew_only_when_that_is_asked(small_demo, monkeypatch):
    submitted = []
    monkeypatch.setattr("cxr_core.tasks.build_demo.is_current", lambda folder: True)
    monkeypatch.setattr(service, "submit", lambda *given: submitted.append(given))
    monkeypatch.setattr(service, "list_runs", lambda: [])
    assert start_demo() is None
    start_demo(anew=True)
    assert submitted == [("demo", DEMO, DEMO, {"anew": True})]
    assert (source_folder(DEMO) / "source.toml").is_file()


def test_the_command_line_tells_the_same_problems(server, page, cxr):
    server.deny(f"{DATASET}.labels_valid")
    report = json.loads(cxr("sources", "--json").stdout)[1]
    assert report["problems"] == [text for text in warnings(page("sources")) if "demo-data-project" in text]
