"""From a number to its films, and by reading them to what labels mean: by keyboard alone, the server killed meanwhile."""

import re

import pandas as pd
import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest
from small_demo import give_weights

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

#: What is pressed: 1 absent, 3 present; a 2 would be no verdict, and count for no share.
PRESSED = "3113113131"


MODEL = "densenet_frontal_u1_0__w1_0"


@pytest.fixture
def demo(own_small_demo):
    """A small demo that has the weights of one model."""
    give_weights(MODEL)
    return own_small_demo / "sources" / "demo"


def test_from_false_positives_to_what_labels_mean_a_killed_server_loses_no_verdict(page, dashboard, demo):
    """Evaluate, its false positives, the wall, a film, ten verdicts with a SIGKILL between them, and Labels; no mouse."""
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate?model={MODEL}&label=fracture&point-by=youden")
    link = page.get_by_role("row", name="Finding absent").get_by_role("link").first
    number = int(link.inner_text())
    assert number > 10
    at_rest(page)
    link.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"False positives for fracture: {number}")
    look_at_a_film(page)
    begin_by_keyboard(page, "ann")
    for place, key in enumerate(PRESSED[:5], start=1):
        read_film(page, key, place)
    dashboard.kill()
    dashboard.start()
    page.goto(page.url)
    says(page, 5)
    for place, key in enumerate(PRESSED[5:], start=6):
        read_film(page, key, place)
    page.keyboard.press("z")
    says(page, 9)
    read_film(page, PRESSED[9], 10)
    table = pd.read_parquet(demo / "readings" / "own-readings.parquet")
    assert sorted(table["fracture"]) == sorted(int(key) for key in PRESSED)
    labels = page.get_by_role("button", name="What they mean")
    at_rest(page)
    tab_to(page, labels)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("labels-tab="))
    row = page.get_by_role("row", name=re.compile("^Fracture .*read")).first
    expect(row).to_be_visible()
    assert sum(map(int, re.findall(r"of (\d+) read", row.inner_text()))) == 10
    assert sum(map(int, re.findall(r"(\d+) of \d+ read", row.inner_text()))) == PRESSED.count("3")
    assert sum(map(int, re.findall(r"(\d+) set aside", row.inner_text()))) == 10, "they were picked by a score"


def look_at_a_film(page):
    """Open the first film of the wall, and see what everybody says of it and where the model looks."""
    first = page.get_by_role("link", name="Open 1", exact=True)
    expect(first).to_be_visible()
    at_rest(page)
    first.press("Enter")
    expect(page.get_by_role("heading", name="The film")).to_be_visible()
    expect(page.get_by_role("row", name="Fracture").first).to_be_visible()
    looks = page.get_by_role("switch", name="Where the model looks")
    expect(looks).to_be_visible()
    at_rest(page)
    looks.press("Space")
    expect(page.get_by_role("img", name="The film with the map of fracture")).to_be_visible(timeout=150_000)


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
