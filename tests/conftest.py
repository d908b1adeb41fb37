"""What every test may rely on: a workspace of its own, no settings from outside, and the demo source built once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that the settings point to; every CXR_… variable of the caller is gone."""
    for name in [name for name in os.environ if name.startswith("CXR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "workspace"
    monkeypatch.setenv("CXR_HOME", str(home))
    return home


@pytest.fixture
def cxr() -> Command:
    """Run `python -m cxr_core …` as a script would, in the current workspace."""
    return run_cxr


@pytest.fixture(scope="session")
def built_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the whole demo source; tests only read it."""
    home = tmp_path_factory.mktemp("demo") / "workspace"
    done = run_cxr("demo", "--json", home=home)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture
def demo(built_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole demo source as the current workspace, to be read."""
    monkeypatch.setenv("CXR_HOME", str(built_demo))
    return built_demo


@pytest.fixture
def own_demo(built_demo: Path, workspace: Path) -> Path:
    """A copy of the whole demo source as the current workspace, to be written to."""
    shutil.copytree(built_demo / "sources", workspace / "sources", copy_function=os.link)
    return workspace


def run_cxr(*arguments: str, home: Path | None = None, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"CXR_HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "cxr_core", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout, check=False)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of a Cloud Storage on this machine, as the gs:// location that the settings lead to."""
    from cloud_storage import Emulator

    from cxr_core.storage import forget_listings

    emulator = Emulator("cxr-test")
    monkeypatch.setenv("CXR_GCS_ENDPOINT", emulator.endpoint)
    yield "gs://cxr-test"
    forget_listings()
    emulator.stop()
