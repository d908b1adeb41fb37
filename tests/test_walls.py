"""The folder tree is the architecture: who may import whom, and who may load TensorFlow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GROUND = {
    "atomic",
    "config_text",
    "errors",
    "file_patterns",
    "kept",
    "processes",
    "schema",
    "setting_rows",
    "settings",
    "stamps",
    "storage",
    "words",
}
MAY_KNOW = {
    "records": set(),
    "warehouse": set(),
    "uncertainty": set(),
    "evaluation": set(),
    "runs": set(),
    "sources": {"warehouse", "records"},
    "training": {"records", "uncertainty"},
    "models": {"training", "records", "uncertainty", "warehouse"},
    "tasks": {"records", "warehouse", "uncertainty", "evaluation", "runs", "sources", "training", "models"},
    "commands": {"tasks", "runs", "sources", "training", "uncertainty"},
    "cli": {"commands", "tasks", "runs"},
    "__main__": {"cli"},
    "__init__": set(),
}
MODULES = sorted((ROOT / "cxr_core").rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(path: Path) -> str:
    return path.relative_to(ROOT / "cxr_core").with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules_loaded_by(names: list[str]) -> set[str]:
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_dependencies_point_one_way(path):
    known = {name.split(".")[1] for name in imported(path) if name.startswith("cxr_core.")} - {"__version__"}
    allowed = GROUND if room(path) in GROUND else GROUND | MAY_KNOW[room(path)] | {room(path)}
    assert known <= allowed, f"{module_name(path)} must not know {sorted(known - allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_training_and_models_name_tensorflow_and_no_engine_module_names_streamlit(path):
    roots = {name.split(".")[0] for name in imported(path)}
    assert "streamlit" not in roots
    if room(path) not in {"training", "models"} or path.name == "__init__.py":
        assert not roots & {"tensorflow", "keras"}


def test_the_engine_outside_training_and_models_loads_neither_tensorflow_nor_streamlit():
    names = [module_name(path) for path in MODULES if room(path) not in {"training", "models", "__main__"}]
    names += ["cxr_core.training", "cxr_core.models"]
    assert not modules_loaded_by(names) & {"tensorflow", "keras", "streamlit"}


def test_the_dashboard_loads_no_tensorflow():
    paths = [path for path in sorted((ROOT / "dashboard").rglob("*.py")) if path.name != "page.py"]
    names = [module_name(path) for path in paths if path.name not in {"app.py", "__main__.py"}]
    loaded = modules_loaded_by(names)
    assert "plotly" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_pages_hold_no_sql_and_no_statistics():
    for path in sorted((ROOT / "dashboard").rglob("*.py")):
        roots = {name.split(".")[0] for name in imported(path)}
        assert not roots & {"duckdb", "sqlglot", "sklearn", "scipy", "google"}, path
        rooms = {name.split(".")[1] for name in imported(path) if name.startswith("cxr_core.")}
        assert not rooms & {"warehouse", "records"}, path
