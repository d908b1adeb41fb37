"""A small demo source with prediction tables whose quality is known, and the pages run without a browser."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kept_folders import ROOT, code_of, copy_sources, kept_folder, used_fixtures
from streamlit.testing.v1 import AppTest

from cxr_core.schema import KEY_COLUMNS, LABELS
from cxr_core.sources.demo import build_demo
from cxr_core.training.probe import Accelerator
from cxr_core.warehouse.parquet import write_table

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
MODELS = ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0", "densenet_lateral_u0_0__w0_0"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the small demo before the first test that needs it: no test's time limit pays for that."""
    if "built_small_demo" in used_fixtures(session):
        whole_small_demo(session.config)


def whole_small_demo(config: pytest.Config) -> Path:
    made_by = code_of(ROOT / "cxr_core" / "sources" / "demo.py") | {Path(__file__)}
    return kept_folder(config, "small-demo", made_by, build_small_demo)


@pytest.fixture(scope="session")
def built_small_demo(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small") / "workspace"
    copy_sources(whole_small_demo(pytestconfig), home)
    return home


def build_small_demo(home: Path) -> None:
    folder = home / "sources" / "demo"
    build_demo(folder, lambda share, message: None, studies=(60, 40, 40))
    shutil.rmtree(folder / "predictions", ignore_errors=True)
    labels = pd.concat(pd.read_parquet(folder / f"labels_{name}.parquet") for name in ("valid", "test"))
    for number, model in enumerate(MODELS):
        rows = labels[labels["view"] == ("lateral" in model)]
        table = rows[list(KEY_COLUMNS)].assign(**logits(rows, number))
        write_table(folder / "predictions" / f"{model}_predictions.parquet", table, "logit")


def logits(rows: pd.DataFrame, number: int) -> dict[str, np.ndarray]:
    """Noise that rises with the label; the second model has more of it than the others."""
    random = np.random.default_rng(number)
    noise = 2.0 if number == 1 else 0.7
    return {label: (rows[label] == 3).to_numpy() * 1.5 + random.normal(0, noise, len(rows)) for label in LABELS}


@pytest.fixture
def small_demo(built_small_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small demo as the current workspace, to be read."""
    monkeypatch.setenv("CXR_HOME", str(built_small_demo))
    return built_small_demo


@pytest.fixture
def own_small_demo(built_small_demo: Path, workspace: Path) -> Path:
    """A copy of the small demo as the current workspace, to be written to."""
    copy_sources(built_small_demo, workspace)
    return workspace


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


@pytest.fixture
def page(machine: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Open a page as a browser does, with values in its URL; no page may leave an exception."""
    # AppTest leaves the entry point behind as the main module, which a spawned process would then run.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    opened: list[AppTest] = []

    def open_page(name: str = "labels", **query: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        opened.append(app if name == "labels" else app.switch_page(f"{name}/page.py").run())
        return opened[-1]

    yield open_page
    for app in opened:
        assert not app.exception, [one.message for one in app.exception]
