"""The dashboard as a person starts it, in a process of its own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from warm_start import start_warm


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


#: A page at which nothing glimmers while it waits: what moves is painted sixty times a second, by the processor.
STILL = {"reduced_motion": "reduce"}
LOOK_MILLISECONDS = 50
#: What a page is when nothing is computed or faded.
AT_REST = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-stale=true]')"""


#: How a person starts the dashboard; and the same without the loading (`warm_start.py`).
COMMAND: tuple[str, ...] = (sys.executable, "-m", "dashboard")
WARM: tuple[str, ...] = ()


@dataclass
class Dashboard:
    """The dashboard in a process of its own, started by `command` in a directory that is not the project's.

    With the file `machine` its workspace says what can be trained on here, which it would start TensorFlow to learn.
    """

    folder: Path
    command: tuple[str, ...] = COMMAND
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | BaseProcess | None = None
    health: str = "/_stcore/health"
    machine: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = os.environ | {"CXR_PORT": str(self.port), "STREAMLIT_SERVER_HEADLESS": "true"}
        log, home = self.folder / "dashboard.log", Path(os.environ["CXR_HOME"])
        if self.machine is not None and home.is_dir():
            shutil.copy(self.machine, home)
        if self.command == WARM:
            self.process = start_warm(self.folder, log, environment)
        else:
            with log.open("ab") as said:
                self.process = subprocess.Popen(
                    self.command, cwd=self.folder, env=environment, stdout=said, stderr=said
                )
        wait_for(self.answers, 60, "the dashboard answers")

    def answers(self) -> bool:
        return answers(f"{self.url}{self.health}")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            wait = self.process.join if isinstance(self.process, BaseProcess) else self.process.wait
            wait(20)

    def mapped_files(self) -> str:
        return Path(f"/proc/{self.process.pid}/maps").read_text()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def wait_for(holds, seconds, what):
    """Wait until `holds()` returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError(f"after {seconds} s it does not hold that {what}")


def wait_in_page(page, script, **options):
    """Wait until a script says yes. It is asked at intervals: asked at each frame, the page is painted for the asking."""
    page.wait_for_function(script, polling=LOOK_MILLISECONDS, **options)


def at_rest(page):
    """Wait until nothing is computed or faded."""
    wait_in_page(page, AT_REST)


def type_in(box, text, parameter=""):
    """Type into an input and send it, as a person does who looks at it: what was lost to a redrawing is typed again.

    Where the address carries what is typed, its `parameter` tells that the server has it too.
    """
    arrived = re.compile(rf"[?&]{parameter}={re.escape(text)}\b")
    for attempt in range(3):
        at_rest(box.page)
        if attempt:
            box.fill("")  # the same text once more would be no change to send
        box.fill(text)
        box.press("Enter")
        at_rest(box.page)
        if box.input_value() == text and (not parameter or _has_come(box.page, arrived)):
            return
    shown = box.input_value()
    raise AssertionError(f"typed three times, {text!r} did not arrive: {shown!r} is shown at {box.page.url}")


def _has_come(page, address):
    try:
        page.wait_for_url(address, timeout=30_000)
    except PlaywrightTimeout:
        return False
    return True
