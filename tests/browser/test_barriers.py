"""Nothing on a page keeps out who reads by ear or has no mouse (axe-core, and Tab), and nothing fails unseen behind it."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from kept_folders import copy_sources
from playwright.sync_api import expect
from served_dashboard import STILL, WARM, Dashboard, wait_in_page

from cxr_core.runs import service
from cxr_core.runs.store import RunStore
from cxr_core.tasks.images import ImageQuery, images

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

READING = "images?mode=read&reader=ann&group=blank"
#: One film large, whose path follows (`open_page`).
FILM = "images?group=blank&image="
PAGES = ("", "train", "runs", "evaluate", "compare", "images", "images?mode=read&group=blank", READING, FILM, "sources")
WIDE, NARROW = 1440, 390
#: The themes, light first, and the colour of a page behind all that is on it.
THEMES = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}
BEHIND_ALL = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
BARRIERS = """async () => (await axe.run({resultTypes: ["violations"]})).violations.flatMap(
  ({id, impact, nodes}) => nodes.map(({html, failureSummary}) => `${impact}: ${id}: ${html.slice(0, 300)}: ${failureSummary}`))"""
#: Nothing is computed, drawn, faded or loaded for a while; the script that makes places reachable has looked.
AT_REST = """() => {
  const app = document.querySelector('[data-testid=stApp]'), now = performance.now();
  const busy = app?.dataset.testScriptState !== 'notRunning'
    || document.querySelector('[data-stale=true], [data-testid=stSkeleton]') || document.fonts.status !== 'loaded';
  if (busy || !window.lastBusy) window.lastBusy = now;
  return now - window.lastBusy > 450;
}"""
#: A grid of figures hands the focus on to the cell that it reads out, which has no place but that of the drawn grid.
STEP = """() => {
  let active = document.activeElement;
  while (active.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  const at = active.closest('canvas') || active, before = at.hasAttribute('data-reached');
  at.setAttribute('data-reached', '');
  const place = at.getBoundingClientRect();
  return {left: at === document.body, before, hidden: place.right <= 0,
          name: at.getAttribute('aria-label') || at.innerText, grid: at.tagName === 'CANVAS'};
}"""
#: Controls that can be seen and used and that Tab came past; of a group one is reached, and the arrow keys do the rest.
UNREACHED = """() => [document, ...[...document.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean)]
  .flatMap((root) => [...root.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [role=slider], [role=radio], [role=tab], [role=combobox]')])
  .filter((one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !one.disabled && !one.closest('[aria-hidden=true], [inert]') && !one.hasAttribute('data-reached')
    && !one.closest('[role=radiogroup], [role=tablist], [role=toolbar], [role=group], [data-testid=stNumberInput], [data-testid=stMultiSelect], [data-testid=stSelectbox]')
      ?.querySelector('[data-reached]'))
  .map((one) => one.outerHTML.slice(0, 300))"""
#: One main control of each page, by the name that is read out.
MAIN_CONTROLS = {
    "": "Table",
    "train": "Start training",
    "runs": "Predict",
    "evaluate": "Model",
    "compare": "Models",
    "images": "Model",
    "images?mode=read&group=blank": "Your name",
    READING: "Present",
    FILM: "Level",
    "sources": "Check again",
}


@dataclass
class Served(Dashboard):
    """A dashboard, and the path of one of its films."""

    film: str = ""


@pytest.fixture(scope="module")
def served(offline, built_small_demo, known_machine, tmp_path_factory):
    """One dashboard on the small demo, with training runs, for all tests."""
    home = tmp_path_factory.mktemp("served")
    copy_sources(built_small_demo, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXR_HOME", str(home))
        add_runs(home, patch)
        film = images(ImageQuery("demo", limit=1)).listed[0].path
        dashboard = Served(home, WARM, machine=known_machine, film=film)
        dashboard.start()
    yield dashboard
    dashboard.kill()


def add_runs(home, patch):
    """Leave what a training leaves: one that is through, one that failed before its first validation."""
    patch.setattr(service, "_launch", lambda store, run: run)
    store = RunStore(home)
    for name, status, steps in (("short", "failed", 50), ("long", "completed", 200)):
        config = {"options": {"epochs": 2}, "steps_per_epoch": 100}
        run = service.submit("train", name, "demo", config, "cpu", resumable=True)
        store.start(run.run)
        folder = store.run_folder(run.run)
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in metric_rows(steps)))
        (folder / "log.txt").write_text(("a line that is wider than a phone " * 10 + "\n") * 100)
        store.end(run.run, status, "It stopped." if status == "failed" else None, run.supervisor)


def metric_rows(steps):
    for step in range(1, steps + 1):
        at = {"step": step, "epoch": 1 + (step - 1) // 100, "time": 1e9 + step}
        yield at | {"loss": 1 / step, "images_per_second": 50.0}
        if step % 100 == 0:
            yield at | {"val_loss": 0.5, "val_loss_certain": 0.4, "val_auc": 0.6}


@contextmanager
def watched(browser, width=WIDE, **options):
    """A page, and all that it wrote to the console or asked for in vain."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, **STILL, **options)
    page, wrong = context.new_page(), []
    page.set_default_timeout(40_000)
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda response: response.status >= 400 and wrong.append(f"{response.status} {response.url}"))
    page.on("requestfailed", lambda request: wrong.append(f"{request.failure} {request.url}"))
    yield page, wrong
    context.close()


def open_page(page, served, name):
    page.goto(f"{served.url}/{name}{served.film if name == FILM else ''}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    at_rest(page)


def at_rest(page):
    page.evaluate("() => { window.lastBusy = 0 }")
    wait_in_page(page, AT_REST)


def barriers(page, where, *widths):
    """Look at a page in each width; return what axe-core finds, whatever it thinks of its weight."""
    found = []
    page.mouse.move(0, 0)  # on a help icon that moved under it after a click it would open a tip, or not, by chance
    for width in widths:
        page.set_viewport_size({"width": width, "height": 1000})
        at_rest(page)
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        found += [f"{where}, {width}: {barrier}" for barrier in page.evaluate(BARRIERS)]
    return found


def unfold(page):
    for place in page.locator("details").all():
        if place.get_attribute("open") is None:
            place.locator("summary").first.click()


def test_no_page_in_any_width_or_theme_has_a_barrier_an_error_or_a_failed_request(browser, served, pytestconfig):
    """Each page is opened in the light and then made dark; that it is opened in the dark as well is for `make prove`."""
    found = []
    with watched(browser) as (page, wrong):
        for opened_in in THEMES if pytestconfig.getoption("--whole") else ("light",):
            for name in PAGES:
                page.emulate_media(color_scheme=opened_in)
                open_page(page, served, name)
                unfold(page)
                found += barriers_in_both_themes(page, name or "labels", WIDE, NARROW)
                found += barriers_of_tabs(page, name or "labels")
        open_page(page, served, "runs")
        page.get_by_role("button", name="Delete run").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found += barriers_in_both_themes(page, "dialog", NARROW)
    assert (found, wrong) == ([], [])


def barriers_in_both_themes(page, where, *widths):
    """Look at a page in the light, and then in the dark."""
    found = []
    for theme, behind in THEMES.items():
        page.emulate_media(color_scheme=theme)
        wait_in_page(page, f"() => {BEHIND_ALL} === '{behind}'")
        found += barriers(page, f"{where}, {theme}", *widths)
    return found


def barriers_of_tabs(page, where):
    """Look behind the tabs of a page, where least has room: they differ in what they show, not in their colours."""
    found = []
    for tab in page.get_by_role("tab", selected=False).all():
        tab.click()
        found += barriers(page, f"{where}, {tab.inner_text()}", NARROW)
    return found


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_tab_reaches_every_control_shows_where_it_is_and_is_never_caught(browser, served, width):
    with watched(browser, width) as (page, _):
        for name, main_control in MAIN_CONTROLS.items():
            open_page(page, served, name)
            names = tab_through(page)
            assert any(main_control in reached for reached in names), (name, names)
            assert page.evaluate(UNREACHED) == [], name


def tab_through(page):
    """Press Tab until the focus leaves the page or is back where it began; return the names of what it came to."""
    names = []
    for _ in range(300):
        page.keyboard.press("Tab")
        at = page.evaluate(STEP)
        # a grid of figures takes Tab from cell to cell before it lets go
        if at["left"] or (at["before"] and not at["grid"]):
            return names
        assert not at["hidden"], f"the focus is on {at['name']}, which nobody sees"
        names.append(at["name"])
    raise AssertionError(f"the focus does not come out again: {names[-5:]}")


@pytest.mark.parametrize("name", ["evaluate", "compare"])
def test_no_report_has_a_barrier(browser, served, tmp_path, name):
    file = tmp_path / "report.html"
    with watched(browser) as (page, _):
        open_page(page, served, name)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download report").click()
        download.value.save_as(file)
    assert name != "compare" or "Is the difference real?" in file.read_text(), "though its tab was never opened"
    with watched(browser) as (page, wrong):
        page.goto(file.as_uri())
        page.evaluate("document.body.dataset.testid = 'stApp', document.body.dataset.testScriptState = 'notRunning'")
        assert (barriers(page, name, WIDE, NARROW), wrong) == ([], [])
