"""A long question ends when nobody waits for it: on Cancel, and once its tab is closed."""

import time

import psutil
import pytest
from playwright.sync_api import expect
from served_dashboard import STILL, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def long_questions(demo, monkeypatch):
    """A dashboard in whose questions so much is resampled that they take far longer than anybody here waits."""
    monkeypatch.setenv("CXR_INTERVALS", "bootstrap")
    monkeypatch.setenv("CXR_RESAMPLES", "100000")


def computes(process):
    """How much of a core a process takes, over a second."""
    before = process.cpu_times()
    time.sleep(1)
    after = process.cpu_times()
    return after.user + after.system - before.user - before.system


def test_the_work_ends_on_cancel_and_with_its_tab(browser, long_questions, dashboard):
    dashboard.start()
    server = psutil.Process(dashboard.process.pid)
    address = f"{dashboard.url}/compare?source=demo&models-view=all"
    page = browser.new_page(**STILL)
    page.goto(address)
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    cancel.click()
    # Had it been computed to its end, the answer would stand here: it is looked for first.
    expect(page.get_by_text("This was cancelled.")).to_be_visible()
    wait_for(lambda: computes(server) < 0.3, 120, "the processor is free")
    page.get_by_role("button", name="Compute it").click()
    expect(cancel).to_be_visible()
    page.close()
    wait_for(lambda: computes(server) < 0.3, 120, "the processor is free")
    again = browser.new_page(**STILL)
    again.goto(address)
    expect(again.get_by_role("button", name="Cancel")).to_be_visible()
    again.close()
