"""A click on a bar or a point opens the images that it counts; Back returns, and the next click works too."""

import re

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

from cxr_core.schema import LABELS
from cxr_core.tasks.evaluate import label_curves
from cxr_core.tasks.images import ImageQuery, image_group

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MODEL = "densenet_frontal_u0_0__w0_0"


def click(page, chart, mark):
    """Click in the middle of a mark of a chart, as the mouse does: what lies over it gets the click."""
    at_rest(page)
    place = page.get_by_test_id("stPlotlyChart").nth(chart).locator(mark)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)  # a chart knows what is under the mouse once it has moved there
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def expect_images(page, title, **parameters):
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    for name, value in parameters.items():
        expect(page).to_have_url(re.compile(rf"/images\?.*\b{name}={re.escape(value)}(&|$)"))


def test_bars_of_labels_and_points_of_evaluate_lead_to_their_images(page, dashboard, own_small_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/?datasets=Valid")
    row = LABELS.index("consolidation") + 1
    bar = f".barlayer .trace:nth-child({{}}) .point:nth-child({row}) path"
    expect(page.locator(bar.format(4)).first).to_be_visible()
    for number, (value, words) in enumerate({"blank": "Not mentioned", "positive": "Positive"}.items()):
        click(page, 0, bar.format(1 if value == "blank" else 4))
        total = image_group(ImageQuery("demo", "consolidation", value, view="frontal")).total
        expect_images(page, f"{words} for consolidation: {total}", group=value, label="consolidation", view="frontal")
        shown = page.url
        page.go_back()
        expect(page.locator(bar.format(4)).first).to_be_visible(timeout=60_000)
        assert number or "/images" in shown
    page.goto(f"{dashboard.url}/evaluate?model={MODEL}&label=consolidation&point-tab=Where the uncertain fall")
    line = page.get_by_test_id("stPlotlyChart").nth(2).locator(".scatterlayer .trace")
    expect(line.first).to_be_visible()
    names = list(label_curves("demo", MODEL, "consolidation", "valid").scores_by_value())
    uncertain = names.index("uncertain") + 1
    chart = page.get_by_test_id("stPlotlyChart").nth(2).locator(".js-plotly-plot")
    heights = chart.evaluate("(chart, place) => Array.from(chart._fullData[place].y)", uncertain - 1)
    highest = heights.index(max(heights))  # a bin without images leads nowhere
    click(page, 2, f".scatterlayer .trace:nth-child({uncertain}) .points path >> nth={highest}")
    total = image_group(ImageQuery("demo", "consolidation", "uncertain-highest", MODEL)).total
    expect_images(
        page, f"Uncertain, highest scores for consolidation: {total}", group="uncertain-highest", label="consolidation"
    )
    again = page.context.new_page()
    again.goto(page.url)
    expect_images(again, f"Uncertain, highest scores for consolidation: {total}")
