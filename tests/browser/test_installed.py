"""The wheel in an empty environment and an empty folder: what people get who install the package."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from served_dashboard import Dashboard

from cxr_core import __version__

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
BUILT_FROM = ("cxr_core", "dashboard", "pyproject.toml", "README.md", "LICENSE", "LICENSES-OF-DEPENDENCIES.md")


def run(*command, folder=None):
    """Run a command that knows neither this project's folder nor the caller's home."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HOME": str(folder)} if folder else {}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that the build leaves nothing in the project's folder."""
    copy, built = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        part = ROOT / name
        if part.is_dir():
            shutil.copytree(part, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(part, copy)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(built), str(copy))
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel in it; what it depends on is lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    packages = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")  # its own .pth files are not followed
    return folder


@pytest.fixture
def dashboard(offline, installed, tmp_path, monkeypatch):
    """`cxr-lab` of the package, in an empty folder that is the user's home too."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("HOME", str(folder))
    served = Dashboard(folder, command=(str(installed / "bin" / "cxr-lab"),))
    yield served
    served.kill()


def test_the_package_brings_its_models_and_its_theme(installed):
    code = "import cxr_core, dashboard; print(cxr_core.__path__[0], dashboard.__path__[0], sep='\\n')"
    engine, browser = (Path(path) for path in run(str(installed / "bin" / "python"), "-c", code).split())
    assert engine.is_relative_to(installed) and browser.is_relative_to(installed)
    shipped, ours = engine / "sources" / "shipped", ROOT / "cxr_core" / "sources" / "shipped"
    kept = [path for path in ours.rglob("*") if path.is_file()]
    assert len([path for path in kept if path.suffix == ".h5"]) == 8
    assert all((shipped / path.relative_to(ours)).read_bytes() == path.read_bytes() for path in kept)
    theme = (browser / ".streamlit" / "config.toml").read_text()
    assert theme == (ROOT / ".streamlit" / "config.toml").read_text()


@pytest.mark.parametrize("command", ["cxr", "cxr-lab"])
def test_both_commands_say_their_version(installed, tmp_path, command):
    assert run(str(installed / "bin" / command), "--version", folder=tmp_path) == f"CXR Lab {__version__}\n"


def test_the_command_line_calls_itself_as_it_was_called(installed, tmp_path):
    assert "usage: cxr COMMAND" in run(str(installed / "bin" / "cxr"), folder=tmp_path)


def test_the_dashboard_of_the_package_has_its_demo_and_theme_and_asks_nobody_else(page, dashboard, own_demo):
    dashboard.start()
    page.emulate_media(color_scheme="light")
    page.goto(dashboard.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Uncertain outnumbers positive in 4 of 14 labels")
    expect(page.get_by_text("Synthetic demo data")).to_be_visible()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_have_css("background-color", "rgb(243, 245, 247)")
    expect(page.get_by_role("heading", level=1)).to_have_css("font-size", "28px")
    page.goto(f"{dashboard.url}/evaluate")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    hosts = {urlsplit(address).hostname for address in page.asked if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def test_without_a_demo_the_page_says_how_to_get_it(page, dashboard, workspace):
    dashboard.start()
    page.goto(dashboard.url)
    expect(page.get_by_role("button", name="Build the demo")).to_be_visible()
    assert list(dashboard.folder.iterdir()) == [dashboard.folder / "dashboard.log"], "nothing is written unasked"
