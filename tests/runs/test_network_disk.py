from pathlib import Path

import pytest

from cxr_core.commands.runs import RUNS
from cxr_core.runs import database, network_disk
from cxr_core.runs.network_disk import mounts_in, network_file_system, workspace_warning

#: Lines as proc_pid_mountinfo(5) describes them; two mounts at one place, and a blank in a name.
MOUNTS = r"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
28 27 0:25 / /home rw,relatime shared:1 master:2 - nfs4 server:/home rw,vers=4.2
29 28 254:1 / /home/me/local rw,relatime - xfs /dev/vdb rw
30 27 0:26 / /mnt/two\040words rw - fuse.sshfs me@there:/ rw
31 27 0:27 / /mnt/twice rw - cifs //server/share rw
32 27 0:28 / /mnt/twice rw - tmpfs tmpfs rw
33 27 0:29 / /data rw - lustre 10.0.0.1@tcp:/data rw
34 27 0:30 / /usb rw - fuseblk /dev/sda1 rw
35 27 0:31 / /wsl rw - 9p C: rw
36 27 0:32 / /bucket rw - fuse.gcsfuse bucket rw
"""


@pytest.fixture(autouse=True)
def mounts(monkeypatch):
    monkeypatch.setattr(network_disk, "_mounts", lambda: mounts_in(MOUNTS))
    network_file_system.cache_clear()
    yield
    network_file_system.cache_clear()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tmp/workspace", None),
        ("/home/me/workspace", "nfs4"),
        ("/home/me/local/workspace", None),
        ("/homes/me", None),
        ("/mnt/two words/x", "fuse.sshfs"),
        ("/mnt/twice/x", None),
        ("/data", "lustre"),
        ("/usb/x", None),
        ("/wsl/x", "9p"),
        ("/bucket/x", "fuse.gcsfuse"),
    ],
)
def test_the_deepest_and_last_mount_above_a_path_tells_whether_it_is_on_a_network(path, kind):
    assert network_file_system(Path(path)) == kind


def test_a_workspace_on_a_network_is_warned_of_and_has_no_write_ahead_log(monkeypatch, workspace):
    assert workspace_warning() is None
    assert database._journal_mode(workspace / "runs.sqlite") == "WAL"
    monkeypatch.setenv("CXR_HOME", "/data/workspace")
    assert workspace_warning().startswith("The workspace /data/workspace lies on a network file system (lustre): ")
    assert database._journal_mode(Path("/data/workspace/runs.sqlite")) == "DELETE"


def test_the_list_of_runs_warns_on_standard_error(monkeypatch):
    monkeypatch.setattr("cxr_core.commands.runs.workspace_warning", lambda: "It lies on a network.")
    answer = RUNS.execute(RUNS.parse([]))
    assert (answer.document, answer.status, answer.complaint) == ([], 0, "It lies on a network.")
