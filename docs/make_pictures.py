"""Make the pictures of the documentation anew: the demo in a dashboard of its own, seen by a Chromium.

python docs/make_pictures.py [NAME …]
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
MODEL = "densenet_frontal_u0_5__w0_25"
#: Picture -> the address that it shows, how high it is, and what must stand in it before it is taken.
PICTURES = {
    "labels": ("", 1100, ".js-plotly-plot .main-svg"),
    "evaluate": (f"evaluate?model={MODEL}&label=Edema", 1100, ".js-plotly-plot .main-svg"),
    "compare": ("compare?models-view=Frontal", 1100, "table"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
WIDTH, COLOURS = 1440, 128
#: What is still drawn when the first chart stands: the other charts, and tables on a canvas.
SETTLED_SECONDS = 5.0


@contextmanager
def served_demo(home: str) -> Iterator[str]:
    """Serve a demo that is built in `home`, and yield the dashboard's address."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    environment = os.environ | {"CXR_HOME": home, "CXR_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    subprocess.run([sys.executable, "-m", "cxr_core", "demo"], env=environment, check=True, capture_output=True)
    with subprocess.Popen([sys.executable, "-m", "dashboard"], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _await(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await(address: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def take(browser: Browser, url: str, name: str) -> Path:
    """Take one picture, with few colours so that it is small."""
    place, height, shown = PICTURES[name]
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
    page.goto(f"{url}/{place}")
    page.locator(shown).first.wait_for(timeout=120_000)
    page.wait_for_timeout(SETTLED_SECONDS * 1000)
    path = HERE / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def main(names: list[str]) -> None:
    """Take the pictures that are named, or all."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as home, served_demo(home) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name in names or list(PICTURES):
            sys.stdout.write(f"{take(browser, url, name)}\n")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
