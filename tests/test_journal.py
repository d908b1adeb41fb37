"""Who did what and when: the file only grows, a changed line is told, and what persons do stands in it."""

import csv
import io
import json
from concurrent.futures import ProcessPoolExecutor

import pytest

from cxr_core.caller import Caller, acting_for, caller, found_by, system_user
from cxr_core.cli import main
from cxr_core.errors import CxrError
from cxr_core.journal import JOURNAL_FILE, broken_at, deeds, note_deed
from cxr_core.runs import service
from cxr_core.runs.store import RunStore


@pytest.fixture
def journal(workspace):
    """The file after three deeds of two persons."""
    for who, what in (("ada", "run started"), ("cleo", "run deleted"), ("ada", "labels imported")):
        with acting_for(who):
            note_deed(what, source="mine", run="20260101-000000-00000a")
    return workspace / JOURNAL_FILE


def whats(**asked):
    return [deed.what for deed in deeds(**asked)]


def test_on_the_command_line_the_systems_user_acts(monkeypatch):
    monkeypatch.setenv("LOGNAME", "ada")
    assert caller().name == system_user() == "ada"


def test_whoever_is_handed_in_acts_before_whom_the_face_knows(monkeypatch):
    found_by(lambda: Caller("cleo"))
    try:
        assert caller() == Caller("cleo")
        with acting_for("ada"):
            assert caller().name == "ada"
    finally:
        found_by(lambda: None)
    assert caller().name == system_user()


def test_deeds_are_listed_in_order_and_filtered(journal):
    assert whats() == ["run started", "run deleted", "labels imported"]
    assert whats(who="ada") == ["run started", "labels imported"]
    assert whats(what="run") == ["run started", "run deleted"]
    assert whats(text="CLEO 00000a") == ["run deleted"]
    assert whats(since="9999") == []
    assert whats(since="2026") == whats()
    assert journal.stat().st_mode & 0o077 == 0


def test_a_changed_a_missing_and_a_moved_line_are_told(journal):
    lines = journal.read_bytes().splitlines(keepends=True)
    assert broken_at() is None
    for changed, number in (
        ([lines[0], lines[1].replace(b"cleo", b"al"), lines[2]], 2),
        (lines[1:], 1),
        ([lines[0], lines[2]], 2),
        ([lines[1], lines[0], lines[2]], 1),
        ([lines[0], b"{torn\n", lines[2]], 2),
    ):
        journal.write_bytes(b"".join(changed))
        assert broken_at() == number


def test_what_follows_a_torn_line_stands_on_a_line_of_its_own(journal):
    journal.write_bytes(journal.read_bytes() + b'{"when": "2026')
    note_deed("run cancelled")
    assert whats()[-1] == "run cancelled"
    assert len(whats()) == 4


def _many(number):
    for _ in range(25):
        note_deed(f"deed {number}")


def test_many_processes_at_once_lose_no_line_and_break_no_chain(workspace):
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_many, range(4)))
    assert len(whats()) == 100
    assert broken_at() is None


def test_a_deed_that_cannot_be_noted_is_said(workspace):
    workspace.mkdir()
    (workspace / JOURNAL_FILE).mkdir()
    with pytest.raises((CxrError, OSError)):
        note_deed("run started")


def test_what_is_done_to_runs_stands_in_it_and_a_run_says_who_started_it(workspace, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    with acting_for("ada"):
        run = service.submit("train", "m", "demo", {}, resumable=True)
    with acting_for("cleo"):
        service.cancel(run.run)
        service.resume(run.run)
        RunStore(workspace).end(run.run, "failed", None, service.get(run.run).supervisor)
        service.delete(run.run)
    assert run.user == "ada"
    found = [(deed.who, deed.what, deed.about["run"]) for deed in deeds()]
    of_cleo = [("cleo", f"run {what}", run.run) for what in ("cancelled", "resumed", "deleted")]
    assert found == [("ada", "run started", run.run), *of_cleo]


def test_the_command_lists_filters_and_exports_without_formulas(journal, tmp_path, capsys):
    with acting_for("=cmd|'/c calc'!A0"):
        note_deed("downloaded", file="x.csv")
    capsys.readouterr()
    assert main(["journal", "--who", "ada", "--json"]) == 0
    assert [deed["what"] for deed in json.loads(capsys.readouterr().out)] == ["run started", "labels imported"]
    assert main(["journal", "--to", "j.csv"]) == 0
    rows = list(csv.reader(io.StringIO((tmp_path / "j.csv").read_text())))
    assert rows[0] == ["when", "who", "host", "what", "about"]
    assert rows[-1][1] == "'=cmd|'/c calc'!A0"
    assert rows[1][4] == "source mine, run 20260101-000000-00000a"
    assert main(["journal", "--to", "j.csv"]) == 2
    journal.write_bytes(journal.read_bytes().replace(b"cleo", b"al"))
    capsys.readouterr()
    assert main(["journal"]) == 0
    assert "Line 2 of the journal is not as it was written." in capsys.readouterr().err
