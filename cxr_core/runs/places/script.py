"""The shell script of a job, the same for every engine that starts one."""

import json
import os
import shlex
from importlib import import_module
from typing import Any

from cxr_core.runs.places.crew import WorkerStarter
from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job

#: The role of the process that works on a run at a place, as `cxr_core.cli` knows it.
STEP_THERE = "run-step-there"
#: The same where the folder of the job lies on an object store.
COURIER = "run-courier"
#: Set for a step whose standard input is a pipe that its courier holds open: it does not outlive that.
COURIER_VARIABLE = "CXR_COURIER"
#: Shows an object in the folder of a place, to whoever asks whether it can be reached from there.
SHOW = "run-show"
#: Tells the process which job it is in the words of the engine: a second one of the same leg has another.
JOB_VARIABLE = "CXR_JOB"
#: Tells it how several workers are started there.
STARTER_VARIABLE = "CXR_STARTER"


def job_script(definition: PlaceDefinition, job: Job, engine_job: str, starter: str = "") -> str:
    """Return the script of a job.

    Args:
        definition: the place.
        job: the leg of the run.
        engine_job: what the shell there makes the engine's own number of the job of, as in "$NUMBER".
        starter: how several workers are started from within the job, as `starter_text` says it.
    """
    role, folder = (COURIER, job.location) if job.location else (STEP_THERE, str(job.workspace))
    step = [definition.python, "-m", "cxr_core", role, job.run, str(job.leg), folder]
    shared = [f"cd {shlex.quote(folder)} || exit 14"], [f"export CXR_HOME={shlex.quote(folder)}"]
    enter, home = ([], []) if job.location else shared
    lines = [
        "#!/bin/sh",
        *enter,
        *definition.setup,
        *exported(definition),
        "export PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1",
        *home,
        f'export {JOB_VARIABLE}="{engine_job}"',
        f"export {STARTER_VARIABLE}={shlex.quote(starter)}",
        "unset CXR_CONFIG",
        # In place of the shell: the engine's signals reach the process that can write a checkpoint.
        f"exec {shlex.join(step)}",
    ]
    return "\n".join(lines) + "\n"


def starter_text(module: str, name: str, **arguments: Any) -> str:
    """Return how several workers are started from within a job: by this class of a module beside this one."""
    return json.dumps({"module": module, "name": name, "arguments": arguments})


def told_starter() -> WorkerStarter:
    """Return what starts the workers of the job that this process belongs to; raises as its class does."""
    told = json.loads(os.environ[STARTER_VARIABLE])
    starter: WorkerStarter = getattr(import_module(f"{__package__}.{told['module']}"), told["name"])(
        **told["arguments"]
    )
    return starter


def exported(definition: PlaceDefinition) -> list[str]:
    """Return the lines of shell that set the variables of a place."""
    return [f"export {name}={shlex.quote(text)}" for name, text in definition.environment.items()]
