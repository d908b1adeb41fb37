"""A Cloud Storage on this machine: the emulator from PyPI, and one that only ever refuses."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.server import create_server


class Emulator:
    """Serves buckets from memory; the settings are to name its `endpoint`."""

    def __init__(self, *buckets: str) -> None:
        self._one_at_a_time = threading.Lock()
        self._server = create_server("127.0.0.1", 0, in_memory=True)
        self._server.start()
        #: Whether it takes connections, or closes each as a broken network does.
        self.is_up = True
        self._server._api._httpd.verify_request = lambda *_: self.is_up
        self.endpoint = f"http://127.0.0.1:{self._server._api._httpd.server_address[1]}"
        from gcp_storage_emulator.handlers import objects
        from gcp_storage_emulator.handlers.buckets import create_bucket

        # It knows no conditional writes. https://cloud.google.com/storage/docs/request-preconditions
        self._insert, self._objects = objects._multipart_upload, objects
        objects._multipart_upload = self._inserted_if_wanted

        for name in buckets:
            create_bucket(name, self._server._storage)

    def stop(self) -> None:
        self._server.stop()
        self._objects._multipart_upload = self._insert

    def _inserted_if_wanted(self, request, response, storage):
        names = request.query.get("name") or [request.data["meta"].get("name")]
        with self._one_at_a_time:
            if request.query.get("ifGenerationMatch") == ["0"]:
                try:
                    storage.get_file_obj(request.params["bucket_name"], names[0])
                except NotFound:
                    pass
                else:
                    response.status = HTTPStatus.PRECONDITION_FAILED
                    return
            self._insert(request, response, storage)


class Refusing(ThreadingHTTPServer):
    """Answers every request with one status and message, as Cloud Storage words it."""

    daemon_threads = True

    def __init__(self, status: int, message: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.message = status, message
        self.asked = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Refusing

    def _refuse(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.dumps({"error": {"code": self.server.status, "message": self.server.message}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _refuse  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass
