"""Runs on a real Slurm, with quick kinds of work: what the store says of them, whatever happens on the way."""

import os
import signal

import pytest
from processes_of_runs import steps_there
from quick_runs_away import cancelled_in_time, ended, start, steps

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.registry import get_place

pytestmark = pytest.mark.slow


@pytest.fixture
def away(fake_kinds, slurm, none_left):
    """The place `cluster` for quick kinds of runs; what still runs at the end is cancelled before Slurm goes."""
    return slurm


def test_a_run_works_at_its_place_and_its_figures_log_and_result_come_back(away, until):
    run = start(steps=60)
    until(lambda: len(steps(run)) > 5)
    seen = service.get(run)
    assert (seen.status, seen.place, seen.step is not None) == ("running", "cluster", True)
    done = ended(run)
    assert (done.status, done.reason, done.result) == ("completed", None, {"slept": 60})
    assert steps(run) == list(range(1, 61))
    assert f"handed over to cluster as {run}.1" in service.log_tail(run)


def test_nothing_of_an_ended_run_is_left_at_its_place(away, tmp_path):
    ended(start(steps=1))
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_cancelled_run_has_time_to_stop_and_says_so(away, until):
    cancelled_in_time(until)


def test_a_run_that_does_not_stop_is_ended_by_its_place(away, until):
    run = start(stubborn=True)
    until(lambda: len(steps(run)) > 2)
    service.cancel(run)
    assert (ended(run).status, service.get(run).reason) == ("cancelled", "Cancelled by the user.")
    assert away.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i") == ""


def test_a_run_that_is_cancelled_while_it_waits_never_begins(away, until):
    first = [start(), start()]
    until(lambda: all(service.get(run).status == "running" for run in first))
    third = start()
    until(lambda: "waiting at cluster: PENDING" in (service.get(third).message or ""))
    assert service.get(third).status == "queued"
    service.cancel(third)
    assert (ended(third).status, service.get(third).reason) == ("cancelled", "Cancelled by the user.")
    assert steps(third) == []


def test_a_failure_there_is_told_in_its_own_words(away):
    run = ended(start("refuse"))
    assert (run.status, run.reason) == ("failed", "The phantom has no lungs.")


def test_a_killed_step_is_told_with_what_the_place_says(away, until):
    run = start()
    until(lambda: len(steps(run)) > 2)
    away.ask("scancel", f"--name={run}.1")
    done = ended(run)
    assert "cluster" in done.reason
    assert "CANCELLED" in done.reason


def test_a_run_that_is_put_back_into_the_queue_goes_on_from_its_last_checkpoint(away, until):
    run = start("go-on", steps=150)
    until(lambda: len(steps(run)) > 5)
    (first,) = steps_there(run)
    away.requeue(f"{run}.1")
    seen = until(lambda: (now := service.get(run)).message.startswith("waiting at cluster: PENDING") and now)
    assert (seen.status, steps_there(run)) == ("running", [])
    until(lambda: steps_there(run) not in ([], [first]), 60)
    done = ended(run)
    assert (done.status, done.leg, done.reason) == ("completed", 1, None)
    assert steps(run) == list(range(1, 151))


def test_a_step_whose_process_was_killed_fails_with_the_words_of_its_place_and_can_be_resumed(away, until):
    run = start(steps=60)
    until(lambda: len(steps(run)) > 2)
    (pid,) = steps_there(run)
    os.kill(pid, signal.SIGKILL)
    done = ended(run)
    assert done.status == "failed"
    assert done.reason.startswith("The place cluster ended it: FAILED")
    service.resume(run)
    assert ended(run).status == "completed"


def test_a_supervisor_that_was_killed_is_followed_by_another_which_loses_and_doubles_nothing(away, until):
    run = start(steps=200)
    until(lambda: len(steps(run)) > 5)
    first = service.get(run).supervisor
    os.kill(first.pid, signal.SIGKILL)
    seen = until(lambda: (now := service.get(run)).supervisor != first and now)
    assert seen.status == "running"
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 201))


def test_a_supervisor_that_is_asked_to_go_leaves_the_job_alone(away, until):
    run = start(steps=100)
    until(lambda: len(steps(run)) > 2)
    first = service.get(run).supervisor
    os.kill(first.pid, signal.SIGTERM)
    until(lambda: service.get(run).supervisor != first)
    assert ended(run).status == "completed"


def test_a_run_that_is_handed_over_twice_works_once(away, until, tmp_path):
    """As when the answer of sbatch was lost: the second job finds that the first has the leg."""
    run = start(steps=100)
    until(lambda: service.get(run).status == "running")
    get_place("cluster").submit(Job(run, 1, tmp_path / "shared" / run))
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 101))


def test_a_controller_that_is_away_leaves_the_run_as_it_is_and_its_end_is_found_out(away, until):
    run = start(steps=600)
    until(lambda: len(steps(run)) > 2)
    away.await_saved_state()
    away.kill_controller()
    try:
        seen = len(steps(run))
        until(lambda: len(steps(run)) > seen + 5)  # the figures come from the shared folder
        assert service.get(run).status == "running"
    finally:
        away.start_controller()
    done = ended(run)
    assert (done.status, done.reason) == ("completed", None)
    assert steps(run) == list(range(1, 601))


def test_a_run_of_a_silent_place_is_not_heard_from_and_neither_running_nor_failed_anew(away, until, tmp_path):
    away.kill_controller()
    try:
        run = start(steps=1)
        until(lambda: (service.get(run).message or "").startswith("not heard from cluster since"))
        assert service.get(run).status == "queued"
    finally:
        away.start_controller()
    assert ended(run).status == "completed"


def test_a_place_that_refuses_a_job_is_quoted(away, until, tmp_path):
    text = (tmp_path / "cxr.toml").read_text()
    (tmp_path / "cxr.toml").write_text(text + 'options = ["--partition=nowhere"]\n')
    run = ended(start())
    assert run.status == "failed"
    assert "invalid partition" in run.reason.lower()


def test_a_resumed_run_takes_what_it_had_along(away, until):
    run = start()
    until(lambda: len(steps(run)) > 2)
    service.cancel(run)
    before = ended(run)
    service.resume(run)
    until(lambda: service.get(run).status == "running")
    until(lambda: len(steps(run)) > before.step + 2)
    assert (service.get(run).leg, service.get(run).place) == (2, "cluster")
    assert steps(run)[: before.step - 1] == list(range(1, before.step))
    service.cancel(run)
    ended(run)


def test_a_run_moves_here_and_back(away, until):
    run = start("remark")
    ended(run)
    moved = start()
    until(lambda: len(steps(moved)) > 2)
    service.cancel(moved)
    ended(moved)
    here = service.resume(moved, place="here", device="cpu")
    assert (here.place, here.device) == ("here", "cpu")
    until(lambda: service.get(moved).status == "running")
    service.cancel(moved)
    assert ended(moved).status == "cancelled"


def test_an_unknown_place_is_refused_before_anything_is_written(away):
    with pytest.raises(UsageError, match="Unknown place 'clutser'"):
        service.submit("sleep", "m", "demo", {}, place="clutser")
    assert service.list_runs() == []
