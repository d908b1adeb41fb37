"""Starting the processes of a run: the supervisor, which outlives its starter, and under it the step."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import cxr_core
from cxr_core.atomic import RUN_VARIABLE
from cxr_core.runs.identity import ProcessIdentity, identity_of
from cxr_core.runs.lanes import variables_of
from cxr_core.settings import CONFIG_VARIABLE, config_path, settings

SUPERVISE = "run-supervise"
STEP = "run-step"


def start_supervisor(run_id: str, log: Path) -> ProcessIdentity | None:
    """Start the supervisor of a run in a session of its own and return its identity; None if it has ended already."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(SUPERVISE, run_id),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(),
        )
    identity = identity_of(process.pid)
    # Whoever lives longer than the run must collect its exit status, or it stays a zombie.
    threading.Thread(target=process.wait, name=f"reap {run_id}", daemon=True).start()
    return identity


def start_step(run_id: str, log: Path, scratch: Path, devices: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the process that does the work in a process group of its own, with `scratch` for its temporary files.

    It sees no GPU but those among `devices`, where it has devices for itself.

    Its standard input is a pipe that closes when this process ends, however it ends.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            _command(STEP, run_id),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            env=_environment() | variables_of(devices) | {"TMPDIR": str(scratch), RUN_VARIABLE: run_id},
        )


def _command(role: str, run_id: str) -> list[str]:
    return [sys.executable, "-m", "cxr_core", role, run_id]


def _environment() -> dict[str, str]:
    """Return the environment with what depends on the working directory made absolute."""
    packages = str(Path(cxr_core.__file__).absolute().parents[1])
    pinned = {
        "CXR_HOME": str(settings().home),
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
        "PYTHONSAFEPATH": "1",  # a file in the working directory must not shadow a module
        "PYTHONUNBUFFERED": "1",
    }
    if config_path().exists():
        pinned[CONFIG_VARIABLE] = str(config_path())
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # what the user set wins
    return quiet | dict(os.environ) | pinned
