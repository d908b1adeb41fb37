"""How long the wall of 24 films takes, beside an empty Streamlit page with 24 static JPEGs, in one Chromium.

Rounds are interleaved: each opens all pages anew, in a new context of the browser, and a wall once more by its own
reload. The clock starts with the navigation and stops once 24 pictures are decoded in the document. What must hold is a
ratio of medians of at most 1.5: on the demo, and on a look-alike of MIMIC-CXR with records of the films that its first
page shows among some thousand. The first opening by a server that was asked nothing yet stands beside them.

    python benchmarks/images_wall.py [--rounds 15] [--images 377110] [--home FOLDER --path "images?source=NAME&…"]

It also counts how many of the 24 pictures a phone's screen has fetched before anybody scrolls.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from look_alike import NAME, make
from look_alike_films import make_films
from measured import keep
from page_latency import FLAGS, serving
from playwright.sync_api import Browser, Page, sync_playwright

MOST, PICTURES = 1.5, 24
MODEL = "densenet_frontal_u0_0__w0_0"
DEMO = f"images?model={MODEL}&label=edema&group=blank"
LARGE = f"images?source={NAME}&model=model1&label=edema&group=blank&dataset=train"
PHONE = {"width": 390, "height": 844}
SHOWN = f"""() => [...document.querySelectorAll('[data-testid=stImageContainer] img, .wall img')]
  .filter((image) => image.complete && image.naturalWidth).length >= {PICTURES}"""
STILLS = """
import sys
from pathlib import Path
from cxr_core.tasks.image_pictures import thumbnail
from cxr_core.tasks.images import ImageQuery, images
for number, image in enumerate(images(ImageQuery("demo", "edema", "blank", sys.argv[2], limit=24)).listed):
    (Path(sys.argv[1]) / f"{number:02}.jpg").write_bytes(thumbnail("demo", image.path, 160))
"""


def main() -> None:
    given = arguments()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, ExitStack() as servers:
        home, path = Path(given.home or f"{folder}/large"), given.path if given.home else LARGE
        if not given.home:
            make(home, 2, given.images)
            make_films(home)
        environment = os.environ | {"CXR_HOME": f"{folder}/workspace", "STILL_WALL": folder}
        for command in (["-m", "cxr_core", "demo"], ["-c", STILLS, folder, MODEL]):
            subprocess.run([sys.executable, *command], env=environment, check=True, capture_output=True)
        still = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).parent / "still_wall_app.py")]
        ours = [sys.executable, "-m", "dashboard"]
        places = {"still": servers.enter_context(serving(still, environment))}
        places["demo"] = f"{servers.enter_context(serving(ours, environment))}/{DEMO}"
        places["large"] = f"{servers.enter_context(serving(ours, environment | {'CXR_HOME': str(home)}))}/{path}"
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        first = {name: round(opened(browser, url)[0]) for name, url in places.items()}
        waits = measure(places, browser, given.rounds)
        fetched = {name: fetched_by_a_phone(browser, url) for name, url in places.items()}
        browser.close()
    result = compared(waits) | {"first_opening_ms": first, "fetched_on_a_phone": fetched}
    print(result)
    print(keep("images_wall", {"rounds": given.rounds, "most": MOST} | result))
    sys.exit(0 if max(result["ratios"].values()) <= MOST else 1)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--images", type=int, default=377_110, help="of the look-alike that is made")
    parser.add_argument("--home", default="", help="a workspace in the look-alike's place")
    parser.add_argument("--path", default="images")
    return parser.parse_args()


def measure(places: Mapping[str, str], browser: Browser, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Return the milliseconds of each page in each round, opened and reloaded; the first two warm up the servers."""
    waits: dict[str, list[tuple[float, float]]] = {name: [] for name in places}
    for n in range(-2, rounds):
        for name, url in places.items():
            milliseconds = opened(browser, url)
            if n >= 0:
                waits[name].append(milliseconds)
    return waits


def compared(waits: Mapping[str, list[tuple[float, float]]]) -> dict[str, Any]:
    """Return the medians, and the ratio of each wall to the page of still pictures."""
    opening, again = (
        {name: statistics.median(times[place] for times in each) for name, each in waits.items()} for place in (0, 1)
    )
    walls = [name for name in waits if name != "still"]
    return {
        "ratios": {name: round(opening[name] / opening["still"], 2) for name in walls},
        "reload_ratios": {name: round(again[name] / again["still"], 2) for name in walls},
        "ms": {name: round(time) for name, time in opening.items()},
        "reload_ms": {name: round(time) for name, time in again.items()},
    }


def opened(browser: Browser, url: str) -> tuple[float, float]:
    """Return the milliseconds until a page that is new to a browser shows its pictures, and once it is reloaded."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(url, timeout=120_000, wait_until="commit")
    first = shown(page)
    page.reload(timeout=120_000, wait_until="commit")
    again = shown(page)
    context.close()
    return first, again


def shown(page: Page) -> float:
    page.wait_for_function(SHOWN, timeout=120_000, polling="raf")
    milliseconds: float = page.evaluate("performance.now()")
    return milliseconds


def fetched_by_a_phone(browser: Browser, url: str) -> int:
    """Return how many pictures a page fetches on a phone's screen before anybody scrolls."""
    context = browser.new_context(viewport=PHONE)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url) if request.resource_type == "image" else None)
    page.goto(url, timeout=120_000)
    page.wait_for_timeout(3000)
    context.close()
    return len({one for one in asked if "/thumbnail?" in one or "/media/" in one})


if __name__ == "__main__":
    main()
