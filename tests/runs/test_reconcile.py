"""What is told of a run whose supervisor cannot be asked: on this machine, after a restart, on another one."""

import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from cxr_core.errors import RunError, UsageError
from cxr_core.runs import leftovers, service
from cxr_core.runs.identity import identity_of, own_identity
from cxr_core.runs.reconcile import STALE_SECONDS
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore

GONE = {"started": "1"}  # a live process has this pid, but another start
RESTARTED = {"boot": "before"}
ELSEWHERE = [
    ({"space": "pid:[1]"}, "here"),
    ({"machine": "other", "boot": "other"}, "there"),
    ({"boot": "other"}, "there"),  # its disk was copied from this machine's
]


@pytest.fixture
def stored(workspace):
    """Put a run into the store whose supervisor is this process but for what is given; return the store."""
    store = RunStore(workspace)

    def insert(identity, host="here", silent=0.0, log="", folder=True, **values):
        host = socket.gethostname() if host == "here" else host
        beaten = time.time() - silent
        supervisor = replace(own_identity(), **identity)
        values = {"status": "running", "device": "cpu", "resumable": True} | values
        store.insert(Run("id", "train", "m", "demo", beaten, beaten, "u", host, {}, supervisor, **values))
        if folder:
            store.run_folder("id").mkdir(parents=True)
            (store.run_folder("id") / "log.txt").write_text(log)
        return store

    return insert


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_recycled_pid_is_not_taken_for_the_supervisor(stored, status):
    stored(GONE, status=status)
    run = service.get("id")
    assert (run.status, run.resumable) == ("failed", True)
    assert run.reason.startswith("The process that supervised the run was killed, and the run with it. Resume it")


def test_a_restart_of_the_machine_is_told(stored):
    stored(RESTARTED, resumable=False)
    run = service.list_runs()[0]
    assert (run.status, run.reason) == (
        "failed",
        "The machine was restarted while the run was active. Start it again.",
    )


@pytest.mark.parametrize(("identity", "host"), ELSEWHERE)
@pytest.mark.parametrize("status", ["queued", "running"])
def test_of_a_run_elsewhere_only_its_last_sign_of_life_is_told_and_nobody_fails_it(stored, identity, host, status):
    store = stored(identity, host, silent=4000, status=status)
    run = service.get("id")
    assert run.status == status
    assert re.fullmatch(rf"{status} on {run.host}, last seen 4,00\d s ago", run.message)
    assert (store.get("id").status, store.get("id").message) == (status, None)
    for refused in (service.delete, service.resume):
        with pytest.raises(UsageError):
            refused("id")
    assert store.run_folder("id").is_dir()


def test_a_clock_behind_that_of_another_machine_is_no_sign_of_the_future(stored):
    stored({"machine": "other"}, silent=-3600)
    assert "last seen 0 s ago" in service.get("id").message


def test_a_run_elsewhere_is_asked_to_stop_and_given_up_only_by_its_user_after_long_silence(stored):
    store = stored({"machine": "other"}, "there", silent=STALE_SECONDS / 2)
    run = service.cancel("id")
    assert (run.status, run.cancel_requested) == ("running", True)
    store.progress("id", {"heartbeat": time.time() - STALE_SECONDS - 1})
    run = service.cancel("id")
    assert run.status == "cancelled"
    assert run.reason.startswith("Cancelled by the user. Its process on there had given no sign of life for 12")
    service.delete("id")
    assert service.list_runs() == []


def test_a_run_that_was_being_cancelled_when_its_supervisor_was_killed_is_cancelled(stored):
    stored(GONE, cancel_requested=True)
    run = service.get("id")
    assert (run.status, run.reason) == ("cancelled", "Cancelled by the user.")


def test_whoever_asks_is_told_the_truth_also_when_it_cannot_be_written_down(stored, monkeypatch):
    store = stored(GONE)

    def full(*_arguments):
        raise RunError("the disk is full")

    monkeypatch.setattr(RunStore, "end", full)
    run = service.get("id")
    assert run.status == "failed" and run.reason
    assert store.get("id").status == "running"


def test_last_words_about_memory_are_the_reason(stored):
    stored(GONE, log="Traceback\nMemoryError: Unable to allocate 4 GiB\n")
    assert service.get("id").reason.startswith("The memory of the machine ran out.")


def test_nothing_half_written_is_left_of_a_run_whose_processes_are_gone(stored):
    folder = stored(GONE).run_folder("id")
    models = folder.parents[1] / "sources" / "demo" / "models"
    for place in (folder / "checkpoints", models):
        place.mkdir(parents=True)
        (place / ".step-1.npz.idabc.tmp").write_bytes(b"half")
        (place / ".step-1.npz.other.tmp").write_bytes(b"another run's")
        (place / "step-0.npz").write_bytes(b"whole")
    leftovers.scratch_folder("id").mkdir()
    service.get("id")
    for place in (folder / "checkpoints", models):
        assert {file.name for file in place.iterdir()} == {".step-1.npz.other.tmp", "step-0.npz"}
    assert not leftovers.scratch_folder("id").exists()


def test_while_a_dead_supervisors_processes_live_the_run_holds_its_device_until_they_had_their_time(stored, until):
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], process_group=0); print(); input()"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    leader.stdout.readline()
    store = stored(identity_of(leader.pid).as_dict())
    leader.kill()
    leader.wait()
    run = service.get("id")
    assert (run.status, run.message) == (
        "running",
        "its supervising process was killed; it writes a checkpoint and ends",
    )
    store.progress("id", {"heartbeat": time.time() - 28})  # 2 s between signs of life, 20 s grace, 5 s of the guard
    assert service.get("id").status == "failed"
    leader.stdin.close()
    leader.stdout.close()


def test_after_a_clock_that_jumped_back_what_a_dead_supervisor_left_does_not_keep_the_device(stored):
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()'], process_group=0); print(); input()"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    leader.stdout.readline()
    store = stored(identity_of(leader.pid).as_dict())
    leader.kill()
    leader.wait()
    store.progress("id", {"heartbeat": time.time() + 3600})
    assert service.get("id").status == "failed"
    leader.stdin.close()
    leader.stdout.close()


def test_a_run_whose_folder_vanished_says_so_and_can_only_be_deleted(stored):
    stored({}, status="failed", reason="broken", folder=False)
    run = service.get("id")
    assert (run.status, run.reason) == ("failed", "broken")
    assert re.fullmatch(r"The folder of the run, .*/runs/id, has vanished, .*", run.message)
    with pytest.raises(UsageError, match=r"has vanished.* It cannot be resumed\. Start it again\."):
        service.resume("id")
    service.delete("id")
    assert service.list_runs() == []


def test_this_process_supervises_what_it_has_just_submitted(stored):
    assert os.getpid() == stored({}).get("id").supervisor.pid
    assert service.get("id").status == "running"
