"""Runs on a real Slurm that shares no disk with this machine: all goes over a Cloud Storage, by Google's own client."""

import os
import signal

import pytest
from quick_runs_away import cancelled_in_time, ended, start, steps

from cxr_core.runs import service
from cxr_core.runs.places.object_folder import ObjectFolder
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.registry import get_place

pytestmark = pytest.mark.slow


@pytest.fixture
def away(fake_kinds, slurm_over_a_bucket, bucket, none_left):
    """The place `cluster` with its folder in a bucket, for quick kinds of runs; the folder."""
    return ObjectFolder(f"{bucket}/runs")


def test_figures_come_while_it_works_and_result_and_log_at_the_end_and_nothing_is_left(away, until, tmp_path):
    run = start(steps=200)
    until(lambda: 5 < len(steps(run)) < 200)
    assert service.get(run).status == "running"
    done = ended(run)
    assert (done.status, done.reason, done.result) == ("completed", None, {"slept": 200})
    assert steps(run) == list(range(1, 201))
    until(lambda: away.names() == [])  # it goes once the end is written
    until(lambda: not (service.folder_of(run) / "there").exists())
    assert not list(tmp_path.glob(f"cxr-{run}-*")), "the scratch folder there"


def test_a_cancelled_run_has_time_to_stop_and_goes_on_from_there(away, until):
    done = cancelled_in_time(until)
    run = done.run
    service.resume(run)
    until(lambda: len(steps(run)) > done.step + 5)
    service.cancel(run)
    assert (ended(run).status, service.get(run).leg) == ("cancelled", 2)


def test_a_supervisor_that_was_killed_is_followed_by_another_which_loses_and_doubles_nothing(away, until):
    run = start(steps=120)
    until(lambda: len(steps(run)) > 5)
    first = service.get(run).supervisor
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: service.get(run).supervisor != first)
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 121))


def test_a_step_that_was_killed_is_told_with_its_last_words(away, until):
    run = start("die")
    done = ended(run)
    assert done.status == "failed"
    assert done.reason.startswith("The place cluster ended it: FAILED")
    until(lambda: away.names() == [])  # it goes once the end is written


def test_a_job_that_is_handed_over_twice_works_once(away, until):
    run = start(steps=60)
    until(lambda: service.get(run).status != "queued")  # it may be through before anybody looks
    folder = service.folder_of(run) / "there"
    get_place("cluster").submit(Job(run, 1, folder, f"{away.location}/{run}"))
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 61))


def test_a_store_that_is_away_leaves_the_run_as_it_is_and_its_end_is_found_out(away, cloud_storage, until):
    run = start(steps=200)
    until(lambda: len(steps(run)) > 5)
    cloud_storage.is_up = False
    until(lambda: (service.get(run).message or "").startswith("waiting: Cloud Storage cannot be reached"))
    assert service.get(run).status == "running"
    cloud_storage.is_up = True
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 201))
