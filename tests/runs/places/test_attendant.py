"""The process that looks after a run, with a stand-in for its place: whatever fails, a run ends once and loses nothing."""

import json
import signal
import time

import pytest

from cxr_core.errors import ExistsError
from cxr_core.runs.identity import own_identity
from cxr_core.runs.places import attendant as attendant_module
from cxr_core.runs.places import goods, hearing, stopping
from cxr_core.runs.places.attendant import Attendant
from cxr_core.runs.places.job_folder import JobFolder
from cxr_core.runs.places.place import Job, JobNews, JobState
from cxr_core.runs.run import Run
from cxr_core.runs.store import RunStore
from cxr_core.settings import settings

RUN = "20261127-080000-abcdef"
ENDED, RUNNING = JobNews(JobState.ENDED, "DONE"), JobNews(JobState.RUNNING, "RUNNING")

pytestmark = pytest.mark.timeout(30)  # what never ends is the fault


class StandIn:
    """A place that has the job; `news` is what it says of it, until it is asked to end it."""

    news = RUNNING

    def state(self, _job):
        return self.news

    def submit(self, _job):
        raise AssertionError("it was handed over before")

    def stop(self, _job):
        self.news = ENDED


@pytest.fixture
def place(monkeypatch):
    place = StandIn()
    monkeypatch.setattr(hearing, "get_place", lambda _name: place)
    return place


@pytest.fixture
def store(workspace, write_places, tmp_path, monkeypatch):
    """A store with one run that was handed over to the place `cluster`."""
    write_places(cluster={"kind": '"slurm"', "folder": f'"{tmp_path / "shared"}"'})
    for name, value in (("CXR_SHARED_DISK_LAG", "0"), ("CXR_CANCEL_GRACE", "0")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(attendant_module, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(stopping, "_BETWEEN_STOPS", 0.05)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    store = RunStore(workspace)
    now = time.time()
    store.insert(Run(RUN, "train", "m", "demo", now, now, "u", "h", {}, own_identity(), place="cluster"))
    store.run_folder(RUN).mkdir(parents=True)
    (store.run_folder(RUN) / "log.txt").touch()
    (store.run_folder(RUN) / "handed-over").write_text("1")
    return store


@pytest.fixture
def folder(store, tmp_path):
    """The folder of its job, of which a step has taken the first leg."""
    folder = JobFolder(Job(RUN, 1, tmp_path / "shared" / RUN))
    folder.path.mkdir(parents=True)
    folder.write_order(store.get(RUN), "1")
    assert folder.claim("1", "nonce")
    return folder


def attended(store):
    Attendant(store, RUN, settings()).supervise()
    return store.get(RUN)


def test_what_is_at_the_place_stays_when_another_process_has_the_run(store, folder, place, monkeypatch):
    place.news = ENDED
    folder.write_end(0)
    monkeypatch.setattr(RunStore, "end", lambda *_: False)
    Attendant(store, RUN, settings()).supervise()
    assert folder.path.is_dir()


def test_an_ended_run_leaves_nothing_at_its_place(store, folder, place):
    place.news = ENDED
    folder.write_end(0)
    assert attended(store).status == "completed"
    assert list(folder.path.parent.iterdir()) == []


def test_what_could_not_come_home_stays_at_the_place(store, folder, place, monkeypatch):
    place.news = ENDED
    folder.write_end(0)

    def refuse(*_):
        raise ExistsError("it was changed meanwhile")

    monkeypatch.setattr(goods, "fetch", refuse)
    run = attended(store)
    assert (run.status, run.reason) == ("failed", "it was changed meanwhile")
    assert folder.path.is_dir()


def test_a_cancel_is_heard_although_the_log_here_is_gone(store, folder, place):
    (store.run_folder(RUN) / "log.txt").unlink()
    store.request_cancel(RUN, "Cancelled by the user.")
    run = attended(store)
    assert (run.status, run.reason) == ("cancelled", "Cancelled by the user.")


def test_a_flag_that_cannot_be_written_keeps_no_job_from_being_ended(store, folder, place):
    (folder.path / "stop").mkdir()
    store.request_cancel(RUN, "Cancelled by the user.")
    assert attended(store).status == "cancelled"


def test_a_flag_is_written_once_the_folder_takes_it(store, folder, place):
    (folder.path / "stop").mkdir()
    seen = []

    def stop(_job):
        if not seen:
            (folder.path / "stop").rmdir()
        seen.append(folder.is_asked_to_stop())
        place.news = ENDED

    place.stop = stop
    place.state = lambda _job: ENDED if len(seen) and folder.is_asked_to_stop() else RUNNING
    store.request_cancel(RUN, "Cancelled by the user.")
    assert attended(store).status == "cancelled"


def test_a_look_that_stumbles_over_something_unforeseen_is_followed_by_another(store, folder, place, capsys):
    answers = iter([RuntimeError("a bug")])

    def state(_job):
        for error in answers:
            raise error
        folder.write_end(0)
        return ENDED

    place.state = state
    assert attended(store).status == "completed"
    assert "a bug" in capsys.readouterr().out


def test_a_result_that_is_no_json_keeps_the_run_from_no_end(store, folder, place):
    place.news = ENDED
    folder.write_end(0)
    (folder.path / "result.json").write_text(json.dumps({"auc": float("nan")}))
    run = attended(store)
    assert (run.status, run.result) == ("completed", None)


def test_a_run_whose_place_is_gone_ends_when_the_user_wants(store, folder, place, write_places):
    write_places(other={"kind": '"slurm"', "folder": '"shared"'})
    store.request_cancel(RUN, "Cancelled by the user.")
    run = attended(store)
    assert run.status == "cancelled"
    assert run.reason.startswith("Cancelled by the user. Nobody could ask cluster to end it: Unknown place 'cluster'")
    assert folder.path.is_dir()


def test_a_process_leaves_a_run_of_a_place_that_is_gone_to_the_one_that_took_it(
    store, folder, place, write_places, monkeypatch
):
    write_places(other={"kind": '"slurm"', "folder": '"shared"'})
    monkeypatch.setattr(attendant_module.RunRecord, "mine", lambda *_: None)
    assert attended(store).status == "queued"


def test_a_job_that_ended_while_its_folder_cannot_be_seen_is_not_said_to_have_failed(store, folder, place, tmp_path):
    hidden, looks = tmp_path / "hidden", []
    folder.path.rename(hidden)

    def state(_job):
        looks.append(store.get(RUN).status)
        if len(looks) == 4:
            hidden.rename(folder.path)
            folder.write_end(0)
        return ENDED

    place.state = state
    assert attended(store).status == "completed"
    assert "failed" not in looks


def test_a_run_whose_folder_cannot_be_seen_is_cancelled_when_the_user_wants(store, folder, place, tmp_path):
    folder.path.rename(tmp_path / "hidden")
    place.news = ENDED
    store.request_cancel(RUN, "Cancelled by the user.")
    assert attended(store).status == "cancelled"
