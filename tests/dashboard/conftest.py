"""The pages, run without a browser."""

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from cxr_core.training.probe import Accelerator

APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without GPU that has been asked already, so that no test starts TensorFlow."""
    found = [
        Accelerator("cpu", True, "", ("2 cores",)),
        Accelerator("gpu", False, "This machine has no NVIDIA GPU."),
        Accelerator("multi-gpu", False, "This machine has no NVIDIA GPU."),
        Accelerator("tpu", False, "No TPU is configured."),
    ]
    monkeypatch.setattr("dashboard.shared.accelerator_input.known_accelerators", lambda: found)


@pytest.fixture(scope="session", autouse=True)
def packages_are_searched_once() -> Iterator[None]:
    """AppTest would search all installed packages for components each time that it opens a page: half of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves what it ran behind as the main module, which processes that later tests spawn would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def page(machine: None) -> Iterator[Callable[..., AppTest]]:
    """Open a page as a browser does, with values in its URL; no page may leave an exception."""
    opened: list[AppTest] = []

    def open_page(name: str = "labels", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        # not by way of the start page, which `switch_page` would need to have run
        app._page_hash = "" if name == "labels" else calc_hash(name)
        opened.append(app.run())
        return app

    yield open_page
    for app in opened:
        assert not app.exception, [one.message for one in app.exception]
