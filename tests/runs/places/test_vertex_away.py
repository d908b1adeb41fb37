"""Runs at Vertex AI, by a server that stands in for it and a bucket that stands in for Cloud Storage: both by Google's clients."""

import os
import sys

import pytest
from processes_of_runs import steps_there
from quick_runs_away import ended, start, steps

from cxr_core.runs import service
from cxr_core.runs.places.object_folder import ObjectFolder

pytestmark = pytest.mark.slow


@pytest.fixture
def server():
    from vertex_server import VertexServer

    server = VertexServer()
    yield server
    server.stop()


@pytest.fixture
def vertex(fake_kinds, server, cloud_storage, bucket, shared_with, tmp_path, none_left):
    """The place `cluster` at Vertex AI, for quick kinds of runs; the server."""
    shared_with(
        kind='"vertex"',
        folder=f'"{bucket}/runs"',
        variables={"CXR_GCS_ENDPOINT": os.environ["CXR_GCS_ENDPOINT"], "TMPDIR": str(tmp_path)},
        python=f'"{sys.executable}"',
        project='"our-project"',
        region='"europe-west4"',
        image='"cxr-lab"',
        machine='"n1-standard-4"',
        endpoint=f'"{server.endpoint}"',
    )
    return server


def test_a_run_works_and_its_figures_come_while_it_does(vertex, bucket, until):
    run = start(steps=120)
    until(lambda: 5 < len(steps(run)) < 120)
    until(lambda: service.get(run).status == "running")
    done = ended(run)
    assert (done.status, done.reason, done.result) == ("completed", None, {"slept": 120})
    assert steps(run) == list(range(1, 121))
    until(lambda: ObjectFolder(f"{bucket}/runs").names() == [])
    assert len(vertex.jobs) == 1


def test_a_machine_that_is_taken_away_is_followed_by_another_which_has_what_the_first_had_sent(vertex, until):
    run = start(behind=True)
    until(lambda: len(steps(run)) > 5)
    first = set(steps_there(run))
    assert first
    vertex.the_job().preempt()
    until(lambda: not first & set(steps_there(run)))  # a step does not outlive its courier
    until(lambda: 1 in steps(run)[1:], 60)  # this kind of work begins anew, behind the rows that were sent before
    assert service.get(run).status == "running"
    service.cancel(run)
    assert ended(run).status == "cancelled"
    rows = steps(run)
    begin = rows.index(1, 1)
    assert rows[:begin] == list(range(1, begin + 1))
    assert rows[begin:] == list(range(1, len(rows) - begin + 1))


def test_a_run_that_waits_says_so_and_is_cancelled_there(vertex, until):
    vertex.holds = True
    run = start()
    until(lambda: service.get(run).message == "waiting at cluster: PENDING")
    assert service.get(run).status == "queued"
    service.cancel(run)
    assert ended(run).status == "cancelled"
    assert vertex.the_job().is_cancelled


def test_a_quota_that_is_exceeded_ends_the_run_in_googles_words(vertex):
    vertex.quota = "The following quota metrics exceed quota limits: custom_model_training_nvidia_t4_gpus"
    run = ended(start())
    assert run.status == "failed"
    assert "The place cluster refused" in run.reason
    assert "exceed quota limits: custom_model_training_nvidia_t4_gpus" in run.reason


def test_a_job_that_fails_before_it_begins_is_told_in_vertexs_words(vertex, until):
    vertex.holds = True
    run = start()
    until(lambda: vertex.jobs)
    vertex.the_job().forced = ("FAILED", 8, "Resources are insufficient in region: europe-west4.")
    done = ended(run)
    assert done.status == "failed"
    assert "FAILED (Resources are insufficient in region: europe-west4.)" in done.reason


def test_a_service_that_is_away_leaves_the_run_as_it_is_while_its_step_is_heard(vertex, until):
    run = start(steps=200)
    until(lambda: len(steps(run)) > 5)
    vertex.is_up = False
    seen = len(steps(run))
    until(lambda: len(steps(run)) > seen + 5)
    assert service.get(run).status == "running"
    vertex.is_up = True
    assert ended(run).status == "completed"


def test_a_run_that_nobody_hears_of_is_not_heard_from_and_neither_running_nor_failed_anew(vertex, until):
    vertex.is_up = False
    run = start(steps=1)
    until(lambda: (service.get(run).message or "").startswith("not heard from cluster since"))
    assert service.get(run).status == "queued"
    vertex.is_up = True
    assert ended(run).status == "completed"


def test_a_job_that_vertex_has_lost_fails_once_its_step_gives_no_sign_of_life(vertex, until):
    run = start()
    until(lambda: len(steps(run)) > 5)
    vertex.the_job().kill()
    vertex.jobs.clear()
    done = ended(run, timeout=120)
    assert done.status == "failed"
    assert "knows the job no more, and its step gives no sign of life" in done.reason
