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


def computing(server):
    """Return the processes in which a server's long questions are computed."""
    return [child for child in server.children() if "cxr_core.calculator.process" in child.cmdline()]


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


def test_beside_others_it_is_computed_elsewhere_one_after_the_other_and_ends_as_well(
    browser, long_questions, dashboard, monkeypatch
):
    monkeypatch.setenv("CXR_ELSEWHERE_FROM", "0")
    dashboard.start()
    server = psutil.Process(dashboard.process.pid)
    other, page = browser.new_page(**STILL), browser.new_page(**STILL)
    other.goto(f"{dashboard.url}/?source=demo")
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{dashboard.url}/compare?source=demo&models-view=all")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    (process,) = computing(server)
    other.goto(f"{dashboard.url}/compare?source=demo&models-view=frontal")
    expect(other.get_by_text("1 question before yours")).to_be_visible()
    assert computes(process) > 3 * computes(server)
    cancel.click()
    expect(page.get_by_text("This was cancelled.")).to_be_visible()
    # It is the other's turn now, until he leaves.
    expect(other.get_by_text("Labels: ", exact=False).first).to_be_visible()
    other.close()
    wait_for(lambda: sum(map(computes, [server, *computing(server)])) < 0.3, 120, "the processor is free")
    page.close()
