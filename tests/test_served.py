"""Whether a dashboard serves a workspace: as long as any one does, and no longer, however it ends."""

import subprocess
import sys

from cxr_core.served import is_served, serving

ANOTHER = """
import sys, time
from pathlib import Path
from cxr_core.served import serving
with serving(Path(sys.argv[1])):
    print("serves", flush=True)
    time.sleep(600)
"""


def test_a_workspace_is_served_as_long_as_any_of_several_serves_it(tmp_path):
    assert not is_served(tmp_path)
    with serving(tmp_path):
        with serving(tmp_path):
            assert is_served(tmp_path)
        assert is_served(tmp_path)
    assert not is_served(tmp_path)


def test_one_that_was_killed_serves_no_more(tmp_path):
    command = [sys.executable, "-c", ANOTHER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "serves\n"
        assert is_served(tmp_path)
        other.kill()
    assert not is_served(tmp_path)


def test_where_nothing_can_be_written_it_is_served_all_the_same(tmp_path):
    with serving(tmp_path / "absent"):
        assert not is_served(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []
