"""With the embedded source alone, no Google library opens a socket: every way to make one is blocked."""

import subprocess
import sys

import pytest

BLOCKED = """
import socket, sys

def refuse(*arguments, **options):
    raise AssertionError(f"a socket was asked for: {arguments!r}")

socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = refuse
socket.create_connection = socket.getaddrinfo = refuse

from cxr_core.cli import main
from cxr_core.errors import CxrError

statuses = [main([*command, "--json"]) for command in COMMANDS]
print("STATUSES", statuses, sorted(name for name in sys.modules if name.startswith(("google.auth", "google.cloud."))))
"""

COMMANDS = [
    ["sources"],
    ["distribution"],
    ["models"],
    ["evaluate", "densenet_frontal_u0_0__w0_0"],
    ["compare", "densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"],
    ["runs"],
]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280, check=False)


def test_the_demo_opens_no_socket_and_loads_no_client(demo, monkeypatch):
    monkeypatch.setenv("CXR_RESAMPLES", "100")
    done = run(f"COMMANDS = {COMMANDS!r}\n{BLOCKED}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"STATUSES {[0] * len(COMMANDS)} []"


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:9"])
def test_the_block_would_notice(tmp_path, monkeypatch, endpoint):
    monkeypatch.setenv("CXR_BIGQUERY_ENDPOINT", endpoint)
    monkeypatch.setenv("CXR_BIGQUERY_TIMEOUT", "1")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    (tmp_path / "cxr.toml").write_text(
        '[sources.ours]\nkind = "bigquery"\nproject = "paying-project"\nlabels = "data-project.cxr.labels"\n'
    )
    done = run(f"COMMANDS = {[['distribution', '--source', 'ours']]!r}\n{BLOCKED}")
    assert "a socket was asked for" in done.stderr
