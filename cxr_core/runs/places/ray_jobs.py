"""Ray: a run is a job of Ray's Jobs API, spoken by HTTP to the head, so that nothing of Ray is needed on this machine.

https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html. The run's ID with the number of its
leg is the submission ID, of which Ray takes no second one. Stopping a job ends all its processes after about three
seconds, so that it comes after the time for a checkpoint.
"""

import http.client
import json
import os
import shlex
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from cxr_core.atomic import write_text
from cxr_core.errors import PlaceError
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job, JobNews, JobState, PlaceTerms
from cxr_core.runs.places.script import job_script, starter_text

#: `address` is that of the head's dashboard; the others are what one job takes of the cluster.
KEYS = ("address", "cpus", "gpus", "memory")

_SECONDS = 20.0
_ANSWER_SECONDS = 120.0
_STATES = {
    "PENDING": JobState.WAITING,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.ENDED,
    "FAILED": JobState.ENDED,
    "STOPPED": JobState.ENDED,
}


class Ray:
    """A Ray cluster."""

    def __init__(self, definition: PlaceDefinition) -> None:
        """Read the definition, or raise `SettingsError`."""
        definition.check_keys(KEYS)
        self._definition = definition
        self._address = definition.text("address").rstrip("/")
        if not self._address.startswith(("http://", "https://")):
            raise definition.error("address", "must be that of the head's dashboard, such as http://head:8265")
        if problem := _problem(self._address):
            raise definition.error("address", problem)
        memory = int(definition.number("memory", 0, 0, below=1e15))
        self._takes = {
            "cpus": definition.number("cpus", 1, 0),
            "gpus": definition.number("gpus", 0, 0),
            "memory": memory,
        }

    def terms(self) -> PlaceTerms:
        """Nothing is billed, and disks may be shared."""
        return PlaceTerms()

    def submit(self, job: Job) -> None:
        """Hand a job over; Ray refuses a second one of its name."""
        self._asked("POST", "", {"entrypoint": self._entrypoint(job), "submission_id": job.name} | self._taken(job))

    def _entrypoint(self, job: Job) -> str:
        """Return the command of a job; where no disk is shared, it is the script itself."""
        starter = starter_text("ray_workers", "RayWorkers", workers=job.workers, log=str(job.log), **self._takes)
        text = job_script(self._definition, job, job.name, starter)
        if job.location:
            return f"exec sh -c {shlex.quote(text)}"
        script = job.workspace / "job.sh"
        write_text(script, text)
        return f"exec sh {shlex.quote(str(script))} >> {shlex.quote(str(job.log))} 2>&1"

    def state(self, job: Job) -> JobNews:
        """Say how a job is; what no version of Ray that we know says counts as running."""
        found = self._asked("GET", job.name)
        if found is None:
            return JobNews(JobState.UNKNOWN)
        status, message = str(found.get("status")), str(found.get("message") or "").strip()
        first = message.splitlines()[0][:200] if message else ""
        return JobNews(_STATES.get(status, JobState.RUNNING), f"{status}: {first}".rstrip(": "))

    def stop(self, job: Job) -> None:
        """End a job at once; one that Ray does not know has none to end."""
        self._asked("POST", f"{job.name}/stop")

    def answer(self, script: str) -> str:
        """Return what a script prints on the cluster, as a job of its own, which takes some seconds."""
        name = f"look-{os.urandom(6).hex()}"
        self._asked("POST", "", {"entrypoint": script, "submission_id": name, "entrypoint_num_cpus": 0.01})
        deadline = time.monotonic() + _ANSWER_SECONDS
        while _STATES.get(str((self._asked("GET", name) or {}).get("status"))) is not JobState.ENDED:
            if time.monotonic() > deadline:
                self._asked("POST", f"{name}/stop")
                raise PlaceError(f"The place {self._definition.name} started no job within {_ANSWER_SECONDS:.0f} s.")
            time.sleep(0.5)
        logs = str((self._asked("GET", f"{name}/logs") or {}).get("logs", ""))
        self._asked("DELETE", name)
        return logs

    def _taken(self, job: Job) -> dict[str, float]:
        """Return what the process of the job itself takes of the cluster: nothing where it leads others, which do."""
        if job.workers > 1:
            return {"entrypoint_num_cpus": 0}
        taken = {f"entrypoint_num_{name}": self._takes[name] for name in ("cpus", "gpus")}
        return taken | ({"entrypoint_memory": self._takes["memory"]} if self._takes["memory"] else {})

    def _asked(self, method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """Return what the head answers, None where it knows no such job; or raise `PlaceError`."""
        name, data = self._definition.name, None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._address}/api/jobs/{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                found = json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == 404 and path:
                return None
            said = _said(error)
            raise PlaceError(f"The place {name} refused: {said[-1][:200] if said else error.reason}.") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)).rstrip(".") or type(error).__name__
            raise PlaceError(f"The place {name} does not answer at {self._address}: {reason}.") from error
        if not isinstance(found, dict):
            raise PlaceError(f"The place {name} answers at {self._address}, but not as a head of Ray does.")
        return found


def _problem(address: str) -> str:
    """Return what is wrong with the address of a head; "" where nothing is."""
    try:
        parts = urllib.parse.urlsplit(address)
        _ = parts.port
    except ValueError:
        return "must have a port between 0 and 65535, such as http://head:8265"
    if parts.username is not None:
        return "must carry no user and no password"
    return "" if parts.hostname and address.isascii() else "must name the head's host, such as http://head:8265"


def _said(error: urllib.error.HTTPError) -> list[str]:
    """Return the lines of a refusal; none where the connection broke on the way."""
    try:
        return error.read().decode(errors="replace").strip().strip(".").strip().splitlines()
    except (OSError, http.client.HTTPException):
        return []
