import pytest

from cxr_core.file_patterns import files_matching, has_wildcards
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
