"""Slurm's own programs answer; what is expected is what Slurm's manual says of them."""

import shlex
import tempfile
from pathlib import Path

import pytest

from cxr_core.errors import PlaceError
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.places.check import place_problems
from cxr_core.runs.places.place import Job, JobState
from cxr_core.runs.places.registry import get_place

pytestmark = pytest.mark.slow


@pytest.fixture
def job(tmp_path):
    workspace = tmp_path / "shared" / "100%"
    workspace.mkdir(parents=True, exist_ok=True)
    return Job(new_run_id(), 1, workspace)


@pytest.fixture
def place(slurm):
    return get_place("cluster")


@pytest.fixture
def instead(write_places, tmp_path):
    """A program that is started in place of Python there."""

    def write(text):
        program = tmp_path / "program"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        write_places(cluster={"kind": '"slurm"', "folder": f'"{tmp_path / "shared"}"', "python": f'"{program}"'})
        return get_place("cluster")

    return write


def state(place, job):
    return place.state(job).state


def test_a_job_that_was_never_handed_over_is_unknown(place, job):
    assert state(place, job) is JobState.UNKNOWN


def test_a_job_runs_in_its_folder_and_knows_its_own_number(slurm, instead, job, until):
    place = instead('echo "$@" in $(pwd) as $CXR_JOB with $CXR_HOME')
    place.submit(job)
    until(lambda: state(place, job) is JobState.ENDED)
    number = slurm.ask("squeue", "--states=all", "--noheader", f"--name={job.name}", "--format=%i").strip()
    words = (
        f"-m cxr_core run-step-there {job.run} 1 {job.workspace} in {job.workspace} as {number} with {job.workspace}"
    )
    assert job.log.read_text() == words + "\n"


def test_a_running_job_is_stopped_and_tells_so(slurm, instead, job, until):
    place = instead("sleep 600")
    place.submit(job)
    until(lambda: state(place, job) is JobState.RUNNING)
    place.stop(job)
    until(lambda: state(place, job) is JobState.ENDED)
    assert place.state(job).words.startswith("CANCELLED")


def test_a_waiting_job_is_stopped_before_it_begins(slurm, instead, job, until, tmp_path):
    place = instead("echo began; sleep 600")
    before = [Job(new_run_id(), 1, tmp_path / "shared") for _ in range(2)]
    for other in before:
        place.submit(other)
    until(lambda: all(state(place, other) is JobState.RUNNING for other in before))
    place.submit(job)
    until(lambda: state(place, job) is JobState.WAITING)
    place.stop(job)
    until(lambda: state(place, job) is JobState.ENDED)
    assert not job.log.exists()


def test_a_job_that_fails_tells_its_end(slurm, instead, job, until):
    place = instead("exit 3")
    place.submit(job)
    until(lambda: state(place, job) is JobState.ENDED)
    assert place.state(job).words == "FAILED (NonZeroExitCode)"


def test_a_controller_that_is_away_is_no_news_and_knows_its_jobs_when_it_is_back(slurm, instead, job, until):
    place = instead("sleep 600")
    place.submit(job)
    until(lambda: state(place, job) is JobState.RUNNING)
    slurm.await_saved_state()
    slurm.kill_controller()
    try:
        with pytest.raises(PlaceError, match="refused or does not answer"):
            place.state(job)
        assert "refused or does not answer: sinfo" in " ".join(place_problems("cluster", []))
    finally:
        slurm.start_controller()
    until(lambda: _is_running(place, job), 90)
    place.stop(job)


def _is_running(place, job):
    try:
        return state(place, job) is JobState.RUNNING
    except PlaceError:
        return False


def test_commands_go_where_the_prefix_takes_them(slurm, write_places, tmp_path):
    away = tmp_path / "away"
    away.write_text('#!/bin/sh\necho "$@" >> ' + shlex.quote(str(tmp_path / "said")) + '\nshift\nexec sh -c "$@"\n')
    away.chmod(0o755)
    keys = {"kind": '"slurm"', "folder": f'"{tmp_path}"', "prefix": f'"{away} login-node"'}
    write_places(cluster=keys)
    assert state(get_place("cluster"), Job("it's", 1, tmp_path)) is JobState.UNKNOWN
    assert get_place("cluster").answer("echo hello") == "hello\n"
    assert (tmp_path / "said").read_text().splitlines()[0].startswith("login-node squeue --noheader")


def test_a_place_that_is_ready_has_no_problems(slurm, tmp_path):
    record = tmp_path / "train-00000-of-00001"
    record.touch()
    assert place_problems("cluster", [str(record), "gs://bucket/file"]) == []


def test_a_place_without_the_records_the_folder_or_the_version_says_so(slurm, instead, tmp_path):
    instead("echo CXR Lab 0.0")
    found = place_problems("cluster", [str(tmp_path / "nothing")])
    assert "must have CXR Lab" in found[0]
    assert found[0].endswith("It says: CXR Lab 0.0.")
    assert "cannot read" in found[1]
    assert len(found) == 2


def test_a_folder_that_the_place_does_not_see_is_told(slurm, write_places, tmp_path):
    """The other side has nothing in that folder, as a machine that shares nothing with this one."""
    shared, away = tmp_path / "shared", tmp_path / "away"
    away.write_text(f'#!/bin/sh\nmount -t tmpfs none {shared} && exec sh -c "$1"\n')
    away.chmod(0o755)
    write_places(cluster={"kind": '"slurm"', "folder": f'"{shared}"', "prefix": f'"unshare --mount {away}"'})
    assert any("does not see the folder" in problem for problem in place_problems("cluster", []))


def test_a_place_that_works_as_another_user_is_told(slurm, write_places, tmp_path):
    """What is asked there is asked as nobody, who sees the folder, and not what is closed in it."""
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)
        away = tmp_path / "away"
        away.write_text(
            '#!/bin/sh\ncase "$1" in sh) exec setpriv --reuid=65534 --clear-groups sh;; esac\nexec sh -c "$1"\n'
        )
        away.chmod(0o755)
        write_places(cluster={"kind": '"slurm"', "folder": f'"{shared}"', "prefix": f'"{away}"'})
        assert any("but not what is closed to others there" in problem for problem in place_problems("cluster", []))
        assert list(Path(shared).iterdir()) == []
