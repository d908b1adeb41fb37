"""Behind a proxy, in a real browser: each sees the sources that he may, and of the others nothing, whatever he opens."""

import shutil
from pathlib import Path

import pytest
from served_dashboard import STILL

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]


def shown(browser, dashboard, who, path):
    """All words of a page that the proxy asks for in a person's name, once it is drawn."""
    headers = {"X-User": who, "X-CXR-Person": '["ada@lab.example"]'}
    context = browser.new_context(extra_http_headers=headers, **STILL)
    page = context.new_page()
    page.goto(f"{dashboard.url}{path}")
    page.locator("[data-testid=stApp][data-test-script-state=notRunning] h1").first.wait_for(timeout=60_000)
    words = page.inner_text("body")
    context.close()
    return words


def test_a_person_sees_the_sources_that_he_may(browser, dashboard, own_small_demo, monkeypatch):
    shutil.copytree(own_small_demo / "sources" / "demo", own_small_demo / "sources" / "secret")
    config = Path("cxr.toml").absolute()
    config.write_text('[settings]\nproxy_user_header = "X-User"\n[who_may_see]\nsecret = ["ada@lab.example"]\n')
    monkeypatch.setenv("CXR_CONFIG", str(config))
    dashboard.health = "/healthz"  # asks nobody who he is
    dashboard.start()
    assert "secret" in shown(browser, dashboard, "ada@lab.example", "/sources")
    assert "secret" not in shown(browser, dashboard, "eve@lab.example", "/sources")
    assert "AUC" in shown(browser, dashboard, "ada@lab.example", "/evaluate?source=secret")
    told = shown(browser, dashboard, "eve@lab.example", "/evaluate?source=secret")
    assert "Unknown source 'secret'. Choose one of: demo." in told
    assert "AUC" not in told
