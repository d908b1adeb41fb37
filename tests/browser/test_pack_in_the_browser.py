"""The pack of a paper as it leaves by the button on Evaluate: Chromium opens its page and each of its figures."""

import zipfile

import pytest
from playwright.sync_api import expect
from served_dashboard import at_rest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: What Chromium made of a picture: its root, whether it could not be read, how large it is, and how many shapes it has.
READ = """() => { const root = document.documentElement, box = root.getBoundingClientRect();
  return {root: root.tagName, broken: !!document.querySelector('parsererror'), wide: box.width > 100,
    high: box.height > 50, drawn: root.querySelectorAll('path, use').length > 10}; }"""


def test_the_pack_of_the_button_opens_in_chromium_with_all_its_figures(small_demo, dashboard, page, tmp_path):
    dashboard.start()
    page.goto(f"{dashboard.url}/evaluate")
    button = page.get_by_role("button", name="Download for a paper")
    expect(button).to_be_visible(timeout=60_000)
    at_rest(page)
    with page.expect_download(timeout=120_000) as started:
        button.click()
    with zipfile.ZipFile(started.value.path()) as archive:
        archive.extractall(tmp_path / "pack")
    (folder,) = (tmp_path / "pack").iterdir()
    figures = sorted(folder.glob("figures/*.svg"))
    assert {"auc.svg", "calibration.svg", "flow.svg", "roc.svg"} <= {figure.name for figure in figures}
    for figure in figures:
        assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
        page.goto(figure.as_uri())
        read = page.evaluate(READ)
        assert read == {"root": "svg", "broken": False, "wide": True, "high": True, "drawn": True}, figure.name
    page.goto((folder / "index.html").as_uri())
    pictures = page.locator("img")
    expect(pictures).to_have_count(len(figures))
    whole = pictures.evaluate_all("(all) => all.every((one) => one.complete && one.naturalWidth > 100)")
    assert whole and page.get_by_role("heading", level=1).count() == 1
