"""What a phone and a desk show: nothing hidden, nothing over something else, the first thing first."""

import json
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError, expect
from served_dashboard import wait_in_page

from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from dashboard.charts.model_grid import heat
from dashboard.charts.palette import DARK, LIGHT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 1000}
#: Pages that have options side by side or a chart with a legend: their address, and a text that the last part shows.
WITH_OPTIONS_OR_LEGENDS = {
    "": "Download CSV",
    "train": "Start training",
    "evaluate?point-tab=Where+the+uncertain+fall": "Where the images of each label value fall",
    "evaluate?point-by=Number&point-tab=Calibration": "Calibration of the probabilities",
    "compare?compare-tab=Curves+of+one+label": "Precision-recall",
    "compare?compare-tab=Is+the+difference+real%3F": "AUC difference",
    "compare?compare-tab=Build+an+ensemble": "The ensemble",
}
#: Options that lie outside the screen or the box that they are in.
HIDDEN_OPTIONS = """() => [...document.querySelectorAll('[data-testid=stButtonGroup] button')].filter((button) => {
  const place = button.getBoundingClientRect(), box = button.closest('[data-testid=stButtonGroup]');
  return place.width && (place.right > Math.min(innerWidth, box.getBoundingClientRect().right) + 1 || place.left < 0);
}).map((button) => button.innerText)"""
#: Legends over what they must leave readable, and titles that are cut off.
COVERED = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((chart) => {
  const box = (element) => element.getBoundingClientRect(), whole = box(chart), found = [];
  const words = [...chart.querySelectorAll('.xtick text, .ytick text, .xtitle, .ytitle, .gtitle')];
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  for (const text of chart.querySelectorAll('.legend .traces')) {
    for (const word of words) if (over(box(text), box(word))) found.push(`legend over ${word.textContent}`);
  }
  for (const title of chart.querySelectorAll('.gtitle')) {
    if (box(title).right > whole.right + 1 || box(title).top < whole.top) found.push(`cut off: ${title.textContent}`);
  }
  return found;
})"""
#: Pixels of the table that its box does not show.
WIDER_THAN_ITS_BOX = """() => {
  const box = document.querySelector('[data-testid=stDataFrame] .dvn-scroller');
  return box.scrollWidth - box.clientWidth;
}"""
#: The colours of a figure in a table of models and labels and of what is behind it.
WORDS_AND_CELL = """() => {
  const cell = document.querySelector('.models-by-labels td[style]');
  return [getComputedStyle(cell.querySelector('a') || cell).color, getComputedStyle(cell).backgroundColor];
}"""
#: The colours of the words on the main button and of the page behind it.
BUTTON_AND_PAGE = """() => ['[data-testid=stBaseButton-primary]', '[data-testid=stApp]'].map((one, place) =>
  getComputedStyle(document.querySelector(one))[['color', 'backgroundColor'][place]])"""


def open_page(page, dashboard, address, shown):
    page.goto(f"{dashboard.url}/{address}")
    expect(page.get_by_text(shown).filter(visible=True).first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def found(page, script):
    """What a script finds once the page has had the time to lay out its charts."""
    with suppress(TimeoutError):
        wait_in_page(page, f"!({script})().length", timeout=10_000)
    return page.evaluate(script)


def top(page, role, name):
    place = page.get_by_role(role, name=name).first
    expect(place).to_be_visible()
    return place.bounding_box()["y"]


def end_a_training(home, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    run = service.submit("train", "mine", "demo", {"options": {"epochs": 1}}, "cpu", resumable=True)
    store = RunStore(home)
    store.start(run.run)
    row = {"step": 1, "epoch": 1, "time": 1e9, "loss": 0.5, "images_per_second": 50.0}
    (store.run_folder(run.run) / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    store.end(run.run, "completed", None, run.supervisor)


def test_phone_and_desk_show_the_first_thing_first_and_nothing_hidden(page, dashboard, own_demo, monkeypatch):
    end_a_training(own_demo, monkeypatch)
    dashboard.start()

    open_page(page, dashboard, "runs", "Training: mine")
    assert top(page, "textbox", "Search") < top(page, "heading", "Training: mine")
    page.set_viewport_size(PHONE)
    assert top(page, "heading", "Training: mine") < top(page, "textbox", "Search")
    assert top(page, "combobox", "Run") < top(page, "heading", "Training: mine")

    for address, shown in WITH_OPTIONS_OR_LEGENDS.items():
        open_page(page, dashboard, address, shown)
        assert not found(page, HIDDEN_OPTIONS), address
        assert not found(page, COVERED), address

    open_page(page, dashboard, "evaluate", "Mean over")
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    for name in (
        "AP (95 % interval)",
        "Prevalence",
        "Positive",
        "n (certain)",
        "Uncertain",
        "Patients",
        "Intervals by",
    ):
        page.get_by_role("button", name=name, exact=True).click()
    wait_in_page(page, f"({WIDER_THAN_ITS_BOX})() <= 0")
    page.set_viewport_size(DESK)
    open_page(page, dashboard, "evaluate", "Mean over")
    page.get_by_test_id("stDataFrame").first.scroll_into_view_if_needed()
    wait_in_page(page, f"({WIDER_THAN_ITS_BOX})() <= 0")


def test_the_words_on_a_button_follow_the_appearance_while_the_page_is_open(page, dashboard, small_demo):
    dashboard.start()
    page.emulate_media(color_scheme="light")
    open_page(page, dashboard, "train", "Start training")
    dark, light = "rgb(18, 22, 28)", "rgb(255, 255, 255)"
    for scheme, words, behind in (("dark", dark, dark), ("light", light, light)):
        # The server would be asked for another drawing; it cannot answer while the page looks at itself.
        page.emulate_media(color_scheme=scheme)
        wait_in_page(page, f"({BUTTON_AND_PAGE})()[1] === '{behind}'")
        assert page.evaluate(BUTTON_AND_PAGE) == [words, behind]


def test_words_in_a_table_and_what_is_behind_them_follow_the_appearance_together(page, dashboard, small_demo):
    dashboard.start()
    page.emulate_media(color_scheme="light")
    open_page(page, dashboard, "compare", "Download for a paper")
    dashboard.kill()  # it would draw the page anew
    for scheme, words, colors in (("dark", "rgb(228, 233, 239)", DARK), ("light", "rgb(20, 26, 33)", LIGHT)):
        page.emulate_media(color_scheme=scheme)
        wait_in_page(page, f"({WORDS_AND_CELL})()[0] === '{words}'")
        assert page.evaluate(WORDS_AND_CELL)[1] in {rgb(heat(step / 1000, 0.5, colors)) for step in range(1001)}


def rgb(color):
    return f"rgb({', '.join(str(int(color[place : place + 2], 16)) for place in (1, 3, 5))})"
