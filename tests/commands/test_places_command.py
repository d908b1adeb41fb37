import json

import pytest

from cxr_core.cli import main

SLURM = '[places.cluster]\nkind = "slurm"\nfolder = "shared"\n'


def places(capsys, *options):
    status = main(["places", "--json", *options])
    return status, json.loads(capsys.readouterr().out)


def test_without_any_description_there_is_this_machine(capsys):
    assert places(capsys) == (
        0,
        [{"place": "here", "kind": "here", "folder": "", "checked": False, "problems": [], "cost": ""}],
    )


def test_a_wrong_description_stands_in_the_list_with_what_is_wrong(capsys, tmp_path):
    (tmp_path / "cxr.toml").write_text(SLURM + "[places.other]\nkind = 3\n")
    status, found = places(capsys)
    assert status == 0
    assert [(one["place"], one["folder"]) for one in found] == [("here", ""), ("cluster", "shared"), ("other", "")]
    assert found[1]["problems"] == []
    assert "kind must be one of slurm" in found[2]["problems"][0]


def test_a_place_that_is_asked_and_not_ready_ends_with_status_1(capsys, tmp_path, monkeypatch):
    (tmp_path / "cxr.toml").write_text(SLURM)
    monkeypatch.setenv("PATH", "/nowhere")
    status, found = places(capsys, "--check")
    assert status == 1
    assert len(found[1]["problems"]) == 1
    assert "Install Slurm's commands" in found[1]["problems"][0]


@pytest.mark.parametrize("text", ["places = 3\n", "[places]\ncluster = 3\n", '[places.here]\nkind = "slurm"\n'])
def test_a_file_that_is_wrong_as_a_whole_is_refused(capsys, tmp_path, text):
    (tmp_path / "cxr.toml").write_text(text)
    assert main(["places"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
