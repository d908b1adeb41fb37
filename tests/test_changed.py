import subprocess

import pytest
from changed import changed_files, mirrors_of


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("cxr_core/evaluation/delong.py", ["tests/evaluation/test_delong.py"]),
        ("cxr_core/evaluation/results.py", ["tests/evaluation"]),
        ("cxr_core/sources/phantoms/drawing.py", ["tests/sources"]),
        ("cxr_core/settings.py", ["tests/test_settings.py"]),
        ("cxr_core/atomic.py", ["tests/test_cli.py"]),
        ("dashboard/evaluate/page.py", ["tests/dashboard"]),
        ("tests/evaluation/test_grid.py", ["tests/evaluation/test_grid.py"]),
        ("docs/demo.md", ["tests/test_docs.py"]),
        ("Makefile", []),
    ],
)
def test_a_changed_file_has_the_tests_that_mirror_it(file, tests):
    assert mirrors_of({file}) == sorted([*tests, "tests/test_walls.py"])


def test_a_room_that_is_tested_names_none_of_its_tests_twice():
    files = {"cxr_core/evaluation/results.py", "cxr_core/evaluation/delong.py"}
    assert mirrors_of(files) == ["tests/evaluation", "tests/test_walls.py"]


def test_files_count_that_were_committed_changed_or_made_since_the_branch(tmp_path):
    def git(*arguments):
        given = ["-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(["git", *given], cwd=tmp_path, check=True, capture_output=True)

    for name in ("kept", "changed"):
        (tmp_path / name).write_text("1")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "first")
    git("checkout", "-qb", "work")
    (tmp_path / "committed").write_text("1")
    git("add", ".")
    git("commit", "-qm", "second")
    (tmp_path / "changed").write_text("2")
    (tmp_path / "new").write_text("1")
    assert changed_files("main", tmp_path) == {"committed", "changed", "new"}
