"""Ten films read by keyboard alone, the server killed between two of them: none is lost, and Labels counts ten."""

import re

import pandas as pd
import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: What is pressed, and what that says.
KEYS = {"1": "absent", "2": "unsure", "3": "present"}
PRESSED = "3113123131"
REACHED = "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText).trim()"


def test_ten_films_are_read_by_keyboard_and_a_killed_server_loses_none(page, dashboard, own_small_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/images?label=edema&group=blank")
    begin_by_keyboard(page, "ann")
    for number, key in enumerate(PRESSED[:5], start=1):
        read_film(page, key, number)
    dashboard.kill()
    dashboard.start()
    page.goto(page.url)
    expect(page.get_by_text("5 of", exact=False).first).to_be_visible()
    for number, key in enumerate(PRESSED[5:], start=6):
        read_film(page, key, number)
    page.keyboard.press("z")
    expect(progress(page)).to_have_text(re.compile("^9 of "))
    read_film(page, PRESSED[9], 10)
    table = pd.read_parquet(own_small_demo / "sources" / "demo" / "readings" / "own-readings.parquet")
    assert sorted(table["edema"]) == sorted(int(key) for key in PRESSED)
    page.goto(f"{dashboard.url}/?labels-tab=What they mean&readings=own-readings")
    certain = sum(key != "2" for key in PRESSED)
    expect(page.get_by_text(f"of {certain} read, of").first).to_be_visible()


def begin_by_keyboard(page, name):
    """From Look to the first film without a mouse."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)
    tab_to(page, "Look")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("textbox", name="Your name")).to_be_visible()
    at_rest(page)
    tab_to(page, "Your name")
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Present")).to_be_enabled()


def tab_to(page, name):
    for _ in range(60):
        page.keyboard.press("Tab")
        if name == page.evaluate(REACHED):
            return
    raise AssertionError(f"Tab does not come to {name}")


def progress(page):
    return page.get_by_test_id("stProgress")


def read_film(page, key, number):
    """Press a key and wait until the page says that so many films are read."""
    at_rest(page)
    page.keyboard.press(key)
    expect(progress(page)).to_have_text(re.compile(f"^{number} of "))
