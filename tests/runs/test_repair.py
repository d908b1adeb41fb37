"""The store of runs when its file is empty, damaged, gone, locked or read-only: what is told, and how it comes back."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cxr_core.cli import main
from cxr_core.errors import RunError, UsageError
from cxr_core.runs import database, service
from cxr_core.runs.repair import repair
from cxr_core.runs.store import RunStore


@pytest.fixture(scope="module")
def kept_history():
    """Where the history lies once a test has made it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "home"


@pytest.fixture
def history(fake_kinds, kept_history, until):
    """A completed run with a note, a failed one that is its part, and a cancelled one."""
    if kept_history.exists():
        shutil.copytree(kept_history, fake_kinds)
        return RunStore(fake_kinds)
    done = service.wait(service.submit("sleep", "m", "demo", {"steps": 1}, device="cpu").run, timeout=30)
    service.set_notes(done.run, "the best one")
    service.set_tags(done.run, ("paper",))
    failed = service.wait(service.submit("refuse", "m", "demo", {}, parent=done.run).run, timeout=30)
    stopped = service.submit("sleep", "m", "demo", {"steps": 1000}, resumable=True)
    until(lambda: service.get(stopped.run).process)
    service.cancel(stopped.run)
    service.wait(stopped.run, timeout=30)
    assert failed.status == "failed"
    shutil.copytree(fake_kinds, kept_history)
    return RunStore(fake_kinds)


def listed():
    return [run.as_json() for run in service.list_runs()]


def without_side_files(store):
    for name in ("-wal", "-shm"):
        store.path.with_name(store.path.name + name).unlink(missing_ok=True)


def empty(store):
    without_side_files(store)
    store.path.write_bytes(b"")


def overwritten(store):
    without_side_files(store)
    store.path.write_bytes(os.urandom(8192))


def gone(store):
    without_side_files(store)
    store.path.unlink()


def without_table(store):
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("DROP TABLE runs")
        connection.commit()


HARM = [(empty, "is empty, though 3 runs lie"), (overwritten, "is damaged"), (gone, "is gone, though 3 runs lie")]


@pytest.mark.parametrize(("harm", "told"), [*HARM, (without_table, "is damaged")])
def test_a_lost_store_names_the_repair_and_comes_back_as_it_was(history, capsys, harm, told):
    before = listed()
    harm(history)
    for command in (["runs"], ["runs", "show", before[0]["run"]]):
        assert main(command) == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert told in lines[0] and "`python -m cxr_core runs repair`" in lines[0]
    with pytest.raises(RunError, match="runs repair"):
        service.submit("sleep", "m", "demo", {"steps": 1})
    assert main(["runs", "repair", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["runs"], done["from_copies"], done["from_traces"], done["unreadable"]) == (3, 3, 0, [])
    assert listed() == before
    assert service.wait(service.submit("sleep", "m", "demo", {"steps": 1}).run, timeout=30).status == "completed"


def test_a_repair_keeps_the_damaged_file_and_a_whole_store_is_left_alone(history, capsys):
    overwritten(history)
    content = history.path.read_bytes()
    aside = repair(history).kept_aside
    assert Path(aside).read_bytes() == content
    with pytest.raises(UsageError, match="is whole, so it needs no repair"):
        repair(history)
    assert main(["runs", "repair", "20260101-000000-abcdef"]) == 2
    assert "takes no ID" in capsys.readouterr().err


def test_a_run_without_its_copy_comes_back_from_log_and_metrics(history):
    before = {run["run"]: run for run in listed()}
    for file in history.folder.glob("*/run.json"):
        file.unlink()
    empty(history)
    assert repair(history).from_traces == 3
    after = {run["run"]: run for run in listed()}
    known = ("status", "reason", "config", "created", "user")
    same = {run: {name: row[name] for name in known} for run, row in before.items()}
    # The folder's ID tells the second of its beginning.
    assert {run: {name: row[name] for name in known} for run, row in after.items()} == same


def test_what_a_damaged_file_still_tells_of_runs_without_copies_is_kept(history):
    before = listed()
    for file in history.folder.glob("*/run.json"):
        file.unlink()
    with contextlib.closing(sqlite3.connect(history.path)) as connection:
        connection.execute("DROP INDEX runs_by_status")
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('index', 'x', 'runs', 9999, 'CREATE INDEX x ON runs (y)')"
        )
        connection.commit()
    with pytest.raises(RunError, match="is damaged"):
        service.list_runs()
    assert repair(history).from_old_store == 3
    assert listed() == before


def test_a_run_that_works_while_the_store_is_lost_ends_in_the_rebuilt_one(fake_kinds, until):
    run = service.submit("sleep", "m", "demo", {"steps": 30})
    until(lambda: service.get(run.run).process)
    store = RunStore(fake_kinds)
    store.path.write_bytes(b"")
    without_side_files(store)
    repair(store)
    assert service.wait(run.run, timeout=60).status == "completed"


def test_a_store_of_an_earlier_version_leaves_copies_when_it_is_brought_up_to_date(history):
    before = listed()
    for file in history.folder.glob("*/run.json"):
        file.unlink()
    with contextlib.closing(sqlite3.connect(history.path)) as connection:
        for column in ("place", "leg"):  # which came later
            connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 5")
    assert listed() == before
    empty(history)
    assert repair(history).from_copies == 3
    assert listed() == before


def test_who_locks_the_store_is_named(history, monkeypatch):
    monkeypatch.setattr(database, "_BUSY_MILLISECONDS", 10)
    holds = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print(1, flush=True); input()"
    command = [sys.executable, "-c", holds, str(history.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(RunError, match=rf"is locked by process {holder.pid} of \w+ \(.*BEGIN IMMEDIATE"):
            service.set_notes(listed()[0]["run"], "x")
        holder.communicate(b"\n")


def test_a_workspace_that_may_not_be_written_is_looked_at(history):
    """Mounted read-only: what the write-ahead log holds is seen, and what would change something is refused."""
    before = listed()
    looked = _on_a_read_only_mount(history.home, "runs", "--json")
    if looked.returncode == 77:
        pytest.skip("this process may not mount anything")
    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout) == before
    assert "[run]" in _on_a_read_only_mount(history.home, "runs", "log", before[0]["run"]).stdout
    refused = _on_a_read_only_mount(history.home, "runs", "note", before[0]["run"], "x")
    assert refused.returncode == 2
    assert "is read-only: it can be looked at" in refused.stderr


def _on_a_read_only_mount(home, *arguments):
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" || exit 77; exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, str(home), sys.executable, "-m", "cxr_core", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
