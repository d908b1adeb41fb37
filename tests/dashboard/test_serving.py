"""Every way to start the dashboard gives the same server, from any directory."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest
from streamlit import config

from cxr_core.errors import SettingsError
from cxr_core.settings import settings
from dashboard.known_hosts import known_hosts
from dashboard.serving import PRIVATE, USUAL, handed_over

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / ".streamlit" / "config.toml"
COMMANDS = {
    "python -m dashboard": [sys.executable, "-m", "dashboard"],
    "streamlit run": [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")],
}


def test_streamlit_finds_the_same_configuration_beside_the_script_and_in_the_root():
    assert (ROOT / "dashboard" / ".streamlit" / "config.toml").read_text() == CONFIG.read_text()


def test_the_configuration_keeps_to_itself():
    options = tomllib.loads(CONFIG.read_text())
    assert options["server"]["address"] == settings().address == "127.0.0.1"
    assert options["browser"]["gatherUsageStats"] is False
    assert options["server"]["showEmailPrompt"] is False
    assert "http" not in CONFIG.read_text(), "no font or theme comes from the network"


def test_what_the_user_gave_streamlit_itself_stays(monkeypatch):
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "9000")
    assert "STREAMLIT_SERVER_PORT" not in handed_over()


def test_what_privacy_depends_on_is_set_by_the_program_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "true")
    monkeypatch.setenv("STREAMLIT_SERVER_ENABLE_AGENT_API", "true")
    assert handed_over()["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert handed_over()["STREAMLIT_SERVER_ENABLE_AGENT_API"] == "false"


def test_the_program_says_all_that_the_file_says_but_how_things_look():
    said = {"server.address": settings().address} | PRIVATE | USUAL
    written = tomllib.loads(CONFIG.read_text())
    options = {
        f"{section}.{name}": value
        for section in written
        if section != "theme"
        for name, value in written[section].items()
    }
    assert {name: said.get(name) for name in options} == options


def test_each_option_that_is_handed_over_is_one_of_streamlits():
    known = config.get_config_options()
    assert all(known[name].env_var in handed_over() for name in {**PRIVATE, **USUAL, "server.allowedHosts": ""})


def test_the_address_and_what_the_settings_add_are_the_names_that_are_answered_to(monkeypatch):
    assert known_hosts("127.0.0.1") == ("127.0.0.1", "localhost", "::1")
    assert known_hosts("192.0.2.7", ["lab.example"]) == ("192.0.2.7", "lab.example")
    monkeypatch.setattr("socket.gethostname", lambda: "Reading-Room")
    assert {"127.0.0.1", "localhost", "reading-room"} <= set(known_hosts("0.0.0.0"))
    monkeypatch.setenv("CXR_HOSTS", "Lab.example, proxy")
    assert handed_over()["STREAMLIT_SERVER_ALLOWED_HOSTS"] == "127.0.0.1 localhost ::1 lab.example proxy"
    monkeypatch.setenv("CXR_HOSTS", "http://lab.example")
    with pytest.raises(SettingsError, match="CXR_HOSTS must be a text of host names"):
        settings()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A dashboard that was told to let itself be driven, and to answer to a further name."""
    port, folder = free_port(), tmp_path_factory.mktemp("served")
    variables = {"CXR_PORT": str(port), "CXR_HOSTS": "lab.example", "CXR_HOME": str(folder)}
    command = [*COMMANDS["python -m dashboard"], "--server.enableAgentApi", "true"]
    with serving(command, folder, variables) as process:
        assert answers(port)
        yield port
        process.terminate()


OWN_NAMES = ["127.0.0.1", "127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}", "lab.example", "LAB.example:80"]
FOREIGN_NAMES = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "lab.example.evil.example",
    "10.0.0.1",
    "",
]


@pytest.mark.parametrize("name", OWN_NAMES)
def test_requests_and_web_sockets_under_its_own_names_are_answered(served, name):
    host = name.format(port=served)
    assert status(served, "/", host) == 200
    assert status(served, "/_stcore/stream", host, web_socket=True) == 101


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_under_a_foreign_name_nothing_is_answered_though_it_is_its_own_origin(served, name):
    host = name.format(port=served)
    for path in (
        "/",
        "/train",
        "/_stcore/health",
        "/_stcore/host-config",
        "/static/index.html",
        "/media/x",
        "/app/static/x",
    ):
        assert status(served, path, host) in (400, 403), path
    assert status(served, "/_stcore/upload_file/a/b", host, method="PUT") in (400, 403)
    assert status(served, "/_stcore/stream", host, web_socket=True) in (400, 403)


def test_a_foreign_origin_is_refused_under_its_own_name_too(served):
    host = f"127.0.0.1:{served}"
    assert status(served, "/_stcore/stream", host, "http://evil.example", web_socket=True) == 403


def test_nobody_can_drive_it_as_an_agent_even_if_a_flag_says_so(served):
    with urllib.request.urlopen(f"http://127.0.0.1:{served}/_stcore/agent/openapi.json", timeout=20) as answer:
        assert json.load(answer)["info"]["x-streamlit-agent-api"] == "disabled"
    assert status(served, "/_stcore/agent/interact", f"127.0.0.1:{served}", method="POST") == 403


def status(port, path, host, origin=None, method="GET", web_socket=False):
    """Return the status of the answer to a request that names itself as it likes."""
    headers = {"Host": host, "Origin": origin or f"http://{host}", "Content-Length": "0"}
    if web_socket:
        key = base64.b64encode(bytes(16)).decode()
        headers |= {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.recv(4096).split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_dashboard_listens_where_the_settings_say(command, tmp_path):
    port = free_port()
    with serving(command, tmp_path, {"CXR_PORT": str(port)}) as process:
        assert answers(port), process.communicate()[0]
        process.terminate()
        said = process.communicate(timeout=20)[0]
    assert f"http://127.0.0.1:{port}" in said
    assert "email" not in said.lower()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_wrong_setting_ends_with_one_sentence_and_status_2(command, tmp_path):
    with serving(command, tmp_path, {"CXR_PORT": "99999"}) as process:
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "CXR_PORT must be a whole number between 1 and 65535. Received: 99999." in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (COMMANDS["python -m dashboard"], {"CXR_ADDRESS": "0.0.0.0"}),
        ([*COMMANDS["streamlit run"], "--server.address", "0.0.0.0"], {}),
    ],
)
def test_it_ends_with_one_sentence_rather_than_be_open_to_other_machines(command, variables, tmp_path):
    with serving(command, tmp_path, {"CXR_PORT": str(free_port())} | variables) as process:
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert said.startswith("The dashboard would listen on 0.0.0.0, where other machines reach it")
    assert len(said.splitlines()) == 1


def serving(command, folder, variables):
    environment = os.environ | variables | {"STREAMLIT_SERVER_HEADLESS": "true"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def answers(port: int) -> bool:
    for _ in range(150):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as response:
                return response.status == 200
        except OSError:
            time.sleep(0.2)
    return False
