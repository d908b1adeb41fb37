"""From a count to its images by keyboard, in the same session, and back."""

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_the_false_positives_of_evaluate_are_one_press_of_enter_away(page, dashboard, small_demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate?model=densenet_frontal_u0_0__w0_0&label=fracture")
    link = page.get_by_role("row", name="Finding absent").get_by_role("link").first
    number = link.inner_text()
    at_rest(page)
    page.evaluate("window.loadedOnce = true")
    link.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"False positives for fracture: {number}")
    assert page.evaluate("window.loadedOnce")
    at_rest(page)
    page.go_back()
    expect(heading).to_contain_text("Fracture: AUC")
