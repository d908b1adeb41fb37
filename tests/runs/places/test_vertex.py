"""Vertex AI, by Google's own client against a server that stands in for it: requests, states, refusals, cost."""

import socket
import sys

import pytest

from cxr_core.errors import CxrError, PlaceError, SettingsError
from cxr_core.runs.places import vertex as vertex_module
from cxr_core.runs.places.check import place_problems
from cxr_core.runs.places.place import Job, JobState
from cxr_core.runs.places.registry import get_place

PLACE = {
    "kind": '"vertex"',
    "folder": '"gs://our-bucket/runs"',
    "project": '"our-project"',
    "region": '"europe-west4"',
    "image": '"europe-west4-docker.pkg.dev/our-project/cxr/cxr-lab:1"',
    "machine": '"n1-standard-8"',
}
RUN = Job("20261127-080000-abcdef", 1, None, "gs://our-bucket/runs/20261127-080000-abcdef")

pytestmark = pytest.mark.slow  # Google's client takes a second to load


@pytest.fixture
def server():
    from vertex_server import VertexServer

    server = VertexServer()
    server.holds = True
    yield server
    server.stop()


@pytest.fixture
def place(server, write_places):
    """Describe the place `vertex` with further keys, and return it."""

    def described(**keys):
        write_places(vertex=PLACE | {"endpoint": f'"{server.endpoint}"'} | keys)
        return get_place("vertex")

    return described


def test_a_request_is_a_custom_job_of_the_reference(server, place):
    place(
        accelerator='"NVIDIA_TESLA_T4"',
        accelerators="2",
        service_account='"trainer@our-project.iam.gserviceaccount.com"',
        labels='{ team = "chest" }',
        hours="12.5",
        spot="true",
        disk_gb="200",
        environment='{ OMP_NUM_THREADS = "8" }',
    ).submit(RUN)
    (job,) = server.created
    (pool,) = job.job_spec.worker_pool_specs
    assert list(server.jobs) == ["projects/our-project/locations/europe-west4/customJobs/1"]
    assert (job.display_name, dict(job.labels)) == (
        "20261127-080000-abcdef.1",
        {"team": "chest", "cxr-run": "20261127-080000-abcdef-1"},
    )
    assert (pool.replica_count, pool.disk_spec.boot_disk_size_gb) == (1, 200)
    assert (pool.machine_spec.machine_type, pool.machine_spec.accelerator_type.name) == (
        "n1-standard-8",
        "NVIDIA_TESLA_T4",
    )
    assert pool.machine_spec.accelerator_count == 2
    assert pool.container_spec.image_uri.endswith("/cxr-lab:1")
    assert list(pool.container_spec.command) == ["sh", "-c"]
    (script,) = pool.container_spec.args
    assert script.endswith(f"exec python3 -m cxr_core run-courier {RUN.run} 1 {RUN.location}\n")
    assert "export OMP_NUM_THREADS=8" in script
    scheduling = job.job_spec.scheduling
    assert (scheduling.timeout.total_seconds(), scheduling.strategy.name) == (45_000, "SPOT")
    assert scheduling.restart_job_on_worker_restart
    assert job.job_spec.service_account == "trainer@our-project.iam.gserviceaccount.com"


def test_a_tpu_is_asked_for_by_its_topology(server, place):
    place(machine='"ct5lp-hightpu-4t"', tpu_topology='"2x2"').submit(RUN)
    machine = server.created[0].job_spec.worker_pool_specs[0].machine_spec
    assert (machine.machine_type, machine.tpu_topology, machine.accelerator_count) == ("ct5lp-hightpu-4t", "2x2", 0)


def test_two_requests_for_one_leg_are_told_apart_there(server, place):
    """Of two jobs of one leg the second ends; one that Vertex starts again has the same text, and goes on."""
    vertex = place()
    vertex.submit(RUN)
    vertex.submit(RUN)
    first, second = (job.job_spec.worker_pool_specs[0].container_spec.args[0] for job in server.created)
    assert first != second


@pytest.mark.parametrize(
    ("said", "state"),
    [
        *((name, JobState.WAITING) for name in ("QUEUED", "PENDING")),
        *((name, JobState.RUNNING) for name in ("RUNNING", "CANCELLING", "PAUSED", "UPDATING", "UNSPECIFIED")),
        *((name, JobState.ENDED) for name in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "PARTIALLY_SUCCEEDED")),
    ],
)
def test_each_state_of_a_job_is_one_of_ours(server, place, said, state):
    vertex = place()
    vertex.submit(RUN)
    server.the_job().forced = (said, 0, "")
    news = vertex.state(RUN)
    assert (news.state, news.words) == (state, said)


def test_an_error_is_told_in_vertexs_words_and_a_job_that_goes_on_counts_before_one_that_ended(server, place):
    vertex = place()
    vertex.submit(RUN)
    server.the_job().forced = ("FAILED", 8, "The following quota metrics\nexceed quota limits: x")
    assert vertex.state(RUN).words == "FAILED (The following quota metrics exceed quota limits: x)"
    vertex.submit(RUN)
    assert vertex.state(RUN).state is JobState.WAITING


def test_a_job_that_never_came_or_was_forgotten_is_unknown(server, place):
    assert place().state(RUN).state is JobState.UNKNOWN
    place().submit(RUN)
    assert place().state(Job(RUN.run, 2, None, RUN.location)).state is JobState.UNKNOWN


def test_a_quota_that_is_exceeded_is_a_refusal_in_googles_words(server, place):
    server.quota = "The following quota metrics exceed quota limits: custom_model_training_nvidia_t4_gpus"
    with pytest.raises(
        PlaceError, match=r"The place vertex refused: .*exceed quota limits: custom_model_training_nvidia"
    ):
        place().submit(RUN)


def test_a_body_that_the_reference_does_not_know_is_refused_by_the_stand_in(server):
    import urllib.error
    import urllib.request

    address = f"{server.endpoint}/v1/projects/our-project/locations/europe-west4/customJobs"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(address, b'{"displayName": "x", "jobSpec": {"workerPools": []}}')


def test_only_what_goes_on_is_cancelled(server, place):
    vertex = place()
    vertex.submit(RUN)
    vertex.stop(RUN)
    assert vertex.state(RUN).words == "CANCELLED"
    vertex.stop(RUN)
    vertex.stop(Job(RUN.run, 2, None, RUN.location))


def test_a_service_that_is_away_does_not_answer(place):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(PlaceError, match=rf"The place vertex does not answer at {endpoint}"):
        place(endpoint=f'"{endpoint}"').state(RUN)


def test_missing_credentials_are_said_in_words(place, monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(PlaceError, match="needs Google credentials.*gcloud auth application-default login"):
        place(endpoint='"https://127.0.0.1:9"').state(RUN)


def test_without_googles_client_one_line_says_what_to_install(write_places, monkeypatch):
    write_places(vertex=PLACE)
    monkeypatch.setitem(sys.modules, "google.cloud.aiplatform_v1", None)
    monkeypatch.setattr(vertex_module, "find_spec", lambda _name: None)
    with pytest.raises(PlaceError, match=r'needs Google\'s client\. Install it: pip install "cxr-lab\[vertex\]"\.$'):
        get_place("vertex")


def test_a_training_on_it_ends_in_that_line_before_anything_is_written(small_demo, write_places, cxr, monkeypatch):
    write_places(google=PLACE)
    monkeypatch.setattr(vertex_module, "find_spec", lambda _name: None)
    done = cxr("train", "--on", "google")
    assert done.returncode == 2
    assert done.stderr == 'The place google needs Google\'s client. Install it: pip install "cxr-lab[vertex]".\n'
    assert cxr("runs", "--json").stdout == "[]\n"


def test_records_on_a_disk_of_ours_are_refused_before_the_start(small_demo, place, cxr):
    place()
    done = cxr("train", "--on", "vertex", "--image-size", "32")
    assert done.returncode == 2
    assert done.stderr.startswith("The place vertex reads records on gs:// alone. Received: /")


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"folder": '"shared"'}, "folder must lie on gs://"),
        ({"folder": '"s3://bucket/x"'}, "folder must lie on gs://"),
        ({"region": '"Europe"'}, "region must be"),
        ({"project": '""'}, "project must be"),
        ({"image": '"a b"'}, "image must be"),
        ({"machine": '""'}, "machine must be"),
        ({"accelerators": "-1"}, "accelerators must be a number of at least 0"),
        ({"labels": '{ Team = "x" }'}, "labels must be a table"),
        ({"spot": '"yes"'}, "spot must be true or false"),
        ({"prices": '{ n1-standard-8 = "cheap" }'}, "prices must be a table"),
        ({"hours": "0"}, "hours must be a number"),
        ({"endpoint": '"ftp://x"'}, "endpoint must be the address"),
        ({"cpus": "3"}, "unknown key 'cpus'"),
    ],
)
def test_what_is_wrong_with_a_definition_is_one_sentence(write_places, keys, sentence):
    write_places(vertex=PLACE | keys)
    with pytest.raises(SettingsError, match=sentence):
        get_place("vertex")


def test_an_accelerator_that_does_not_exist_is_refused_before_google_is_asked(server, place):
    with pytest.raises(CxrError, match="accelerator is none that Google's client knows"):
        place(accelerator='"GEFORCE"').submit(RUN)
    assert server.created == []


def test_the_cost_comes_from_the_users_table_alone(place):
    plain = {"accelerator": '"NVIDIA_TESLA_T4"', "accelerators": "2", "hours": "10"}
    assert place(**plain).terms().cost == (
        "n1-standard-8 and 2 x NVIDIA_TESLA_T4, billed by Google; what an hour of n1-standard-8 costs is not said in "
        "[places.vertex.prices]"
    )
    prices = {"prices": "{ n1-standard-8 = 0.5, NVIDIA_TESLA_T4 = 0.25 }", "currency": '"EUR"'}
    assert place(**plain, **prices).terms().cost == (
        "n1-standard-8 and 2 x NVIDIA_TESLA_T4 for 1.00 EUR an hour by your table of prices: at most 10.00 EUR in 10 hours"
    )


def test_a_check_asks_whether_the_project_answers_and_whether_the_folder_is_there(cloud_storage, server, place):
    place(folder='"gs://cxr-test/runs"')
    assert place_problems("vertex", ["gs://cxr-test/file"]) == []
    assert place_problems("vertex", ["/records/file"]) == [
        "vertex cannot read /records/file. Put records where both can read them, or on gs://."
    ]
    place(folder='"gs://cxr-nowhere/runs"')
    (problem,) = place_problems("vertex", [])
    assert "gs://cxr-nowhere" in problem
