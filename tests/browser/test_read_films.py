"""Ten films read by keyboard alone, the server killed between two of them: none is lost, and Labels counts ten."""

import re

import pandas as pd
import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: What is pressed: 1 absent, 3 present; a 2 would be no verdict, and count for no share.
PRESSED = "3113113131"


def test_ten_films_are_read_by_keyboard_and_a_killed_server_loses_none(page, dashboard, own_small_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/images?label=edema&group=blank")
    begin_by_keyboard(page, "ann")
    for number, key in enumerate(PRESSED[:5], start=1):
        read_film(page, key, number)
    dashboard.kill()
    dashboard.start()
    page.goto(page.url)
    says(page, 5)
    for number, key in enumerate(PRESSED[5:], start=6):
        read_film(page, key, number)
    page.keyboard.press("z")
    says(page, 9)
    read_film(page, PRESSED[9], 10)
    table = pd.read_parquet(own_small_demo / "sources" / "demo" / "readings" / "own-readings.parquet")
    assert sorted(table["edema"]) == sorted(int(key) for key in PRESSED)
    page.goto(f"{dashboard.url}/?labels-tab=What they mean&readings=own-readings")
    present = PRESSED.count("3")
    expect(page.get_by_role("row", name=re.compile("^Edema")).first).to_contain_text(f"({present} of 10 read, of ")


def begin_by_keyboard(page, name):
    """From Look to the first film without a mouse."""
    look = page.get_by_role("radio", name="Look")
    expect(look).to_be_visible()
    at_rest(page)
    tab_to(page, look)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    box = page.get_by_role("textbox", name="Your name")
    expect(box).to_be_visible()
    at_rest(page)
    tab_to(page, box)
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def tab_to(page, place):
    """Press Tab until the focus is there."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if place.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"Tab does not come to {place}")


def read_film(page, key, number):
    """Press a key at a film that is not read, and wait until the page says that so many films are."""
    expect(page.get_by_role("button", name="Present")).to_be_enabled()
    expect(page.get_by_text("Not read yet.")).to_be_visible()
    at_rest(page)
    page.keyboard.press(key)
    says(page, number)


def says(page, number):
    expect(page.get_by_test_id("stProgress")).to_have_text(re.compile(f"^{number} of "))
