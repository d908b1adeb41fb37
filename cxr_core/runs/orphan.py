"""A step must not outlive its supervisor, or it would train on with nobody knowing.

The step's standard input is a pipe that only the supervisor holds open. A small process beside the step reads it: the
step itself may be inside TensorFlow for seconds and notice nothing.
"""

import os
import shutil
import signal
import time
from pathlib import Path

from cxr_core.runs.session import kill

_POLL_SECONDS = 0.05


def end_with_supervisor(grace: float, scratch: Path | None) -> None:
    """Start the process that ends this one's group when the supervisor is gone; call it before any thread starts.

    Args:
        grace: seconds that the step has for a checkpoint.
        scratch: the folder of its temporary files, which nobody else would remove then.
    """
    step = os.getpid()
    if os.fork() == 0:
        _guard(step, grace, scratch)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _guard(step: int, grace: float, scratch: Path | None) -> None:
    """Wait for the pipe to close, let the step write a checkpoint, kill what is left of the group, and exit."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    if os.getppid() == step:
        os.kill(step, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while os.getppid() == step and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    kill(os.getsid(0), os.getpgid(0))
    if scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)
    os._exit(0)
