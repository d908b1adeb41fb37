"""Every way to start the dashboard gives the same server, from any directory."""

import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

from cxr_core.settings import settings
from dashboard.serving import missing_variables

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
    assert "STREAMLIT_SERVER_PORT" not in missing_variables()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_the_dashboard_listens_where_the_settings_say(command, tmp_path):
    port = free_port()
    with serving(command, tmp_path, {"CXR_PORT": str(port)}) as process:
        assert answers(port), process.communicate()[0]
        process.terminate()
        said = process.communicate(timeout=20)[0]
    assert f"http://127.0.0.1:{port}" in said
    assert "email" not in said.lower()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_wrong_setting_ends_with_one_sentence_and_status_2(command, tmp_path):
    with serving(command, tmp_path, {"CXR_PORT": "99999"}) as process:
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 2
    assert "CXR_PORT must be a whole number between 1 and 65535. Received: 99999." in said
    assert "Traceback" not in said


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
