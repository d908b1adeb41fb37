"""A dashboard and a Chromium that sees it, both off every network but loopback where that is permitted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from kept_folders import code_of, kept_folder
from loopback import only_loopback
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served_dashboard import STILL, WARM, Dashboard

from cxr_core.training import probe as probe_module
from cxr_core.training.probe import probe

#: A machine that does other work too may need this long to draw a page.
expect.set_options(timeout=30_000)
#: The first is the same Chromium without a window around its pages, which would take a second of the processor a test.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def offline() -> Iterator[bool]:
    with only_loopback() as permitted:
        yield permitted


@pytest.fixture(scope="module")
def browser(offline: bool) -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "no Chromium on this machine: `make test` installs Debian's"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def known_machine(pytestconfig: pytest.Config) -> Path:
    """What this machine can train on, as a workspace keeps it."""
    home = kept_folder(pytestconfig, "machine", code_of(Path(probe_module.__file__)), probe)
    probe(home)  # the kept answer is for this start of the machine only
    return home / "accelerators.json"


@pytest.fixture
def dashboard(offline: bool, tmp_path: Path, known_machine: Path) -> Iterator[Dashboard]:
    served = Dashboard(tmp_path, WARM, machine=known_machine)
    yield served
    served.kill()


@pytest.fixture
def page(browser: Browser, dashboard: Dashboard) -> Iterator[Page]:
    """A page that keeps the addresses it asked for in `page.asked`."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, **STILL)
    page = context.new_page()
    page.set_default_timeout(40_000)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("websocket", lambda socket: page.asked.append(socket.url))
    yield page
    context.close()
