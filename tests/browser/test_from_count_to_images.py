"""From a count to its images, one of them large, and where the model looks in it: by keyboard, in one tab."""

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest
from small_demo import give_weights

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MODEL = "densenet_frontal_u0_0__w0_0"


@pytest.fixture
def demo(own_small_demo):
    """A small demo that has the weights of one model."""
    give_weights(MODEL)


def test_the_false_positives_of_evaluate_and_where_the_model_looks_are_some_keys_away(page, dashboard, demo):
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate?model={MODEL}&label=fracture")
    link = page.get_by_role("row", name="Finding absent").get_by_role("link").first
    number = link.inner_text()
    at_rest(page)
    link.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"False positives for fracture: {number}")
    at_rest(page)
    page.get_by_role("link", name="Open 1", exact=True).press("Enter")
    expect(page.get_by_role("img", name="The film")).to_be_visible()
    at_rest(page)
    page.get_by_role("switch", name="Where the model looks").press("Space")
    # A busy machine needs long to load TensorFlow in the process that computes the map.
    expect(page.get_by_role("img", name="The film with the map of fracture")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("speaks for fracture")).to_be_visible()
    assert "tensorflow" not in dashboard.mapped_files()
    expect(heading).to_have_text(f"False positives for fracture: {number}")
