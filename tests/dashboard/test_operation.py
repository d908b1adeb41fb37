"""What whoever runs a server relies on: who reaches it, whether it is well, its counters, and logs without names."""

import asyncio
import contextlib
import json
import logging
import sys

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

from cxr_core.runs.store import RunStore
from dashboard.counters import Counters
from dashboard.operation import operation_routes
from dashboard.reach import is_loopback, refusal
from dashboard.request_log import JsonLines, RequestLog

PATIENT, TOKEN = "p10000032", "s3cret-token"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"])
def test_it_listens_where_only_this_machine_reaches_it(address):
    assert is_loopback(address)
    assert refusal(address) == ""


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "192.0.2.7", "lab.example", "", "127.0.0.1.evil.example", "fe80::1"]
)
def test_it_refuses_to_listen_where_others_reach_it_unless_told_so_by_name(address, monkeypatch):
    assert "CXR_WITHOUT_LOGIN=true" in refusal(address)
    monkeypatch.setenv("CXR_WITHOUT_LOGIN", "true")
    assert refusal(address) == ""


async def _socket(web_socket):
    await web_socket.accept()
    await web_socket.close()


def _broken(_request):
    raise KeyError(PATIENT)


class Client:
    """Asks an ASGI application as a server would: status, headers and text of the answer."""

    def __init__(self, app):
        self._app = app

    def get(self, path, query="", cookie=""):
        sent = self._ask({"type": "http", "method": "GET"}, path, query, cookie, [{"type": "http.request"}])
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in sent).decode()
        return start["status"], dict(start["headers"]), body

    def connect(self, path, query=""):
        messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        self._ask({"type": "websocket"}, path, query, "", messages)

    def _ask(self, kind, path, query, cookie, messages):
        sent = []
        scope = kind | {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": ""}
        scope |= {"headers": [(b"cookie", cookie.encode())], "http_version": "1.1", "scheme": "http"}

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        with contextlib.suppress(KeyError):
            asyncio.run(self._app(scope, receive, send))
        return sent


@pytest.fixture
def client():
    counters = Counters()
    routes = [
        Route("/train", lambda request: PlainTextResponse("a page")),
        Route("/broken", _broken),
        WebSocketRoute("/_stcore/stream", _socket),
        *operation_routes(counters),
    ]
    app = RequestLog(Starlette(routes=routes), counters, ("train",), writes=True)
    return Client(app)


def test_healthz_says_whether_the_workspace_can_be_used_and_no_more(client, workspace):
    assert json.loads(client.get("/healthz")[2])["status"] == "ok"
    workspace.mkdir()
    RunStore(workspace).path.write_bytes(b"no database" * 1000)
    status, _, text = client.get("/healthz")
    assert (status, json.loads(text)["status"]) == (503, "the workspace cannot be used")
    assert str(workspace) not in text


def test_counters_are_given_only_where_they_are_switched_on(client, monkeypatch):
    assert client.get("/metrics")[0] == 404
    monkeypatch.setenv("CXR_METRICS", "true")
    client.get("/train")
    client.connect("/_stcore/stream")
    _, headers, text = client.get("/metrics")
    lines = text.splitlines()
    assert headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
    answered = {f'cxr_requests_total{{status="{status}"}} 1' for status in (101, 200, 404)}
    assert answered | {"cxr_sessions 0", "cxr_sessions_total 1", 'cxr_runs{status="failed"} 0'} <= set(lines)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert all(line.startswith("# ") or float(line.rsplit(" ", 1)[1]) >= 0 for line in lines)


def test_each_request_is_one_line_of_json_without_what_stands_in_the_address(client, capsys):
    client.get("/train", f"patient={PATIENT}", f"_streamlit_user={TOKEN}")
    client.get(f"/{PATIENT}/x")
    client.get("/broken")
    client.connect("/_stcore/stream", TOKEN)
    written = capsys.readouterr().err
    said = [json.loads(line) for line in written.splitlines()]
    assert [(one["event"], one["page"], one["status"]) for one in said] == [
        ("request", "train", 200),
        ("request", "other", 404),
        ("request", "other", 500),
        ("session", "_stcore", 101),
    ]
    assert PATIENT not in written
    assert TOKEN not in written


def test_what_libraries_log_is_written_without_what_they_quote():
    try:
        raise ValueError(f"row of {PATIENT}")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("streamlit", logging.ERROR, "f.py", 1, f"cannot draw {PATIENT}", (), error)
    templated = logging.LogRecord("uvicorn", logging.INFO, "f.py", 1, "%s asked for %s", (PATIENT, TOKEN), None)
    lines = [JsonLines().format(record), JsonLines().format(templated)]
    first, second = map(json.loads, lines)
    assert (first["logger"], first["level"], first["error"]) == ("streamlit", "error", "ValueError")
    assert __file__ in first["at"][0]
    assert second["message"] == "%s asked for %s"
    assert not any(word in line for word in (PATIENT, TOKEN) for line in lines)
