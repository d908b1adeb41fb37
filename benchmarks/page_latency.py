"""How long a reader waits on Evaluate, beside a one-chart Streamlit app, in one Chromium and interleaved rounds.

A round changes the label and moves the slider one step, on each of the two pages in turn. The clock starts with the
reader's event in the browser and stops when every chart of the page has been redrawn, its new title stands in the
document, and two frames have been painted since. Both are medians; what must hold is a ratio of at most 1.5.

    python benchmarks/page_latency.py [--rounds 25]
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measured import keep
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
MOST = 1.5
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
EVALUATE = "evaluate?model=densenet_frontal_u0_5__w0_25&label=No+finding&sensitivity=0.6"
#: What a chart shows, in short: its title, the path of its curve, and the place of its last mark.
CLOCK = """
window.shown = () => [...document.querySelectorAll('.js-plotly-plot')].map((plot) => {
  const paths = plot.querySelectorAll('.scatterlayer path'), last = paths[paths.length - 1];
  return [plot.querySelector('.gtitle')?.textContent, paths[1]?.getAttribute('d'), paths[0]?.getAttribute('d'),
          last?.getAttribute('transform')].join('|');
});
window.startAt = (event, charts, title) => {
  const before = window.shown(), said = document.querySelector('h1')?.textContent;
  window.waited = null;
  let start = null;
  document.addEventListener(event, () => { start = performance.now(); }, {capture: true, once: true});
  const look = () => {
    const now = window.shown();
    const drawn = now.length === charts && now.every((chart, n) => chart !== before[n]);
    const titled = !title || document.querySelector('h1')?.textContent !== said;
    if (start !== null && drawn && titled) {
      requestAnimationFrame(() => requestAnimationFrame(() => { window.waited = performance.now() - start; }));
    } else { requestAnimationFrame(look); }
  };
  requestAnimationFrame(look);
};
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = os.environ | {"CXR_HOME": f"{folder}/workspace"}
        subprocess.run([sys.executable, "-m", "cxr_core", "demo"], env=environment, check=True, capture_output=True)
        yardstick = [sys.executable, "-m", "streamlit", "run", str(HERE / "one_chart_app.py")]
        with serving(yardstick, environment) as one, serving([sys.executable, "-m", "dashboard"], environment) as ours:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            waits = measure({"one chart": (one, 1), "evaluate": (f"{ours}/{EVALUATE}", 2)}, browser, rounds)
            browser.close()
    result = {what: compared(waits, what) for what in ("label", "slider")}
    path = keep("page_latency", {"rounds": rounds, "most": MOST} | result)
    for what, figures in result.items():
        print(f"{what}: {figures}")
    print(path)
    sys.exit(0 if all(figures["ratio"] <= MOST for figures in result.values()) else 1)


def compared(waits: dict[tuple[str, str], list[float]], what: str) -> dict[str, Any]:
    """Return the medians of both pages in milliseconds, and their ratio."""
    one, ours = (statistics.median(waits[page, what]) for page in ("one chart", "evaluate"))
    return {"one_chart_ms": round(one), "evaluate_ms": round(ours), "ratio": round(ours / one, 2)}


def measure(places: dict[str, tuple[str, int]], browser: Browser, rounds: int) -> dict[tuple[str, str], list[float]]:
    pages = {name: opened(browser, url) for name, (url, _) in places.items()}
    waits: dict[tuple[str, str], list[float]] = {(name, what): [] for name in places for what in ("label", "slider")}
    # The first two rounds warm up both pages: the figures of the labels are asked for, scripts are compiled.
    for n in range(-2, rounds):
        for name, page in pages.items():
            page.bring_to_front()
            charts = places[name][1]
            label, slider = change_label(page, charts, n), move_slider(page, charts, n)
            if n >= 0:
                waits[name, "label"].append(label)
                waits[name, "slider"].append(slider)
    return waits


def opened(browser: Browser, url: str) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_init_script(CLOCK)
    page = context.new_page()
    page.goto(url, timeout=120_000)
    page.wait_for_selector(".js-plotly-plot .gtitle", timeout=120_000)
    page.wait_for_timeout(2000)
    return page


def change_label(page: Page, charts: int, n: int) -> float:
    page.get_by_role("combobox", name="Label").click()
    options = page.locator("[role=option]")
    options.first.wait_for()
    unchosen = page.locator('[role=option]:not([aria-selected="true"])')
    page.wait_for_timeout(300)
    page.evaluate(f"startAt('click', {charts}, true)")
    unchosen.nth(5 * (n + 2) % 8).click()
    return waited(page)


def move_slider(page: Page, charts: int, n: int) -> float:
    """Move by a tenth of the range, so that the point moves whatever the label."""
    slider = page.get_by_role("slider").first
    slider.focus()
    page.wait_for_timeout(300)
    page.evaluate(f"startAt('keydown', {charts}, false)")
    slider.press("PageUp" if n % 2 else "PageDown")
    return waited(page)


def waited(page: Page) -> float:
    page.wait_for_function("window.waited !== null", timeout=120_000)
    milliseconds: float = page.evaluate("window.waited")
    page.wait_for_timeout(400)
    return milliseconds


@contextmanager
def serving(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"CXR_PORT": str(port), "STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    settings |= {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment | settings, **quiet)
    try:
        wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(f"{url} does not answer")


if __name__ == "__main__":
    main()
