"""The shell script of a job, the same for every engine that starts one."""

import shlex

from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job

#: The role of the process that works on a run at a place, as `cxr_core.cli` knows it.
STEP_THERE = "run-step-there"
#: The same where the folder of the job lies on an object store.
COURIER = "run-courier"
#: Shows an object in the folder of a place, to whoever asks whether it can be reached from there.
SHOW = "run-show"
#: Tells the process which job it is in the words of the engine: a second one of the same leg has another.
JOB_VARIABLE = "CXR_JOB"


def job_script(definition: PlaceDefinition, job: Job, engine_job: str) -> str:
    """Return the script of a job.

    Args:
        definition: the place.
        job: the leg of the run.
        engine_job: what the shell there makes the engine's own number of the job of, as in "$NUMBER".
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
        "unset CXR_CONFIG",
        # In place of the shell: the engine's signals reach the process that can write a checkpoint.
        f"exec {shlex.join(step)}",
    ]
    return "\n".join(lines) + "\n"


def exported(definition: PlaceDefinition) -> list[str]:
    """Return the lines of shell that set the variables of a place."""
    return [f"export {name}={shlex.quote(text)}" for name, text in definition.environment.items()]
