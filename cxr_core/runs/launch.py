"""Starting the processes of a run: the supervisor, which outlives its starter, and under it the step."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cxr_core.atomic import RUN_VARIABLE
from cxr_core.processes import child_environment
from cxr_core.runs.identity import ProcessIdentity, identity_of
from cxr_core.runs.lanes import variables_of

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
            env=child_environment(),
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
            env=child_environment() | variables_of(devices) | {"TMPDIR": str(scratch), RUN_VARIABLE: run_id},
        )


def _command(role: str, run_id: str) -> list[str]:
    return [sys.executable, "-m", "cxr_core", role, run_id]
