"""The shell script of a job, the same for every engine that starts one."""

import shlex

from cxr_core.runs.places.definition import PlaceDefinition
from cxr_core.runs.places.place import Job

#: The role of the process that works on a run at a place, as `cxr_core.cli` knows it.
STEP_THERE = "run-step-there"
#: Tells the process which job it is in the words of the engine: a second one of the same leg has another.
JOB_VARIABLE = "CXR_JOB"


def job_script(definition: PlaceDefinition, job: Job, engine_job: str) -> str:
    """Return the script of a job.

    Args:
        definition: the place.
        job: the leg of the run.
        engine_job: what the shell there makes the engine's own number of the job of, as in "$NUMBER".
    """
    step = [definition.python, "-m", "cxr_core", STEP_THERE, job.run, str(job.leg), str(job.workspace)]
    lines = [
        "#!/bin/sh",
        f"cd {shlex.quote(str(job.workspace))} || exit 14",
        *definition.setup,
        *exported(definition),
        "export PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1",
        f"export CXR_HOME={shlex.quote(str(job.workspace))}",
        f'export {JOB_VARIABLE}="{engine_job}"',
        "unset CXR_CONFIG",
        # In place of the shell: the engine's signals reach the process that can write a checkpoint.
        f"exec {shlex.join(step)}",
    ]
    return "\n".join(lines) + "\n"


def exported(definition: PlaceDefinition) -> list[str]:
    """Return the lines of shell that set the variables of a place."""
    return [f"export {name}={shlex.quote(text)}" for name, text in definition.environment.items()]
