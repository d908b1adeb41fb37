"""How many runs one person may have waiting; the command line and the parts of a sweep are not held up."""

import pytest

from cxr_core.caller import RESEARCHER, Caller, acting_for
from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.store import RunStore

ADA, BO = (Caller(name, RESEARCHER, frozenset({name})) for name in ("ada@lab.example", "bo@lab.example"))


@pytest.fixture(autouse=True)
def limited(workspace, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    monkeypatch.setenv("CXR_QUEUED_RUNS_PER_PERSON", "2")


def start(who):
    with acting_for(who):
        return service.submit("train", "m", "demo", {}).run


def test_one_more_than_allowed_is_refused_in_a_sentence_and_leaves_nothing(workspace):
    runs = [start(ADA), start(ADA)]
    before = sorted(workspace.rglob("*"))
    with pytest.raises(UsageError, match=r"may have 2 runs waiting \(setting queued_runs_per_person\), and 2 of yours"):
        start(ADA)
    assert sorted(path for path in workspace.rglob("*") if path.suffix != ".sqlite-wal") == before
    assert [run.run for run in service.list_runs()] == runs[::-1]


def test_what_has_begun_or_is_of_others_does_not_count(workspace):
    run, _ = start(ADA), start(ADA)
    assert start(BO)
    RunStore(workspace).start(run)
    assert start(ADA)


def test_the_command_line_and_the_parts_of_a_sweep_are_not_held_up():
    assert len({start(who) for who in ("root",) * 4 + ("ada@lab.example",) * 4}) == 8
    with pytest.raises(UsageError, match="and 4 of yours"):
        start(ADA)
