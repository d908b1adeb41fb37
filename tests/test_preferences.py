"""What a person prefers is kept for him alone, whatever his name is, and never stands in anybody's way."""

import json
import stat
import threading

import pytest

from cxr_core.caller import Caller, acting_for
from cxr_core.errors import CxrError, UsageError
from cxr_core.preferences import FOLDER, Preferences, prefer, preferences

NAMES = ["ada@lab.example", "../../etc/passwd", "ÄDA", "a/b", "group:x", ""]


def test_each_person_has_his_own(workspace):
    for number, name in enumerate(NAMES):
        with acting_for(Caller(name, names=frozenset())):
            assert preferences() == Preferences()
            prefer(source=f"s{number}")
    for number, name in enumerate(NAMES):
        with acting_for(name):
            assert preferences() == Preferences(source=f"s{number}")
    assert len(list((workspace / FOLDER).iterdir())) == len(NAMES)


def test_one_change_leaves_the_others(workspace):
    prefer(view="lateral")
    prefer(downloads=False)
    assert preferences() == Preferences(view="lateral", downloads=False)


@pytest.mark.parametrize("group_access", ["false", "true"])
def test_nobody_else_reads_the_file(workspace, monkeypatch, group_access):
    monkeypatch.setenv("CXR_GROUP_ACCESS", group_access)
    prefer(view="lateral")
    (file,) = (workspace / FOLDER).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"source": 1, "view": "", "downloads": true}', b'{"view": "sideways"}'],
)
def test_a_file_that_is_none_is_as_if_nothing_were_preferred(workspace, content):
    prefer(view="lateral")
    (file,) = (workspace / FOLDER).iterdir()
    file.write_bytes(content)
    assert preferences() == Preferences()


@pytest.mark.parametrize("wrong", [{"view": "sideways"}, {"source": 3}, {"downloads": "yes"}, {"source": "a" * 300}])
def test_what_cannot_be_preferred_is_refused_and_changes_nothing(workspace, wrong):
    prefer(view="lateral")
    with pytest.raises(UsageError, match="can be preferred"):
        prefer(**wrong)
    assert preferences() == Preferences(view="lateral")


def test_a_workspace_that_cannot_be_written_is_told_in_a_sentence(workspace, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    prefer(view="lateral")
    monkeypatch.setattr("tempfile.mkstemp", refused)
    with pytest.raises(CxrError, match="permission denied"):
        prefer(view="frontal")
    assert preferences().view == "lateral"


def test_many_who_read_while_it_is_written_never_see_half_of_it(workspace):
    prefer(source="a" * 190)
    ended, wrong = threading.Event(), []

    def read():
        while not ended.is_set():
            if preferences().source[:1] not in ("a", "b"):
                wrong.append(preferences())

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(60):
        prefer(source="ab"[number % 2] * 190)
    ended.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert json.loads(next((workspace / FOLDER).iterdir()).read_text())["source"] == "b" * 190
