"""What the server writes of its work as JSON, a line each: never an address' values, a text of others or a token.

A query or a path can name a patient, a message of a library can quote a row: only what the program itself says is
written, the page that was asked for, and of an error its kind and place.
"""

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import logger

from dashboard.counters import Counters
from dashboard.shared.image_links import THUMBNAIL

#: First parts of paths that Streamlit has; below them stand names of sessions and files.
_STREAMLITS = ("_stcore", "static", "media", "component", "app", "oauth2callback", "auth")
_OTHER = "other"


class JsonLines(logging.Formatter):
    """Writes when, who says it and how grave it is; of an exception its kind and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON."""
        said: dict[str, Any] = {"logger": record.name, "level": record.levelname.lower()}
        if record.args and isinstance(record.msg, str):
            said["message"] = record.msg  # with its gaps: what would fill them is somebody's
        if record.exc_info and record.exc_info[0]:
            said["error"] = record.exc_info[0].__name__
            said["at"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(record.exc_info[2])[-5:]]
        return json_line(said, record.created)


def json_line(said: dict[str, Any], now: float | None = None) -> str:
    """Return what is said as one line of JSON that begins with the time, in UTC."""
    when = datetime.fromtimestamp(time.time() if now is None else now, UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": when} | said, ensure_ascii=False)


def log_as_json() -> None:
    """Let every logger that writes by now, Streamlit's among them, write such lines."""
    handlers = [
        handler for one in (None, *logging.root.manager.loggerDict) for handler in logging.getLogger(one).handlers
    ]
    for handler in handlers:
        handler.setFormatter(JsonLines())
    setattr(logger, "setup_formatter", _with_json_lines)  # noqa: B010 - in place of Streamlit's own


def _with_json_lines(one: logging.Logger) -> None:
    """Give a logger that is made later its handler, in place of Streamlit's own."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    one.handlers = [handler]


class RequestLog:
    """Counts every request and web socket, and writes a line of it where the settings ask for it."""

    def __init__(self, app: ASGIApp, counters: Counters, pages: tuple[str, ...], writes: bool) -> None:
        self._app = app
        self._counters = counters
        self._known = {*pages, *_STREAMLITS, "healthz", "metrics", THUMBNAIL, ""}
        self._writes = writes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI asks for it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        begun, told = time.monotonic(), {"status": 500}

        async def send_and_see(message: Message) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
            elif message["type"] == "websocket.accept":
                told["status"] = 101
                self._counters.session_begins()
            elif message["type"] == "websocket.close" and told["status"] != 101:
                told["status"] = 403
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            if scope["type"] == "websocket" and told["status"] == 101:
                self._counters.session_ends()
            self._counters.answered(told["status"])
            if self._writes:
                self._write(scope, told["status"], time.monotonic() - begun)

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        first = scope["path"].strip("/").partition("/")[0]
        said = {
            "event": "request" if scope["type"] == "http" else "session",
            "method": scope.get("method", "GET"),
            "page": first if first in self._known else _OTHER,
            "status": status,
            "milliseconds": round(1000 * seconds),
        }
        sys.stderr.write(json_line(said) + "\n")
