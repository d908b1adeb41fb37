"""Are the pages usable at the size of MIMIC-CXR: how long Compare takes of four models, in how much memory, how long a
reader waits for another label, and how soon the processor is free once a tab is closed or a question is cancelled?

    python benchmarks/real_size_pages.py [--folder workspace/real-size-pages] [--only choices] [--rounds 3] [--keep]

A dashboard of its own serves a look-alike with eight models to one Chromium. Compare of the first four is held against
the plain script of `real_size.py` for the same four, which computes no interval, by the clock, in turn; the best round
of either counts. Memory is the most that the server's process held while one session paged through Labels, eight
labels of each of four models on Evaluate, and Compare of all eight models. Label and slider are held against the
one-chart app of `page_latency.py`: the 95th percentile of 25 rounds of either.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from look_alike import NAME, make
from measured import keep
from page_latency import FLAGS, HERE, measure, serving
from playwright.sync_api import Browser, Page, sync_playwright
from real_size import PLAIN

from cxr_core.schema import LABELS

MODELS = [f"model{number + 1}" for number in range(8)]
#: The most that Compare of four may take, as a share of the plain script's time, and its first figures.
MOST_TIMES, MOST_FIRST = 1.0, 0.25
#: The most that another label and another place of the slider may take, as a share of the one-chart app's time.
MOST_CHOICE, CHOICES = 1.5, 25
MOST_MEMORY, MOST_SECONDS_CLOSED, MOST_SECONDS_CANCELLED = 1_500_000_000, 5, 2
#: By what is kept of each page, its name in `page_latency.measure`.
PAGES = {"one_chart": "one chart", "evaluate": "evaluate"}
AT_REST = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-stale=true]') && document.querySelector('[role=tab]')"""
FIRST = """() => [...document.querySelectorAll('table td, .js-plotly-plot .gtitle, [data-testid=stMetricValue]')]
  .some((place) => /[01]?\\.\\d/.test(place.textContent))"""


def plain_seconds(home: Path, models: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", PLAIN, str(home / "sources" / NAME), *models], check=True, capture_output=True
    )
    return time.perf_counter() - start


@contextmanager
def dashboard(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve the workspace; yield the address and the server's process."""
    with serving([sys.executable, "-m", "dashboard"], os.environ | {"CXR_HOME": str(home)}) as url:
        yield url, psutil.Process().children()[-1]


@contextmanager
def most_memory(process: psutil.Process) -> Iterator[list[int]]:
    """Watch how much a process holds; the last number is the most."""
    found, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            found[-1] = max(found[-1], process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def compared(browser: Browser, home: Path, models: list[str]) -> dict[str, float]:
    """Open Compare of some models on a server that was asked nothing yet."""
    with dashboard(home) as (url, process), most_memory(process) as memory:
        page = browser.new_page()
        start = time.perf_counter()
        chosen = "&".join(f"models-none={model}" for model in models)
        page.goto(f"{url}/compare?source={NAME}&on=train&{chosen}", timeout=600_000)
        page.wait_for_function(FIRST, timeout=600_000)
        first = time.perf_counter() - start
        page.wait_for_function(AT_REST, timeout=600_000)
        return {"first": first, "all": time.perf_counter() - start, "memory": memory[-1]}


def paged(browser: Browser, home: Path) -> int:
    """Return the most memory that the server takes while one session looks at everything of eight models."""
    with dashboard(home) as (url, process), most_memory(process) as memory:
        page = browser.new_page()
        addresses = [f"labels?source={NAME}"]
        for model in MODELS[:4]:
            for label in LABELS[:8]:
                addresses.append(f"evaluate?source={NAME}&model={model}&dataset=train&label={label}")
        addresses.append(f"compare?source={NAME}&on=train&" + "&".join(f"models-none={model}" for model in MODELS))
        for address in addresses:
            page.goto(f"{url}/{address}", timeout=600_000)
            page.wait_for_function(AT_REST, timeout=600_000)
        page.close()
        return memory[-1]


def choices(browser: Browser, home: Path) -> dict[str, Any]:
    """Return how long another label and another place of the slider take, beside the one-chart app."""
    one_chart = [sys.executable, "-m", "streamlit", "run", str(HERE / "one_chart_app.py")]
    with serving(one_chart, dict(os.environ)) as one, dashboard(home) as (url, _):
        evaluate = f"{url}/evaluate?source={NAME}&model=model1&dataset=train&label=no_finding&sensitivity=0.6"
        waits = measure({"one chart": (one, 1), "evaluate": (evaluate, 2)}, browser, CHOICES)
    found: dict[str, Any] = {}
    for what in ("label", "slider"):
        one_ms, ours = (round(statistics.quantiles(waits[page, what], n=20)[-1]) for page in PAGES.values())
        each = {name: [round(wait) for wait in waits[page, what]] for name, page in PAGES.items()}
        ratio = round(ours / one_ms, 3)
        found[what] = {"one_chart_p95_ms": one_ms, "evaluate_p95_ms": ours, "ratio": ratio, "rounds": each}
    return found


def ended(browser: Browser, home: Path, end: Callable[[Page], object]) -> float | None:
    """Return the seconds until the processor is free after `end` of an evaluation that is computed; None: too quick."""
    with dashboard(home) as (url, process):
        page = browser.new_page()
        page.goto(f"{url}/evaluate?source={NAME}&model=model1&dataset=train", timeout=600_000)
        cancel = page.get_by_role("button", name="Cancel")
        page.wait_for_function(
            f"({AT_REST})() || [...document.querySelectorAll('button')].some((one) => one.textContent === 'Cancel')",
            timeout=600_000,
        )
        if not cancel.count():
            return None
        end(page)
        start = time.perf_counter()
        while process.cpu_percent(0.25) > 15:
            pass
        return time.perf_counter() - start - 0.25


def compared_of_four(browser: Browser, home: Path, rounds: int) -> dict[str, Any]:
    """Return how long Compare of four takes beside the plain script, in turn; the best round of either counts."""
    plain: list[float] = []
    four: list[dict[str, float]] = []
    for _ in range(rounds):
        plain.append(plain_seconds(home, MODELS[:4]))
        four.append(compared(browser, home, MODELS[:4]))
    ratios = {
        name: min(one[what] for one in four) / min(plain) for name, what in (("ratio", "all"), ("first_ratio", "first"))
    }
    holds = {"compare": ratios["ratio"] <= MOST_TIMES, "first": ratios["first_ratio"] <= MOST_FIRST}
    return {"plain_seconds": plain, "compare_of_four": four} | ratios | {"holds": holds}


def remembered(browser: Browser, home: Path, _: int) -> dict[str, Any]:
    """Return the most memory of a server with eight models."""
    of_eight, of_session = compared(browser, home, MODELS), paged(browser, home)
    holds = max(of_eight["memory"], of_session) < MOST_MEMORY
    return {"compare_of_eight": of_eight, "memory_of_a_session": of_session, "holds": holds}


def chosen_in_time(browser: Browser, home: Path, _: int) -> dict[str, Any]:
    """Return how long another label and another place of the slider take."""
    found = choices(browser, home)
    return found | {"holds": all(one["ratio"] <= MOST_CHOICE for one in found.values())}


def ended_in_time(browser: Browser, home: Path, _: int) -> dict[str, Any]:
    """Return how soon the processor is free after a tab is closed and after Cancel."""
    closed = ended(browser, home, lambda page: page.close())
    cancelled = ended(browser, home, lambda page: page.get_by_role("button", name="Cancel").click())
    holds = (closed or 0) <= MOST_SECONDS_CLOSED and (cancelled or 0) <= MOST_SECONDS_CANCELLED
    return {"seconds_after_closing": closed, "seconds_after_cancelling": cancelled, "holds": holds}


PARTS = {"compare": compared_of_four, "memory": remembered, "choices": chosen_in_time, "ending": ended_in_time}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("workspace/real-size-pages"))
    parser.add_argument("--images", type=int, default=377_110)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, help="measure this part alone; kept with --keep in a file of its own")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/real_size_pages.json")
    chosen = parser.parse_args()
    home = chosen.folder.resolve()
    if not (home / "sources" / NAME).exists():
        make(home, len(MODELS), chosen.images)
    result: dict[str, Any] = {"images": chosen.images, "load_before": os.getloadavg()[0]}
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name in [chosen.only] if chosen.only else PARTS:
            result[name] = PARTS[name](browser, home, chosen.rounds)
        browser.close()
    result["load_after"] = os.getloadavg()[0]
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    if chosen.keep:
        name = "real_size_pages" + (f"_{chosen.only}" if chosen.only else "")
        sys.stdout.write(f"kept in {keep(name, result)}\n")


if __name__ == "__main__":
    main()
