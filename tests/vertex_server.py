"""A server that stands in for Vertex AI: it takes CustomJobs as the REST reference describes them, and works on them here.

A request is held to the schema by the types of Google's own client: a field that they do not know, or of another form,
is refused with status 400. What a container would do, a shell does on this machine.
"""

import json
import os
import re
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from google.cloud.aiplatform_v1 import types
from google.protobuf import json_format

_PARENT = r"/v1/(projects/[^/]+/locations/[^/]+)/customJobs"


class VertexServer(ThreadingHTTPServer):
    """Jobs by their resource names; `quota` and `is_up` say how it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jobs = {}
        self.created = []
        self.quota = ""  # what is exceeded: a job is refused with it
        self.holds = False  # jobs stay in the queue
        self.is_up = True
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def verify_request(self, request, client_address) -> bool:
        return self.is_up

    def stop(self) -> None:
        for job in self.jobs.values():
            job.kill()
        self.shutdown()
        self.server_close()

    def create(self, parent: str, body: bytes) -> "Job":
        job = types.CustomJob()
        json_format.Parse(body, types.CustomJob.pb(job))
        self.created.append(job)
        name = f"{parent}/customJobs/{len(self.jobs) + 1}"
        self.jobs[name] = Job(name, job)
        if not self.holds:
            self.jobs[name].start()
        return self.jobs[name]

    def listed(self, parent: str, query: dict) -> list["Job"]:
        wanted = re.fullmatch(r'display_name="([^"]*)"', query.get("filter", [""])[0])
        found = [job for name, job in self.jobs.items() if name.startswith(f"{parent}/")]
        return [job for job in found if wanted is None or job.asked.display_name == wanted[1]]

    def the_job(self) -> "Job":
        (job,) = self.jobs.values()
        return job


class Job:
    """One CustomJob, and the process group that a container would be."""

    def __init__(self, name: str, asked: types.CustomJob) -> None:
        self.name, self.asked = name, asked
        self.process = None
        self.is_cancelled = False
        self.forced = None  # (state, code, message) that it is to have

    def start(self) -> None:
        container = self.asked.job_spec.worker_pool_specs[0].container_spec
        self.process = subprocess.Popen([*container.command, *container.args], start_new_session=True)

    def preempt(self) -> None:
        """Take its machine away, and start it on another, as with restart_job_on_worker_restart."""
        self.kill()
        assert self.asked.job_spec.scheduling.restart_job_on_worker_restart
        self.start()

    def cancel(self) -> None:
        self.is_cancelled = True
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def as_json(self) -> dict:
        state, code, message = self.forced or self._state()
        answer = types.CustomJob(self.asked, name=self.name, state=types.JobState[f"JOB_STATE_{state}"])
        if code:
            answer.error.code, answer.error.message = code, message
        return json_format.MessageToDict(types.CustomJob.pb(answer))

    def _state(self) -> tuple[str, int, str]:
        if self.process is None:
            return ("CANCELLED" if self.is_cancelled else "PENDING"), 0, ""
        status = self.process.poll()
        if status is None:
            return ("CANCELLING" if self.is_cancelled else "RUNNING"), 0, ""
        if self.is_cancelled:
            return "CANCELLED", 0, ""
        if status == 0:
            return "SUCCEEDED", 0, ""
        return "FAILED", 3, f"The replica workerpool0-0 exited with a non-zero status of {status}."


class _Handler(BaseHTTPRequestHandler):
    server: VertexServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if found := re.fullmatch(_PARENT, path):
            if self.server.quota:
                self._refuse(429, "RESOURCE_EXHAUSTED", self.server.quota)
                return
            try:
                self._answer(self.server.create(found[1], body).as_json())
            except json_format.ParseError as error:
                self._refuse(400, "INVALID_ARGUMENT", str(error))
        elif (found := re.fullmatch(r"/v1/(.*):cancel", path)) and found[1] in self.server.jobs:
            self.server.jobs[found[1]].cancel()
            self._answer({})
        else:
            self._refuse(404, "NOT_FOUND", path)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if found := re.fullmatch(_PARENT, parts.path):
            jobs = self.server.listed(found[1], parse_qs(parts.query))
            self._answer({"customJobs": [job.as_json() for job in jobs]})
        else:
            self._refuse(404, "NOT_FOUND", parts.path)

    def _refuse(self, code: int, status: str, message: str) -> None:
        self._answer({"error": {"code": code, "status": status, "message": message}}, code)

    def _answer(self, document: dict, code: int = 200) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass
