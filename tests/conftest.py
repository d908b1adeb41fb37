"""What every test may rely on: a workspace of its own, no settings from outside, and the demo source built once."""

import gc
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

# Before NumPy is there: several processes share the cores, and threads of BLAS that wait for one another burn them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from compiled_once import compile_in_turns
from files_left_out import is_left_out
from kept_folders import ROOT, code_of, copy_sources, kept_folder, used_fixtures
from longest_first import keep_our_order, share_longest_first
from small_demo import whole_small_demo

from cxr_core.cli import main

Command = Callable[..., subprocess.CompletedProcess[str]]

#: Fixtures that build a demo, start processes or servers, or simulate: `make quick` leaves out the tests that use them.
SLOW_FIXTURES = {
    *("built_demo", "built_small_demo", "cxr_process", "fake_kinds"),
    *("bucket", "bigquery_server", "server", "both", "served"),
    *("coverage", "false_marks"),
}

#: Fixtures that start a cluster of this machine: a test with them waits for seconds, and takes little of the processor.
CLUSTER_FIXTURES = {"slurm_cluster", "ray_head", "each_kind", "each_with_a_disk"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="all images, and the tests marked `whole`: `make prove`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return is_left_out(collection_path, config) or None


def pytest_configure(config: pytest.Config) -> None:
    """Look for no garbage while tests are collected: among a million new objects that all stay it takes a third of the time."""
    gc.disable()
    keep_our_order(config)
    compile_in_turns(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as slow what uses a slow fixture; other slow tests say it themselves. The longest files come first."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        if CLUSTER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.cluster)
        if item.get_closest_marker("whole") and not config.getoption("whole"):
            item.add_marker(pytest.mark.skip(reason="the same once more with other data: `make prove`"))
    share_longest_first(config, items)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that the settings point to; every CXR_… variable of the caller is gone."""
    for name in [name for name in os.environ if name.startswith("CXR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "workspace"
    monkeypatch.setenv("CXR_HOME", str(home))
    monkeypatch.setenv("CXR_NICENESS", "0")  # the work of runs would starve beside the other tests
    return home


@pytest.fixture
def cxr() -> Command:
    """Carry out `cxr …` in the current workspace, in this process: it has imported already what commands need."""
    return carried_out


@pytest.fixture
def cxr_process() -> Command:
    """Run `python -m cxr_core …` as a script would, in the current workspace: a second or two each time."""
    return run_cxr


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the demos before the first test that needs them: no test's time limit pays for that.

    What was imported stays: Streamlit looks through all of memory after each drawing of a page, and need not look there.
    """
    gc.freeze()
    gc.enable()
    if "built_demo" in used_fixtures(session):
        whole_demo(session.config)
    if "built_small_demo" in used_fixtures(session):
        whole_small_demo(session.config)


def pytest_unconfigure() -> None:
    gc.unfreeze()
    gc.enable()


def whole_demo(config: pytest.Config) -> Path:
    """Return a workspace with the whole demo source, as `cxr demo` makes it."""
    sources = ROOT / "cxr_core" / "sources"
    shipped = {path for path in (sources / "shipped").rglob("*") if path.is_file()}
    return kept_folder(config, "demo", code_of(sources / "demo.py") | shipped, build_whole_demo)


def build_whole_demo(home: Path) -> None:
    done = run_cxr("demo", "--json", home=home)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def built_demo(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the whole demo source; tests only read it."""
    home = tmp_path_factory.mktemp("demo") / "workspace"
    copy_sources(whole_demo(pytestconfig), home)
    return home


@pytest.fixture
def demo(built_demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The whole demo source as the current workspace, to be read."""
    monkeypatch.setenv("CXR_HOME", str(built_demo))
    return built_demo


@pytest.fixture
def own_demo(built_demo: Path, workspace: Path) -> Path:
    """A copy of the whole demo source as the current workspace, to be written to."""
    copy_sources(built_demo, workspace)
    return workspace


@pytest.fixture(scope="session")
def built_small_demo(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("small") / "workspace"
    copy_sources(whole_small_demo(pytestconfig), home)
    return home


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


def carried_out(*arguments: str) -> subprocess.CompletedProcess[str]:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = main(arguments)
    return subprocess.CompletedProcess(["cxr", *arguments], status, out.getvalue(), err.getvalue())


def run_cxr(*arguments: str, home: Path | None = None, timeout: float = 280) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"CXR_HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "cxr_core", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout, check=False)


@pytest.fixture
def bucket(cloud_storage: Any) -> str:
    """An empty bucket of a Cloud Storage on this machine, as the gs:// location that the settings lead to."""
    return "gs://cxr-test"


@pytest.fixture
def cloud_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Cloud Storage on this machine, to which the settings lead."""
    from cloud_storage import Emulator

    from cxr_core.cloud_storage import forget_listings

    emulator = Emulator("cxr-test")
    monkeypatch.setenv("CXR_GCS_ENDPOINT", emulator.endpoint)
    yield emulator
    forget_listings()
    emulator.stop()
