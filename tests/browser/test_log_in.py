"""People log in by a provider in a real browser, see what their role may, and log out; a copy of the cookie is no login."""

import json
import subprocess
import sys

import pytest
from kept_folders import copy_sources
from log_in_attempts import PEOPLE as LIARS
from log_in_attempts import Attempts
from playwright.sync_api import expect
from served_dashboard import WARM, Dashboard, answers, at_rest, free_port, wait_for

pytestmark = pytest.mark.browser

ADMIN, VIEWER, STRANGER = "root@lab.example", "ada@lab.example", "eve@elsewhere.example"
PEOPLE = {
    ADMIN: {"groups": ["cxr-admins"]},
    VIEWER: {"groups": ["students"]},
    STRANGER: {"groups": []},
}


@pytest.fixture(scope="module")
def provider(offline):
    """A provider in a process of its own, from the package index; its people log in by a click on their name."""
    port = free_port()
    people = [{"sub": name, "email": name, "email_verified": True} | said for name, said in (PEOPLE | LIARS).items()]
    users = [part for person in people for part in ("--user-claims", json.dumps(person))]
    options = ["--port", str(port), "--require-nonce", *users]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: answers(f"{url}/.well-known/openid-configuration"), 60, "the provider answers")
        yield url
        process.kill()


@pytest.fixture(scope="module")
def served(provider, built_small_demo, tmp_path_factory):
    # It says nothing else before somebody has logged in.
    dashboard = Dashboard(tmp_path_factory.mktemp("guarded"), WARM, health="/healthz")
    home = dashboard.folder / "workspace"
    copy_sources(built_small_demo, home)
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings_of(dashboard.url, provider, home).items():
            patched.setenv(f"CXR_{name}", value)
        dashboard.start()
    yield dashboard
    dashboard.kill()


def settings_of(url, provider, home):
    return {
        "HOME": str(home),
        "AUTH_PROVIDER": provider,
        "AUTH_CLIENT_ID": "cxr-lab",
        "AUTH_CLIENT_SECRET": "s3cret",
        "AUTH_ADDRESS": url,
        "AUTH_GROUPS_CLAIM": "groups",
        "AUTH_VIEWERS": "@lab.example",
        "ADMINS": "group:cxr-admins",
        "METRICS": "true",
    }


def log_in(page, name):
    page.get_by_role("link", name="Log in").click()
    page.get_by_role("button", name=name).click()


def test_people_log_in_do_what_their_role_may_and_log_out(page, served, provider, monkeypatch):
    page.goto(f"{served.url}/sources?source=demo")
    log_in(page, VIEWER)
    expect(page.get_by_text(f"{VIEWER} · viewer")).to_be_visible()
    assert page.url.startswith(f"{served.url}/sources"), "the page that was asked for"
    at_rest(page)
    page.get_by_role("button", name="Rebuild the demo").click()
    expect(page.get_by_text("Only an admin may")).to_be_visible()

    for name, value in settings_of(served.url, provider, served.folder / "workspace").items():
        monkeypatch.setenv(f"CXR_{name}", value)
    served.kill()
    served.start()
    page.goto(f"{served.url}/runs")
    expect(page.get_by_text(f"{VIEWER} · viewer")).to_be_visible()
    at_rest(page)
    other = page.context.new_page()
    other.goto(f"{served.url}/runs")
    at_rest(other)
    kept = page.context.cookies()

    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("link", name="Log in", exact=True)).to_be_visible()
    other.get_by_role("link", name="Labels").click()
    expect(other.get_by_role("link", name="Log in", exact=True)).to_be_visible()
    page.context.add_cookies(kept)
    page.goto(f"{served.url}/evaluate?source=demo")
    expect(page.get_by_role("link", name="Log in", exact=True)).to_be_visible()

    log_in(page, STRANGER)
    expect(page.get_by_text(f"{STRANGER} is not among those who may look here")).to_be_visible()
    page.get_by_role("link", name="Log in as somebody else").click()
    page.get_by_role("button", name="End session").click()
    log_in(page, ADMIN)
    expect(page.get_by_text(f"{ADMIN} · admin")).to_be_visible()


def test_no_attempt_to_get_past_the_login_comes_through(page, served):
    key = (served.folder / "workspace" / "login.key").read_text()
    answered = dict(Attempts(page, served.url, key).all())
    assert len(answered) >= 25
    assert {name: status for name, status in answered.items() if status not in {401, 403, "refused"}} == {}
    page.context.clear_cookies()
    page.goto(f"{served.url}/runs")
    log_in(page, VIEWER)
    expect(page.get_by_text(f"{VIEWER} · viewer")).to_be_visible()  # the door does open
