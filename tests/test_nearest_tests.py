"""The table of the mutation run names modules and tests that are there."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_each_module_of_the_table_and_its_nearest_tests_are_there(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from nearest_tests import NEAREST

    assert len(NEAREST) > 70
    for module, tests in NEAREST.items():
        assert (ROOT / module).is_file(), module
        assert tests and all((ROOT / test).is_file() for test in tests), tests
