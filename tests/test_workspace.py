"""The workspace is closed to others on the machine: as folders and files are made, and where it was open before."""

import os
import stat

import pytest

from cxr_core.atomic import write_text
from cxr_core.workspace import make_folder, tightened


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def open_workspace(home):
    """A workspace as earlier versions made it."""
    (home / "sources" / "demo").mkdir(parents=True)
    (home / "runs.sqlite").write_text("")
    for path in (home, home / "sources", home / "runs.sqlite"):
        path.chmod(0o755)
    return home


def test_every_folder_and_file_of_a_new_workspace_is_its_owners_alone(workspace):
    write_text(workspace / "sources" / "mine" / "source.toml", "")
    made = [workspace, *workspace.rglob("*")]
    assert [mode(path) for path in made] == [0o700, 0o700, 0o700, 0o600]


def test_folders_and_files_elsewhere_follow_the_usual_mask(workspace, tmp_path):
    write_text(tmp_path / "out" / "report.html", "")
    mask = os.umask(0)
    os.umask(mask)
    assert mode(tmp_path / "out") == 0o777 & ~mask
    assert mode(tmp_path / "out" / "report.html") == 0o666 & ~mask


def test_a_workspace_that_its_group_may_use_is_open_to_it_and_to_nobody_else(workspace, monkeypatch):
    monkeypatch.setenv("CXR_GROUP_ACCESS", "true")
    make_folder(workspace / "runs")
    open_workspace(workspace)
    assert "could read the workspace" in tightened()
    assert (mode(workspace), mode(workspace / "runs"), mode(workspace / "sources")) == (0o750, 0o770, 0o750)
    assert tightened() == ""


def test_an_open_workspace_is_closed_with_one_word_that_is_not_said_again(workspace, cxr):
    open_workspace(workspace)
    first, second = cxr("runs", "--json"), cxr("runs", "--json")
    assert first.stdout == second.stdout
    assert f"Others on this machine could read the workspace {workspace}." in first.stderr
    assert second.stderr == ""
    assert [mode(workspace), mode(workspace / "sources"), mode(workspace / "runs.sqlite")] == [0o700, 0o700, 0o700]


def test_what_lies_beside_the_products_own_files_stays_open_as_it_is(workspace):
    own = open_workspace(workspace) / "notes.txt"
    own.write_text("")
    own.chmod(0o644)
    assert "could read" in tightened()
    assert (mode(workspace), mode(own), mode(workspace / "sources")) == (0o755, 0o644, 0o700)
    assert tightened() == ""


def test_a_link_in_place_of_the_workspace_leaves_what_it_points_to(workspace, tmp_path):
    shared = tmp_path / "shared"
    open_workspace(shared)
    workspace.symlink_to(shared)
    assert tightened() == ""
    assert mode(shared) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can act as another user")
def test_another_user_of_the_machine_reads_nothing_of_a_workspace(workspace):
    write_text(workspace / "sources" / "mine" / "labels.csv", "p10000032")
    child = os.fork()
    if not child:
        os.setuid(65534)
        readable = os.access(workspace / "sources" / "mine" / "labels.csv", os.R_OK) or os.access(workspace, os.R_OK)
        os._exit(1 if readable else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
