"""A report of four models on a screen, on a phone and on A4 paper: nothing of it is cut off."""

import pytest

from cxr_core.tasks.compare import compare
from cxr_core.tasks.evaluate import label_curves
from cxr_core.tasks.grid import model_grid
from cxr_core.tasks.models import models
from dashboard.reports.document import report_html
from dashboard.reports.of_models import models_report

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: A4 without its margins of 14 mm, at 96 pixels an inch.
PAPER = round((210 - 2 * 14) / 25.4 * 96)
#: Cells of the grid that end beside the page, words of a cell that end beside the cell, and how far the page is too wide.
CUT_OFF = """() => {
  const box = (element) => element.getBoundingClientRect();
  const grid = document.querySelector('.models-by-labels');
  const beside = [...grid.querySelectorAll('th, td')].filter((cell) => box(cell).right > innerWidth + 1);
  const inside = [...document.querySelectorAll('td, th')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1);
  return {columns: grid.querySelectorAll('thead th').length, beside: beside.length,
    inside: inside.map((cell) => cell.innerText), page: document.documentElement.scrollWidth - innerWidth};
}"""
#: Cells whose words are squeezed into a column of a few letters.
SQUEEZED = """() => [...document.querySelectorAll('td, th')].filter((cell) => cell.innerText.length > 30
  && cell.getBoundingClientRect().height > 12 * parseFloat(getComputedStyle(cell).fontSize)).map((cell) => cell.innerText)"""


@pytest.fixture
def report(demo, tmp_path):
    four = [entry for entry in models("demo") if entry.view == "frontal"][:4]
    names = [entry.name for entry in four]
    policies = {entry.name: entry.policy_words() for entry in four}
    grids, curves = model_grid("demo", names), [label_curves("demo", name, "edema") for name in names]
    file = tmp_path / "report.html"
    file.write_bytes(
        report_html(models_report(grids, policies, True, curves, set(), compare("demo", *names[:2]), None))
    )
    return file


def test_four_models_are_whole_on_a_screen_on_paper_and_reached_on_a_phone(page, report):
    page.goto(report.as_uri())
    assert page.evaluate(CUT_OFF) == {"columns": 5, "beside": 0, "inside": [], "page": 0}
    assert page.evaluate(SQUEEZED) == []
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate(CUT_OFF) == {"columns": 5, "beside": 0, "inside": [], "page": 0}
    assert page.evaluate(SQUEEZED) == []
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(CUT_OFF)["page"] == 0
