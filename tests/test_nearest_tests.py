"""The table of the mutation run names every module of the rooms into which it puts faults, and tests that are there."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_module_of_the_rooms_has_its_nearest_tests(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from nearest_tests import NEAREST

    for room in ("evaluation", "sources/importing"):
        modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cxr_core" / room).glob("*.py")}
        assert {module for module in modules if not module.endswith("__init__.py")} <= NEAREST.keys()
    for module, tests in NEAREST.items():
        assert (ROOT / module).is_file(), module
        assert tests and all((ROOT / test).is_file() for test in tests), tests
