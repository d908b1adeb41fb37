"""How long the wall of 24 films takes, beside an empty Streamlit page with 24 static JPEGs, in one Chromium.

Rounds are interleaved: each opens both pages anew, in a new context of the browser. The clock starts with the
navigation and stops once 24 pictures are decoded in the document. What must hold is a ratio of medians of at most 1.5.
With `--home` a workspace that is there is measured as well, as one with the labels of the look-alike of MIMIC-CXR.

    python benchmarks/images_wall.py [--rounds 9] [--home FOLDER --path "images?source=NAME&…"]
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import keep
from page_latency import FLAGS, serving
from playwright.sync_api import Browser, sync_playwright

MOST, PICTURES = 1.5, 24
MODEL = "densenet_frontal_u0_0__w0_0"
WALL = f"images?model={MODEL}&label=edema&group=blank"
SHOWN = f"""() => [...document.querySelectorAll('[data-testid=stImage] img, [data-testid=stImageContainer] img')]
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--home", default="")
    parser.add_argument("--path", default="images")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = os.environ | {"CXR_HOME": f"{folder}/workspace", "STILL_WALL": folder}
        for command in (["-m", "cxr_core", "demo"], ["-c", STILLS, folder, MODEL]):
            subprocess.run([sys.executable, *command], env=environment, check=True, capture_output=True)
        still = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).parent / "still_wall_app.py")]
        ours = [sys.executable, "-m", "dashboard"]
        with serving(still, environment) as one, serving(ours, environment) as demo:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            waits = measure({"still": one, "wall": f"{demo}/{WALL}"}, browser, given.rounds)
            if given.home:
                with serving(ours, environment | {"CXR_HOME": given.home}) as large:
                    waits |= measure({"still_beside": one, "large": f"{large}/{given.path}"}, browser, given.rounds)
            browser.close()
    medians = {name: statistics.median(times) for name, times in waits.items()}
    ratios = {"demo": round(medians["wall"] / medians["still"], 2)}
    if given.home:
        ratios["large"] = round(medians["large"] / medians["still_beside"], 2)
    result = {"ratios": ratios, "ms": {name: round(time) for name, time in medians.items()}}
    print(result)
    print(keep("images_wall", {"rounds": given.rounds, "most": MOST} | result))
    sys.exit(0 if max(ratios.values()) <= MOST else 1)


def measure(places: dict[str, str], browser: Browser, rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each page in each round; the first two rounds warm up the servers."""
    waits: dict[str, list[float]] = {name: [] for name in places}
    for n in range(-2, rounds):
        for name, url in places.items():
            milliseconds = opened(browser, url)
            if n >= 0:
                waits[name].append(milliseconds)
    return waits


def opened(browser: Browser, url: str) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(url, timeout=120_000, wait_until="commit")
    page.wait_for_function(SHOWN, timeout=120_000, polling="raf")
    milliseconds: float = page.evaluate("performance.now()")
    context.close()
    return milliseconds


if __name__ == "__main__":
    main()
