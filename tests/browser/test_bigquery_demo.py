"""`make run-bigquery-demo` in a real Chromium: a BigQuery that fails, is tried again, and is billed once."""

import pytest
from bigquery_server.demo import SOURCE, configuration, serve_demo
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_bigquery_that_fails_can_be_tried_again_and_is_billed_once(page, dashboard, demo, tmp_path, monkeypatch):
    folder = demo / "sources" / "demo"
    with serve_demo(folder) as server:
        (tmp_path / "cxr.toml").write_text(configuration(server.endpoint, folder))
        monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "8")
        server.misbehave("503", "POST")
        dashboard.start()
        page.goto(f"{dashboard.url}/?source={SOURCE}")
        failed = page.get_by_role("heading", name="The tables could not be asked")
        expect(failed).to_be_visible(timeout=120_000)
        expect(page.get_by_role("alert")).to_contain_text("BigQuery")
        server.behave()
        page.get_by_role("button", name="Try again").click()
        answered = page.get_by_role("heading", name="Uncertain outnumbers positive in 4 of 14 labels")
        expect(answered).to_be_visible(timeout=120_000)
        expect(failed).to_have_count(0)
        expect(page.get_by_text("billed for 2 queries")).to_be_visible()
        billed = [statement.labels["question"] for statement in server.billed()]
        assert sorted(billed) == ["counts", "distribution"]
        page.reload()
        expect(page.get_by_text("billed for 2 queries")).to_be_visible()
        assert len(server.billed()) == 2, "opening the page again costs nothing"
