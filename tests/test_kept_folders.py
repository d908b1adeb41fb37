"""What the tests share is made once, before the first of them, and again when anything that made it has changed."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from kept_folders import ROOT, code_of, copy_sources, kept_folder

from cxr_core.sources.rebuilt_folder import only_builder


@pytest.fixture
def config(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    return SimpleNamespace(cache=SimpleNamespace(mkdir=lambda name: cache))


@pytest.fixture
def made():
    return []


@pytest.fixture
def keep(config, made):
    def keep(*made_by):
        def make(folder):
            made.append(folder)
            (folder / "table").write_text("as made")

        return kept_folder(config, "thing", made_by, make)

    return keep


def test_a_folder_is_made_once_and_kept(keep, made):
    first = keep(ROOT / "pyproject.toml")
    assert keep(ROOT / "pyproject.toml") == first
    assert (len(made), (first / "table").read_text()) == (1, "as made")


def test_other_code_makes_another_folder(keep, made):
    assert keep(ROOT / "pyproject.toml") != keep(ROOT / "README.md")
    assert len(made) == 2


def test_a_kept_file_that_a_test_wrote_into_is_made_again(keep, made):
    (keep() / "table").write_text("by a test")
    assert (keep() / "table").read_text() == "as made"
    assert len(made) == 2


def test_a_build_that_was_interrupted_is_made_again(keep, made):
    (keep().parent / "files.json").unlink()
    assert (keep() / "table").read_text() == "as made"
    assert len(made) == 2


def test_a_copy_that_is_locked_and_written_to_leaves_the_kept_folder_as_it_was_made(built_small_demo, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in built_small_demo.rglob("*") if path.is_file()}
    copy_sources(built_small_demo, tmp_path / "copy")
    with only_builder(tmp_path / "copy" / "sources" / "demo"):
        (tmp_path / "copy" / "sources" / "demo" / "labels_valid.parquet").write_bytes(b"by a test")
    assert {path: path.stat().st_mtime_ns for path in built_small_demo.rglob("*") if path.is_file()} == before


def test_the_code_of_the_demo_is_what_a_process_that_builds_it_loads():
    ask = (
        "import sys, cxr_core.sources.demo\n"
        "print(*[module.__file__ for name, module in sys.modules.items() if name.startswith('cxr_core.')], sep='\\n')"
    )
    loaded = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.splitlines()
    files = {str(file) for file in code_of(ROOT / "cxr_core" / "sources" / "demo.py")}
    assert {file for file in loaded if not file.endswith("__init__.py")} <= files


def test_the_time_limit_of_a_test_does_not_count_what_is_made_before_it(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import time, pytest\n"
        "from kept_folders import kept_folder, used_fixtures\n"
        "def pytest_collection_finish(session):\n"
        "    if 'slow' in used_fixtures(session):\n"
        "        kept_folder(session.config, 'slow', [], lambda folder: time.sleep(3))\n"
        "@pytest.fixture\n"
        "def slow(pytestconfig):\n"
        "    return kept_folder(pytestconfig, 'slow', [], lambda folder: time.sleep(3))\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it(slow):\n    assert slow.is_dir()\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--timeout", "2", "--rootdir", str(tmp_path)]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, cwd=ROOT / "tests", check=False)
    assert done.returncode == 0, done.stdout
