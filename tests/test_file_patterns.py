import glob
import os
import time
from pathlib import Path

import pytest

from cxr_core.errors import UsageError
from cxr_core.file_patterns import Limits, files_matching, has_wildcards
from cxr_core.records.layout import find_records


@pytest.fixture(params=["study [2019]", "what?", "a*", "[ü]", "plain"])
def folder(request, tmp_path):
    (tmp_path / request.param).mkdir()
    for name in ("b", "a", "ab", "other"):
        (tmp_path / request.param / name).touch()
    (tmp_path / request.param / "a folder").mkdir()
    return tmp_path / request.param


def test_a_folder_whose_name_reads_as_a_pattern_is_searched(folder):
    assert files_matching(str(folder / "[ab]*")) == [str(folder / name) for name in ("a", "ab", "b")]
    assert find_records(str(folder / "{view}"), "train", "other") == [str(folder / "other")]


def test_relative_patterns_and_wildcard_folders_work(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert files_matching("*/a") == [f"{folder.name}/a"]
    assert files_matching(f"{folder.name}/o*") == [f"{folder.name}/other"]


def test_a_file_that_is_there_is_no_pattern(folder):
    assert not has_wildcards(str(folder / "a"))
    assert has_wildcards(str(folder / "a*"))


@pytest.fixture
def tree(tmp_path):
    for name in ("a/b/c/x1", "a/b/x2", "a/x3", "b/x1", ".hidden/x1", "a/.x", "x1", "a/b/c/d/e/y", "[z]/x1"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).touch()
    (tmp_path / "tree" / "link").symlink_to("a/b")
    (tmp_path / "tree" / "nowhere").symlink_to("nothing")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "x1").touch()
    (tmp_path / "tree" / "out").symlink_to(tmp_path / "private")
    (tmp_path / "tree" / "a" / "x4").symlink_to(tmp_path / "private" / "x1")
    return tmp_path / "tree"


@pytest.mark.parametrize(
    "pattern",
    ["*", "**", "**/x*", "a/**", "a/**/x?", "*/x1", "**/b/**/x1", "**/**/x1", ".*", "**/.*", ".*/x1", "[ab]/*", "a/[!b]*",
     "[", "*[", "x1", "x1/*", "nothing/*", "link/*", "[z]/*", "a**/x*", "*/*/*"],
)  # fmt: skip
def test_the_same_files_are_found_as_by_the_standard_library(tree, pattern):
    literal = f"{tree}/{pattern.replace('[z]', '[[]z]')}"
    found = {os.path.normpath(name) for name in glob.glob(literal, recursive=True) if Path(name).is_file()}  # noqa: PTH207
    assert files_matching(f"{tree}/{pattern}") == sorted(found)


def test_a_limited_look_follows_no_link_out_of_its_folders(tree):
    inside = files_matching(f"{tree}/**", Limits((str(tree),)))
    assert f"{tree}/link/x2" in inside
    assert not [name for name in inside if "/out/" in name or name.endswith("x4")]
    assert files_matching(f"{tree}/out/x1", Limits((str(tree),))) == []
    assert files_matching(f"{tree}/a/x4", Limits((str(tree),))) == []
    assert files_matching(f"{tree}/out/x1") == [f"{tree}/out/x1"]


@pytest.fixture
def many(tmp_path):
    for number in range(600):
        (tmp_path / f"{number}").touch()
    return tmp_path


@pytest.mark.parametrize("limits", [{"entries": 300}, {"seconds": 0.0}])
def test_a_limited_look_ends_after_so_many_files_or_seconds(many, limits):
    with pytest.raises(UsageError, match="must be found among .* files and within .* s. Received: "):
        files_matching(f"{many}/**/none-is-called-so", Limits((str(many),), **limits))
    assert len(files_matching(f"{many}/**")) == 600


def test_a_limited_look_ends_when_nobody_waits_for_it(many):
    class NobodyWaitsError(Exception):
        pass

    def gone():
        raise NobodyWaitsError

    with pytest.raises(NobodyWaitsError):
        files_matching(f"{many}/*", Limits((str(many),), going_on=gone))


def test_many_stars_cost_no_more_than_one(tree):
    start = time.process_time()
    assert files_matching(f"{tree}/" + "**/" * 30 + "x1", Limits((str(tree),)))
    assert time.process_time() - start < 5, "the same folder is not looked through for every way into it"


@pytest.mark.parametrize("pattern", ["x" * 300, "*/" + "x" * 300, "a\0b", "**/a\0b", "loop/**", "loop/x"])
def test_names_that_cannot_be_are_not_there(tree, pattern):
    (tree / "loop").symlink_to("loop")
    assert files_matching(f"{tree}/{pattern}") == []
