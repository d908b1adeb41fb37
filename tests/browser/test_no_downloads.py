"""Where downloads are switched off, no table and no chart of a page offers its own either."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_table_and_a_chart_offer_a_download_only_where_downloads_are_on(
    page, dashboard, own_small_demo, monkeypatch, allowed
):
    monkeypatch.setenv("CXR_DOWNLOADS", str(allowed).lower())
    dashboard.start()
    page.goto(f"{dashboard.url}/compare?{urlencode({'compare-tab': 'Curves of one label'})}")
    table, chart = page.get_by_test_id("stDataFrame").first, page.locator(".js-plotly-plot").first
    expect(table).to_be_visible()
    expect(chart).to_be_visible()
    at_rest(page)
    for place, button, other in (
        (table, page.get_by_role("button", name="Download as CSV"), page.get_by_role("button", name="Fullscreen")),
        (chart, page.locator('.modebar-btn[data-title^="Download"]'), page.locator('.modebar-btn[data-title^="Zoom"]')),
    ):
        place.hover()
        expect(other.first).to_be_visible()
        expect(button.first).to_be_visible(visible=allowed)
