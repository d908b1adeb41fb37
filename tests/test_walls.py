"""The folder tree is the architecture: who may import whom, who may load TensorFlow, how long a file may be.

The rule is the table in docs/architecture.md: a room that is not there, or a line for a room that is gone, fails too.
"""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
GROUND_FLOOR = "the ground floor"
MOST_LINES, MOST_LINES_OF_A_SCRIPT = 250, 80


def rooms(which: str) -> dict[str, set[str]]:
    """What each room may know, by the table of docs/architecture.md."""
    table = re.search(rf"<!-- {which} rooms: begin -->\n(.*)<!-- {which} rooms: end -->", ARCHITECTURE, re.DOTALL)[1]
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    may = {row[0].strip("`"): row[2].strip("| ") if len(row) > 2 else "" for row in cells}
    return {
        name: {GROUND_FLOOR} if text == GROUND_FLOOR else set(re.findall(r"`(\w+)`", text))
        for name, text in may.items()
    }


ENGINE, DASHBOARD = rooms("engine"), rooms("dashboard")
GROUND = {name for name, known in ENGINE.items() if known == {GROUND_FLOOR}}
PAGES = {"labels", "train", "runs", "evaluate", "compare", "images", "sources"}
MODULES = sorted((ROOT / "cxr_core").rglob("*.py"))
BROWSER_MODULES = sorted((ROOT / "dashboard").rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[1]


@cache
def imported(path: Path) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def known_files(path: Path, modules: dict[str, Path]) -> set[str]:
    """The modules of ours whose files a file names, however deep in a function; a name of a module stands for it."""
    beginnings = {
        name: [".".join(name.split(".")[:end]) for end in range(name.count(".") + 1, 0, -1)] for name in imported(path)
    }
    found = {
        next((module for module in longest_first if module in modules), "") for longest_first in beginnings.values()
    }
    return found - {"", module_name(path), "cxr_core", "dashboard"}


def modules_loaded_by(names: list[str]) -> set[str]:
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(("package", "told"), [("cxr_core", ENGINE), ("dashboard", DASHBOARD)])
def test_the_rooms_of_the_architecture_are_those_of_the_tree(package, told):
    tree = {room(path) for path in (ROOT / package).rglob("*.py")} - {"__init__"}
    assert set(told) == tree


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_dependencies_point_one_way(path):
    known = {name.split(".")[1] for name in imported(path) if name.startswith("cxr_core.")} - {"__version__"}
    here = room(path)
    allowed = GROUND if here in GROUND or here == "__init__" else GROUND | ENGINE[here] | {here}
    assert known <= allowed, f"{module_name(path)} must not know {sorted(known - allowed)}"
    assert not {name for name in imported(path) if name.split(".")[0] == "dashboard"}, "the engine knows no face"


@pytest.mark.parametrize("path", BROWSER_MODULES, ids=module_name)
def test_no_page_knows_another_and_what_they_share_knows_none(path):
    known = {name.split(".")[1] for name in imported(path) if name.startswith("dashboard.")}
    here = room(path)
    allowed = set() if here == "__init__" else DASHBOARD[here] | {here}
    assert known <= allowed, f"{module_name(path)} must not know {sorted(known - allowed)}"
    assert not known & PAGES - {here}


def test_no_files_know_each_other_in_a_circle():
    modules = {module_name(path): path for path in [*MODULES, *BROWSER_MODULES]}
    graph = {name: known_files(path, modules) for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_file_is_too_long():
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in [*MODULES, *BROWSER_MODULES]}
    too_long = sorted(path for path, count in lines.items() if count > MOST_LINES)
    assert not too_long, f"split them, or make them shorter: {too_long}"


def test_no_two_classes_share_a_name():
    names = [
        node.name
        for path in [*MODULES, *BROWSER_MODULES]
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_arrays_of_floats_integers_and_booleans_are_spelled_in_one_way():
    spelled = re.compile(r"NDArray\[np\.(float64|int64|bool_)\]")
    found = [module_name(path) for path in [*MODULES, *BROWSER_MODULES] if spelled.search(path.read_text())]
    assert found == ["cxr_core.arrays"]


def test_every_test_file_has_a_name_of_its_own():
    """Pytest imports them by their bare names, and gives up where two are one."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_page_scripts_are_short():
    scripts = [ROOT / "dashboard" / page / "page.py" for page in PAGES] + [ROOT / "dashboard" / "app.py"]
    too_long = [str(path) for path in scripts if len(path.read_text().splitlines()) > MOST_LINES_OF_A_SCRIPT]
    assert not too_long


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_training_and_models_name_tensorflow_and_no_engine_module_names_streamlit(path):
    roots = {name.split(".")[0] for name in imported(path)}
    assert "streamlit" not in roots
    if room(path) not in {"training", "models"} or path.name == "__init__.py":
        assert not roots & {"tensorflow", "keras"}


@pytest.mark.slow
def test_the_engine_outside_training_and_models_loads_neither_tensorflow_nor_streamlit():
    names = [module_name(path) for path in MODULES if room(path) not in {"training", "models", "__main__"}]
    names += ["cxr_core.training", "cxr_core.models"]
    assert not modules_loaded_by(names) & {"tensorflow", "keras", "streamlit"}


@pytest.mark.slow
def test_the_dashboard_loads_no_tensorflow():
    paths = [path for path in BROWSER_MODULES if path.name != "page.py"]
    names = [module_name(path) for path in paths if path.name not in {"app.py", "__main__.py"}]
    loaded = modules_loaded_by(names)
    assert "plotly" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_pages_hold_no_sql_and_no_statistics():
    for path in BROWSER_MODULES:
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"duckdb", "sqlglot", "sklearn", "scipy", "google"}, path
        engine = {name.split(".")[1] for name in imported(path) if name.startswith("cxr_core.")}
        assert not engine & {"warehouse", "records"}, path
