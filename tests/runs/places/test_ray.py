"""A real Ray answers: its Jobs API, its statuses, and runs of quick kinds on it."""

import http.server
import os
import signal
import threading
from functools import partial

import pytest
import quick_runs_away
from quick_runs_away import cancelled_in_time, start, steps

from cxr_core.errors import PlaceError, SettingsError
from cxr_core.runs import service
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.places.check import place_problems
from cxr_core.runs.places.place import Job, JobState
from cxr_core.runs.places.registry import get_place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def away(fake_kinds, ray, none_left):
    return ray


ended = partial(quick_runs_away.ended, timeout=90)


def test_a_place_that_is_ready_has_no_problems_and_one_without_the_records_says_so(ray, tmp_path):
    assert place_problems("cluster", []) == []
    (found,) = place_problems("cluster", [str(tmp_path / "nothing")])
    assert "cannot read" in found


def test_a_job_that_was_never_handed_over_is_unknown(ray, tmp_path):
    assert get_place("cluster").state(Job(new_run_id(), 1, tmp_path)).state is JobState.UNKNOWN


def test_a_run_works_there_and_a_second_job_of_its_name_is_refused(away, until, tmp_path):
    run = start(steps=200)
    until(lambda: len(steps(run)) > 5, 60)
    assert (service.get(run).status, service.get(run).place) == ("running", "cluster")
    with pytest.raises(PlaceError, match="already exists"):
        get_place("cluster").submit(Job(run, 1, tmp_path / "shared" / run))
    done = ended(run)
    assert (done.status, done.reason, done.result) == ("completed", None, {"slept": 200})
    assert steps(run) == list(range(1, 201))


def test_a_cancelled_run_has_time_to_stop_and_is_resumed(away, until):
    done = cancelled_in_time(until, ended, 60)
    run = done.run
    service.resume(run)
    until(lambda: len(steps(run)) > done.step + 2, 60)
    service.cancel(run)
    assert ended(run).status == "cancelled"


def test_a_run_that_is_cancelled_while_it_waits_never_begins(away, until):
    first = [start(), start()]
    until(lambda: all(service.get(run).status == "running" for run in first), 60)
    third = start()
    until(lambda: "waiting at cluster: PENDING" in (service.get(third).message or ""), 60)
    service.cancel(third)
    assert (ended(third).status, steps(third)) == ("cancelled", [])


def test_eight_runs_on_two_cpus_all_end_and_none_works_twice(away):
    runs = [start(steps=5) for _ in range(8)]
    assert [ended(run).status for run in runs] == ["completed"] * 8
    assert [steps(run) for run in runs] == [list(range(1, 6))] * 8


def test_a_supervisor_that_was_killed_is_followed_by_another(away, until):
    run = start(steps=300)
    until(lambda: len(steps(run)) > 5, 60)
    first = service.get(run).supervisor
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: service.get(run).supervisor != first)
    assert ended(run).status == "completed"
    assert steps(run) == list(range(1, 301))


def test_a_head_that_is_lost_with_its_jobs_fails_the_run_only_when_it_is_back_and_knows_nothing(away, until):
    run = start(steps=100_000)
    until(lambda: len(steps(run)) > 5, 60)
    away.kill()
    until(lambda: (service.get(run).message or "").startswith("not heard from cluster since"), 60)
    assert service.get(run).status == "running"
    away.start()
    done = ended(run)
    assert done.status == "failed"
    assert "knows the job no more, and its step gives no sign of life" in done.reason
    assert done.reason.endswith("Resume it or start it again.")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({}, "address must be that of the head"),
        ({"address": '"head:8265"'}, "address must be that of the head"),
        ({"address": '"http://head"', "gpus": "-1"}, "gpus must be a number of at least 0"),
        ({"address": '"http://head"', "cpus": "true"}, "cpus must be a number"),
        ({"address": '"http://head"', "prefix": '"ssh"'}, "unknown key 'prefix'"),
    ],
)
def test_what_is_wrong_with_a_definition_is_one_sentence(write_places, keys, sentence):
    write_places(cluster={"kind": '"ray"', "folder": '"shared"'} | keys)
    with pytest.raises(SettingsError, match=sentence):
        get_place("cluster")


def test_a_head_that_is_not_there_and_a_server_that_is_no_head_are_told(write_places, tmp_path):
    job = Job(new_run_id(), 1, tmp_path)
    server = http.server.HTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    write_places(cluster={"kind": '"ray"', "folder": '"shared"', "address": f'"{address}"'})
    with pytest.raises(PlaceError, match="does not answer at|not as a head of Ray does"):
        get_place("cluster").state(job)
    server.shutdown()
    server.server_close()
    with pytest.raises(PlaceError, match=f"does not answer at {address}: .*refused"):
        get_place("cluster").state(job)


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_):
        pass
