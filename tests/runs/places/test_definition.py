import socketserver
import threading
from pathlib import Path

import pytest

from cxr_core.errors import CxrError, PlaceError, SettingsError, UnknownNameError
from cxr_core.runs.places.check import definition_problems
from cxr_core.runs.places.place import Job
from cxr_core.runs.places.registry import check_names, definition_of, get_place, place_names

GOOD = {"kind": '"slurm"', "folder": '"shared"'}


def test_here_is_a_place_without_any_file():
    assert place_names() == ["here"]


def test_places_are_listed_by_name_and_their_folder_starts_at_the_file(write_places, tmp_path):
    write_places(tokyo=GOOD, boston=GOOD)
    assert place_names() == ["here", "boston", "tokyo"]
    assert definition_of("tokyo").folder == tmp_path / "shared"
    assert definition_problems("tokyo") == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"folder": '"x"'}, "kind must be one of"),
        ({"kind": '"abacus"', "folder": '"x"'}, "kind must be one of"),
        ({"kind": '["slurm"]', "folder": '"x"'}, "kind must be one of"),
        ({"kind": '"slurm"'}, "folder must be a folder that both"),
        (GOOD | {"folder": '"http://bucket/x"'}, "folder must be a folder, or lie on gs://, s3:// or file://"),
        (GOOD | {"folder": '"gs://BUCKET/x"'}, "folder must be a folder, or lie on gs://, s3:// or file://"),
        (GOOD | {"folder": "3"}, "folder must be a text"),
        (GOOD | {"foldr": '"x"'}, "unknown key 'foldr'"),
        (GOOD | {"python": '"a\\nb"'}, "python must be a text on one line"),
        (GOOD | {"setup": '"module load cuda"'}, "setup must be a list of texts"),
        (GOOD | {"environment": "{ A = 1 }"}, "environment must be a table of texts"),
        (GOOD | {"environment": '{ "A;B" = "1" }'}, "environment must be a table of texts"),
        (GOOD | {"prefix": "'ssh \"cluster'"}, "prefix must be a command as a shell reads it"),
        (GOOD | {"options": '["-t 3"]'}, "options must be options of sbatch"),
        (GOOD | {"options": '["--job-name=mine"]'}, "options must be options of sbatch"),
    ],
)
def test_what_is_wrong_with_a_definition_is_one_sentence(write_places, keys, sentence):
    write_places(cluster=keys)
    with pytest.raises(SettingsError) as refused:
        get_place("cluster")
    assert sentence in str(refused.value)
    assert "[places.cluster]" in str(refused.value)
    assert definition_problems("cluster") == [str(refused.value)]


def test_a_place_that_is_not_described_is_refused_with_those_that_are(write_places):
    write_places(cluster=GOOD)
    with pytest.raises(UnknownNameError, match="Choose one of: here, cluster"):
        get_place("clutser")


def test_the_name_of_this_machine_cannot_be_described(write_places):
    write_places(here=GOOD)
    with pytest.raises(SettingsError, match="Rename yours"):
        check_names()


def test_a_place_without_its_program_says_what_to_install(write_places, monkeypatch):
    write_places(cluster=GOOD)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CxrError, match="Install Slurm's commands"):
        get_place("cluster").answer("true")


@pytest.mark.parametrize(
    "keys",
    [
        GOOD | {"environment": '{ TOKEN = "hunter2", "A;B" = "1" }'},
        GOOD | {"setup": '["export TOKEN=hunter2", 3]'},
        {"kind": '"ray"', "folder": '"shared"', "address": '"http://ada:hunter2@head:8265"'},
        {"kind": '"ray"', "folder": '"shared"', "address": '"http://ada:p@hunter2@head:8265"'},
        {"kind": '"ray"', "folder": '"shared"', "address": '"ftp://ada:hunter2@head:8265"'},
    ],
)
def test_no_secret_is_shown_in_what_is_wrong(write_places, keys):
    write_places(cluster=keys)
    (sentence,) = definition_problems("cluster")
    assert "hunter2" not in sentence


@pytest.mark.parametrize("address", ["http://head:port", "http://head:99999", "http://:8265", "http://[head"])
def test_an_address_that_leads_nowhere_is_refused(write_places, address):
    write_places(cluster={"kind": '"ray"', "folder": '"shared"', "address": f'"{address}"'})
    with pytest.raises(SettingsError, match="address must"):
        get_place("cluster")


def test_the_commands_of_slurm_see_nothing_of_this_server(write_places, tmp_path, monkeypatch):
    """A prefix that hands its last argument to a shell shows what the command would see."""
    (tmp_path / "show").write_text("#!/bin/sh\nenv\n")
    (tmp_path / "show").chmod(0o755)
    write_places(cluster=GOOD | {"prefix": f'"{tmp_path / "show"}"'})
    for name in ("CXR_AUTH_CLIENT_SECRET", "CXR_RUN", "CXR_HOME", "PYTHONPATH", "TMPDIR", "SLURM_CONF"):
        monkeypatch.setenv(name, str(tmp_path))
    seen = {line.partition("=")[0] for line in get_place("cluster").answer("true").splitlines()}
    assert "SLURM_CONF" in seen
    assert not seen & {"CXR_AUTH_CLIENT_SECRET", "CXR_RUN", "CXR_HOME", "PYTHONPATH", "TMPDIR"}


@pytest.mark.parametrize("said", [b"no HTTP\r\n\r\n", b"HTTP/1.1 500 Bad\r\nContent-Length: 99\r\n\r\nhalf"])
def test_a_head_that_breaks_off_is_told_in_a_sentence(write_places, said):
    """Of a server that speaks no HTTP, or dies in the middle of its answer."""

    class Broken(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(said)

    with socketserver.TCPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        write_places(cluster={"kind": '"ray"', "folder": '"shared"', "address": f'"{address}"'})
        with pytest.raises(PlaceError, match="The place cluster (refused|does not answer)"):
            get_place("cluster").state(Job("run", 1, Path("nowhere")))
        server.shutdown()
