"""Runs as real processes: who may die, and what is known of it afterwards."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.identity import identity_of
from cxr_core.runs.session import members


def submit(kind="sleep", device="cpu", resumable=False, **config):
    return service.submit(kind, "model", "demo", config, device=device, resumable=resumable).run


def is_stepping(run):
    return lambda: (service.get(run).step or 0) > 0 and service.get(run)


def group_of(run):
    return members(run.supervisor.pid, run.process.pid)


def test_a_run_completes_with_its_rows_result_and_files(fake_kinds):
    run = service.wait(submit(steps=3), timeout=30)
    assert (run.status, run.reason, run.step, run.steps, run.epoch) == ("completed", None, 3, 3, 1)
    assert run.result == {"slept": 3}
    assert run.loss == pytest.approx(1 / 3)
    assert [row["step"] for row in service.read_metrics(run.run)] == [1, 2, 3]
    folder = fake_kinds / "runs" / run.run
    assert {file.name for file in folder.iterdir()} == {"config.json", "run.json", "metrics.jsonl", "log.txt"}
    assert "completed" in service.log_tail(run.run)


def test_the_work_of_a_run_stands_back_and_who_looks_after_it_does_not(fake_kinds, until, monkeypatch):
    own = psutil.Process().nice()
    run = until(is_stepping(submit("sleep")))
    assert psutil.Process(run.process.pid).nice() == own
    monkeypatch.delenv("CXR_NICENESS")
    run = until(is_stepping(submit("sleep", device=None)))
    assert psutil.Process(run.process.pid).nice() == min(19, own + 10)
    assert psutil.Process(run.supervisor.pid).nice() == own


def test_temporary_files_of_the_work_go_with_its_process(fake_kinds, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    run = service.wait(submit("litter"), timeout=30)
    assert run.status == "completed", run.reason
    assert run.result["litter"].startswith(str(tmp_path / "tmp"))
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_id_stands_on_the_command_line_of_each_process(fake_kinds, until):
    run = until(is_stepping(submit()))
    assert run.run in psutil.Process(run.supervisor.pid).cmdline()
    assert all(run.run in psutil.Process(pid).cmdline() for pid in group_of(run))


def test_killing_the_supervisor_ends_the_work_within_five_seconds_and_fails_the_run(fake_kinds, until):
    run = until(is_stepping(submit("worker", stubborn=True)))
    assert len(group_of(run)) == 3
    os.kill(run.supervisor.pid, signal.SIGKILL)
    until(lambda: group_of(run) == [], seconds=5)
    ended = service.get(run.run)
    assert ended.status == "failed"
    assert "supervised the run was killed" in ended.reason


def test_whoever_looks_first_kills_what_a_dead_supervisor_left(fake_kinds, until):
    run = until(is_stepping(submit("worker", stubborn=True)))
    for pid in group_of(run):
        os.kill(pid, signal.SIGSTOP)  # neither the work nor its guard can react
    os.kill(run.supervisor.pid, signal.SIGKILL)
    until(lambda: service.get(run.run).status == "failed")
    assert group_of(run) == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("refuse", "The phantom has no lungs."),
        ("break", "ZeroDivisionError: last line"),
        ("die", "killed by signal 9"),
        ("fill-disk", "The disk is full"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_a_failed_run_says_why(fake_kinds, kind, reason):
    run = service.wait(submit(kind), timeout=30)
    assert run.status == "failed"
    assert reason in run.reason
    log = service.log_tail(run.run)
    assert ("Traceback" in log) == (kind in {"break", "fill-disk", "unheard-of"})


def test_a_completed_run_keeps_what_its_step_remarked(fake_kinds):
    run = service.wait(submit("remark"), timeout=30)
    assert (run.status, run.reason) == ("completed", "It learned nothing that shows.")
    assert service.wait(submit("sleep", steps=1), timeout=30).reason is None


def test_a_run_whose_folder_vanishes_while_it_works_fails_for_that(fake_kinds, tmp_path, until):
    run = until(is_stepping(submit(resumable=True)))
    # at one stroke: the run writes while a removal goes from file to file
    (fake_kinds / "runs" / run.run).rename(tmp_path / "elsewhere")
    ended = service.wait(run.run, timeout=30)
    assert ended.status == "failed"
    assert f"The folder of the run, {fake_kinds / 'runs' / run.run}, has vanished" in ended.reason


def test_the_files_that_a_killed_run_was_writing_are_removed(fake_kinds, until):
    run = until(is_stepping(submit("save")))
    folder = fake_kinds / "runs" / run.run / "checkpoints"
    until(lambda: list(folder.glob(f".newest.{run.run}*.tmp")))
    os.kill(run.process.pid, signal.SIGKILL)
    assert service.wait(run.run, timeout=30).status == "failed"
    assert [file.name for file in folder.iterdir()] == ["newest"]


def test_two_runs_on_one_device_follow_each_other(fake_kinds, until):
    first, second = submit(steps=40), submit(steps=2)
    until(is_stepping(first))
    # the second run's supervisor, a process of its own, says that it waits once it is up
    waiting = until(lambda: (run := service.get(second)).message and run)
    assert (waiting.status, waiting.message) == ("queued", "waiting for the cpu: 1 run ahead")
    before, after = service.wait(first, timeout=30), service.wait(second, timeout=30)
    assert (before.status, after.status) == ("completed", "completed")
    assert after.started >= before.ended


def test_a_queued_run_is_cancelled_at_once_and_never_works(fake_kinds, until):
    first, second = submit(steps=30), submit()
    until(is_stepping(first))
    assert service.cancel(second).status == "cancelled"
    supervisor = service.get(second).supervisor
    until(lambda: identity_of(supervisor.pid) != supervisor)
    assert service.read_metrics(second) == []
    assert service.wait(first, timeout=30).status == "completed"


def test_a_running_run_stops_in_its_own_time(fake_kinds, until):
    run = until(is_stepping(submit()))
    service.cancel(run.run)
    ended = service.wait(run.run, timeout=30)
    assert (ended.status, ended.reason) == ("cancelled", "Cancelled by the user.")
    assert (fake_kinds / "runs" / run.run / "stopped").exists()


def test_a_run_that_does_not_stop_is_killed_after_the_grace_with_its_workers(fake_kinds, until):
    run = until(is_stepping(submit("worker", stubborn=True)))
    worker = psutil.Process(int((fake_kinds / "runs" / run.run / "worker").read_text()))
    service.cancel(run.run)
    assert service.wait(run.run, timeout=30).status == "cancelled"
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("target", ["supervisor", "process"])
def test_a_signal_to_one_of_its_processes_stops_a_run_properly(fake_kinds, until, target):
    run = until(is_stepping(submit()))
    os.kill(getattr(run, target).pid, signal.SIGTERM)
    ended = service.wait(run.run, timeout=30)
    assert ended.status == "cancelled"
    assert "Stopped by" in ended.reason
    assert (fake_kinds / "runs" / run.run / "stopped").exists()


def test_an_ended_run_is_resumed_under_its_id_if_its_kind_can(fake_kinds, until):
    run = until(is_stepping(submit(resumable=True, steps=15)))
    service.cancel(run.run)
    service.wait(run.run, timeout=30)
    resumed = service.resume(run.run)
    # Its supervisor may have taken it from the queue by the time that it is looked at.
    assert resumed.status in ("queued", "running")
    assert (resumed.run, resumed.reason) == (run.run, None)
    assert service.wait(run.run, timeout=30).status == "completed"
    with pytest.raises(UsageError, match="Only a failed or cancelled run"):
        service.resume(run.run)
    with pytest.raises(UsageError, match="cannot be resumed"):
        service.resume(service.wait(submit("refuse"), timeout=30).run)


def test_only_an_ended_run_is_deleted_with_its_folder(fake_kinds, until):
    run = until(is_stepping(submit()))
    with pytest.raises(UsageError, match="Cancel it before"):
        service.delete(run.run)
    service.cancel(run.run)
    service.wait(run.run, timeout=30)
    service.delete(run.run)
    assert service.list_runs() == []
    assert not (fake_kinds / "runs" / run.run).exists()


def test_a_completed_run_cannot_be_cancelled(fake_kinds):
    run = service.wait(submit(steps=1), timeout=30)
    with pytest.raises(UsageError, match="has completed already"):
        service.cancel(run.run)


def test_the_supervising_process_is_small():
    code = "import sys, cxr_core.cli, cxr_core.runs.supervisor, cxr_core.runs.step; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "pyarrow", "pandas", "psutil", "duckdb"} & set(done.stdout.split())
