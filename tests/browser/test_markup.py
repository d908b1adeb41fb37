"""Markup in names, notes, cells, errors and links is shown as text, and the browser fetches nothing for it."""

import http.server
import threading

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture
def foreign(offline):
    """Another server of this machine, which keeps what it was asked for."""
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
