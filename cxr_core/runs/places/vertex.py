"""Vertex AI: a run is a CustomJob of a Google project, asked for through Google's client by REST.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs. Google numbers the jobs itself,
so that ours are found by their display name: the run's ID with the number of its leg.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from cxr_core.errors import PlaceError
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job, JobNews, JobState, PlaceTerms
from cxr_core.runs.places.script import job_script
from cxr_core.runs.places.vertex_machine import MACHINE_KEYS, VertexMachine

#: `endpoint` is for a private one; a server on http:// gets no credentials.
KEYS = ("project", "region", "image", "service_account", "network", "labels", "endpoint", *MACHINE_KEYS)

_SECONDS = 30.0
_LABEL_KEY, _LABEL_VALUE = re.compile(r"[a-z][a-z0-9_-]{0,62}"), re.compile(r"[a-z0-9_-]{0,63}")
_RUN_LABEL = "cxr-run"
_STATES = {
    "JOB_STATE_QUEUED": JobState.WAITING,
    "JOB_STATE_PENDING": JobState.WAITING,
    "JOB_STATE_SUCCEEDED": JobState.ENDED,
    "JOB_STATE_FAILED": JobState.ENDED,
    "JOB_STATE_CANCELLED": JobState.ENDED,
    "JOB_STATE_EXPIRED": JobState.ENDED,
    "JOB_STATE_PARTIALLY_SUCCEEDED": JobState.ENDED,
}
_ORDER = (JobState.RUNNING, JobState.WAITING, JobState.ENDED)


class Vertex:
    """A Google project with Vertex AI in one region."""

    def __init__(self, definition: PlaceDefinition) -> None:
        """Read the definition, or raise `SettingsError`."""
        definition.check_keys(KEYS)
        if not definition.location.startswith("gs://"):
            raise definition.error("folder", "must lie on gs://, as Vertex AI shares no disk with this machine")
        self._definition = replace(definition, keys={"python": "python3"} | definition.keys)
        self._region = _named(definition, "region", "[a-z]+-[a-z]+[0-9]+", "a region such as europe-west4")
        project = _named(definition, "project", "[a-z][a-z0-9:.-]{4,}[a-z0-9]", "the ID of a Google project")
        self._image = _named(definition, "image", r"[\w.:@/-]+", "an image that has this product")
        self._machine = VertexMachine(definition)
        self._labels = _labels(definition)
        self._endpoint = definition.text("endpoint") or f"https://{self._region}-aiplatform.googleapis.com"
        if not re.fullmatch(r"https?://[A-Za-z0-9.:-]+", self._endpoint):
            raise definition.error("endpoint", "must be the address of a server, such as https://host")
        _ = (definition.text("service_account"), definition.text("network"))
        _check_installed(definition.name)
        self._parent = f"projects/{project}/locations/{self._region}"

    def terms(self) -> PlaceTerms:
        """Say what a run there costs, and that it sees no disk of ours."""
        return PlaceTerms(self._machine.cost(), reads_paths=False)

    def submit(self, job: Job) -> None:
        """Hand a job over."""
        with self._errors():
            self._client.create_custom_job(
                parent=self._parent, custom_job=self._custom_job(job), timeout=_SECONDS, retry=None
            )

    def state(self, job: Job) -> JobNews:
        """Say how a job is: of several of one name, the one that goes on; a state unknown to us counts as running."""
        found = [(_STATES.get(one.state.name, JobState.RUNNING), _words(one)) for one in self._found(job)]
        best = min(found, key=lambda news: _ORDER.index(news[0]), default=(JobState.UNKNOWN, ""))
        return JobNews(*best)

    def stop(self, job: Job) -> None:
        """End a job: Vertex tells it, and ends it a little later."""
        for one in self._found(job):
            if _STATES.get(one.state.name) is not JobState.ENDED:
                with self._errors():
                    self._client.cancel_custom_job(name=one.name, timeout=_SECONDS, retry=None)

    def answer(self, script: str) -> None:
        """Ask whether the project answers: to run a script there, a machine would have to be paid for."""
        with self._errors():
            next(iter(self._client.list_custom_jobs(self._asked(page_size=1), timeout=_SECONDS, retry=None)), None)

    def _custom_job(self, job: Job) -> Any:
        from google.cloud.aiplatform_v1 import types

        # A job that Vertex starts again has the same text; another job of the same run has another.
        script = job_script(self._definition, job, f"{job.name}-{os.urandom(4).hex()}")
        container = types.ContainerSpec(image_uri=self._image, command=["sh", "-c"], args=[script])
        spec = types.CustomJobSpec(
            worker_pool_specs=[self._machine.pool(container)],
            scheduling=self._machine.scheduling(),
            service_account=self._definition.text("service_account"),
            network=self._definition.text("network"),
        )
        labels = self._labels | {_RUN_LABEL: job.name.replace(".", "-").lower()}
        return types.CustomJob(display_name=job.name, job_spec=spec, labels=labels)

    def _found(self, job: Job) -> list[Any]:
        asked = self._asked(filter=f'display_name="{job.name}"')
        with self._errors():
            return list(self._client.list_custom_jobs(asked, timeout=_SECONDS, retry=None))

    def _asked(self, **more: Any) -> Any:
        from google.cloud.aiplatform_v1 import types

        return types.ListCustomJobsRequest(parent=self._parent, **more)

    @property
    def _client(self) -> Any:
        return _client_of(self._endpoint)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what Google's client raises into one sentence."""
        import requests
        from google.api_core import exceptions
        from google.auth import exceptions as auth

        name = self._definition.name
        try:
            yield
        except auth.DefaultCredentialsError as error:
            raise PlaceError(
                f"The place {name} needs Google credentials, and none were found. Run `gcloud auth application-default "
                "login`, or set GOOGLE_APPLICATION_CREDENTIALS."
            ) from error
        except (auth.TransportError, requests.RequestException, exceptions.ServerError, OSError) as error:
            raise PlaceError(f"The place {name} does not answer at {self._endpoint}: {_brief(error)}.") from error
        except (auth.GoogleAuthError, exceptions.GoogleAPICallError) as error:
            raise PlaceError(f"The place {name} refused: {_brief(error)}.") from error


@lru_cache(maxsize=4)
def _client_of(endpoint: str) -> Any:
    """Return Google's client: a run is asked about every few seconds, always with the same credentials."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.aiplatform_v1.services.job_service import JobServiceClient
    from google.cloud.aiplatform_v1.services.job_service.transports import JobServiceRestTransport

    logging.getLogger("google").setLevel(logging.CRITICAL + 1)  # what it has to say stands in our one sentence
    scheme, _, host = endpoint.partition("://")
    credentials = AnonymousCredentials() if scheme == "http" else None
    return JobServiceClient(transport=JobServiceRestTransport(host=host, url_scheme=scheme, credentials=credentials))


def _check_installed(name: str) -> None:
    """Raise `PlaceError` where Google's client is missing; loading it takes a second, so that it is only looked for."""
    try:
        is_there = find_spec("google.cloud.aiplatform_v1") is not None
    except ImportError:
        is_there = False
    if not is_there:
        raise PlaceError(f'The place {name} needs Google\'s client. Install it: pip install "cxr-lab[vertex]".')


def _named(definition: PlaceDefinition, key: str, pattern: str, what: str) -> str:
    text = definition.text(key)
    if not re.fullmatch(pattern, text):
        raise definition.error(key, f"must be {what}")
    return text


def _labels(definition: PlaceDefinition) -> dict[str, str]:
    labels = definition.keys.get("labels", {})
    if not isinstance(labels, dict) or not all(
        _LABEL_KEY.fullmatch(key) and isinstance(text, str) and _LABEL_VALUE.fullmatch(text)
        for key, text in labels.items()
    ):
        raise definition.error("labels", 'must be a table of small letters, digits, _ and -, as { team = "chest" }')
    return labels


def _words(job: Any) -> str:
    """Return the state in Vertex's own words, with what it says of an error."""
    said = " ".join(job.error.message.split())[:300]
    return f"{job.state.name.removeprefix('JOB_STATE_')}{f' ({said})' if said else ''}"


def _brief(error: Exception) -> str:
    said = " ".join(str(getattr(error, "message", "") or error).split())
    return said.rstrip(".")[:300] or type(error).__name__
