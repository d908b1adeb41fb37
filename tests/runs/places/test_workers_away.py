"""Several workers of a quick run on a real Slurm: Cancel reaches all, and one that is lost too often fails the run."""

import os
import signal

import pytest
from processes_of_runs import workers_of
from quick_runs_away import ended, start, steps

from cxr_core.runs import service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def together(fake_kinds, slurm, none_left, until):
    """Start a run of two workers that goes on from its last step, and return it once both work."""

    def begin(restarts):
        run = start("go-on", steps=100_000, crew={"workers": 2, "restarts": restarts})
        until(lambda: len(steps(run)) > 2 and len(workers_of(run)) == 2, 90)
        return run

    return begin


def test_a_cancelled_run_ends_all_its_workers_in_time(together):
    run = together(restarts=1)
    service.cancel(run)
    done = ended(run, 90)
    assert (done.status, done.reason) == ("cancelled", "Cancelled by the user.")
    assert workers_of(run) == []


def test_a_worker_that_is_lost_more_often_than_is_allowed_fails_the_run_which_can_be_resumed(together, until):
    run = together(restarts=1)
    for lost in range(2):
        worked, before = len(steps(run)), set(workers_of(run))
        os.kill(workers_of(run)[1], signal.SIGKILL)
        if lost == 0:
            until(lambda before=before: len(set(workers_of(run)) - before) == 2, 90)
            until(lambda worked=worked: len(steps(run)) > worked, 90)
    done = ended(run, 90)
    assert done.status == "failed"
    assert done.reason.startswith("A worker was lost 2 times, with 1 restart allowed.")
    assert workers_of(run) == []
    worked = len(steps(run))
    service.resume(run)
    until(lambda: len(steps(run)) > worked, 90)
    assert steps(run) == list(range(1, len(steps(run)) + 1))
    service.cancel(run)
    assert ended(run, 90).status == "cancelled"
