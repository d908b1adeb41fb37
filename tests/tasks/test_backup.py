"""The workspace as one file, and back: equal while others write, and nothing restored that is damaged or foreign."""

import hashlib
import io
import json
import tarfile
import threading
import time

import pytest

from cxr_core.cli import main
from cxr_core.errors import DataError, ExistsError, UsageError
from cxr_core.journal import deeds, note_deed
from cxr_core.preferences import prefer
from cxr_core.runs import service
from cxr_core.runs.identity import own_identity
from cxr_core.runs.new_run import new_run
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings
from cxr_core.tasks.backup import back_up, restore


def add_run(store, number, **how):
    """A run that has ended, or not, with its folder."""
    run = new_run(
        f"20260101-000000-{number:06x}", "predict", f"m{number}", "mine", {"n": number}, None, None, True, None
    )
    folder = store.run_folder(run.run)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(run.config))
    store.insert(run)
    (folder / "log.txt").write_text("[run] completed\n" * 100)
    if how.get("ended", True):
        store.end(run.run, "completed", None, own_identity())
    return run.run


@pytest.fixture
def filled(workspace):
    """A workspace with a source of a few files, twenty runs, and what a person prefers."""
    prefer(view="lateral")
    tables = workspace / "sources" / "mine" / "predictions"
    tables.mkdir(parents=True)
    (workspace / "sources" / "mine" / "source.toml").write_text("")
    for number in range(5):
        (tables / f"m{number}_predictions.parquet").write_bytes(bytes([number]) * 300_000)
    store = RunStore(workspace)
    for number in range(20):
        add_run(store, number)
    return store


def contents(home):
    """Every file that is kept, with what is in it; the store is compared by its runs, and a journal grows."""
    others = ("runs.", ".", "journal")
    files = [path for path in home.rglob("*") if path.is_file() and not path.name.startswith(others)]
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def elsewhere(tmp_path, monkeypatch, name="other"):
    monkeypatch.setenv("CXR_HOME", str(tmp_path / name))
    return tmp_path / name


def test_a_backup_under_load_restores_every_run_and_every_file_as_it_was(filled, tmp_path, monkeypatch):
    """Meanwhile runs are made, tables replaced and a log grows: what stood before the backup is equal after it."""
    before, runs = contents(filled.home), [run.as_json() for run in filled.newest_first()]
    stop, began = threading.Event(), threading.Event()

    def load():
        number = 102
        while not stop.is_set():
            run = add_run(filled, number, ended=number % 3 != 0)
            with (filled.run_folder(run) / "log.txt").open("a") as log:
                log.write("more\n" * 1000)
            (filled.home / "sources" / "mine" / f".half{number}.tmp").write_bytes(b"x")
            number += 1
            began.set()

    writer = threading.Thread(target=load)
    writer.start()
    began.wait()
    note_deed("film read")
    try:
        made = back_up(tmp_path / "all.tar")
    finally:
        stop.set()
        writer.join()
    home = elsewhere(tmp_path, monkeypatch)
    done = restore(tmp_path / "all.tar")
    assert (done.files, done.bytes, done.runs) == (made.files, made.bytes, made.runs)
    assert before.items() <= contents(home).items()
    restored = {run.run: run.as_json() for run in RunStore(home).newest_first()}
    assert [restored[run["run"]] for run in runs] == runs
    assert not list(home.rglob(".half*"))
    assert [deed.what for deed in deeds()] == ["film read", "workspace restored"]
    assert {run["status"] for run in restored.values()} == {"completed", "failed"}


def test_a_run_that_was_active_is_told_to_have_ended_when_it_is_restored(filled, tmp_path, monkeypatch, capsys):
    active = add_run(filled, 50, ended=False)
    assert back_up(tmp_path / "all.tar").active == 1
    elsewhere(tmp_path, monkeypatch)
    assert main(["restore", str(tmp_path / "all.tar")]) == 0
    assert "1 run had not ended then" in capsys.readouterr().out
    run = service.get(active)
    assert run.status == "failed"
    assert run.reason.startswith("The run was queued when the backup was made") and "Resume it" in run.reason


def test_the_commands_say_what_they_did(filled, tmp_path, monkeypatch, capsys):
    assert main(["backup", "--to", "all.tar", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["runs"], made["active"], made["files"]) == (20, 0, 6 + 3 * 20 + 1 + 1)
    assert (tmp_path / "all.tar").stat().st_mode & 0o777 == 0o600
    elsewhere(tmp_path, monkeypatch)
    assert main(["restore", "all.tar"]) == 0
    assert "every file is as it was" in capsys.readouterr().out


def test_nothing_is_overwritten_unasked_and_what_was_there_is_kept(filled, tmp_path):
    back_up(tmp_path / "all.tar")
    with pytest.raises(ExistsError, match="--replace"):
        back_up(tmp_path / "all.tar")
    with pytest.raises(ExistsError, match="has sources already"):
        restore(tmp_path / "all.tar")
    before = contents(filled.home)
    (filled.home / "sources" / "mine" / "later.txt").write_text("later")
    restore(tmp_path / "all.tar", replace=True)
    (former,) = filled.home.glob("replaced-*")
    assert (former / "sources" / "mine" / "later.txt").read_text() == "later"
    assert {name: digest for name, digest in contents(filled.home).items() if not name.startswith("repl")} == before


def test_a_workspace_with_active_runs_is_not_replaced(filled, tmp_path):
    back_up(tmp_path / "all.tar")
    add_run(filled, 51, ended=False)
    with pytest.raises(UsageError, match="are active"):
        restore(tmp_path / "all.tar", replace=True)


def test_a_flipped_byte_or_a_cut_file_is_told_and_nothing_is_restored(filled, tmp_path, monkeypatch):
    back_up(tmp_path / "all.tar")
    home = elsewhere(tmp_path, monkeypatch)
    whole = (tmp_path / "all.tar").read_bytes()
    for place in range(700, len(whole), len(whole) // 12):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        (tmp_path / "broken.tar").write_bytes(broken)
        try:
            restore(tmp_path / "broken.tar")
        except DataError:
            assert not (home / "sources").exists()
            continue
        # What tar itself fills its blocks with belongs to no file.
        assert contents(home)
        elsewhere(tmp_path, monkeypatch, f"other{place}")
        home = settings().home
    for size in (0, 100, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(DataError):
            restore(tmp_path / "cut.tar")


def archive_of(path, members):
    """An archive with a manifest that agrees with its members."""
    listed = [{"path": name, "size": 1, "sha256": hashlib.sha256(b"x").hexdigest()} for name, _ in members]
    content = json.dumps({"version": 1, "made": time.time(), "files": listed}).encode()
    with tarfile.open(path, "w") as archive:
        for name, kind in members:
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = (1, kind, "") if kind == tarfile.REGTYPE else (0, kind, "/etc")
            archive.addfile(member, io.BytesIO(b"x"))
        last = tarfile.TarInfo("manifest.json")
        last.size = len(content)
        archive.addfile(last, io.BytesIO(content))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sources/../../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("../outside", tarfile.REGTYPE),
        ("cxr.toml", tarfile.REGTYPE),
        ("sources", tarfile.REGTYPE),
        ("sources/link", tarfile.SYMTYPE),
        ("sources/link", tarfile.LNKTYPE),
        ("sources/pipe", tarfile.FIFOTYPE),
        ("sources/device", tarfile.CHRTYPE),
    ],
)
def test_what_is_no_file_of_a_workspace_is_never_written(workspace, tmp_path, name, kind):
    archive_of(tmp_path / "evil.tar", [(name, kind)])
    before = sorted(tmp_path.parent.glob("*"))
    with pytest.raises(DataError):
        restore(tmp_path / "evil.tar")
    assert not list(workspace.rglob("*"))
    assert sorted(tmp_path.parent.glob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar", "workspace"]


def test_what_cannot_be_backed_up_is_refused(workspace, tmp_path):
    with pytest.raises(UsageError, match="nothing in the workspace"):
        back_up(tmp_path / "all.tar")
    with pytest.raises(UsageError, match="There is no file"):
        restore(tmp_path / "none.tar")
    (workspace / "sources").mkdir(parents=True)
    with pytest.raises(UsageError, match="lies in the workspace"):
        back_up(workspace / "sources" / "all.tar")
