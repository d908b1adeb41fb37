"""A step must not outlive its supervisor, or it would train on with nobody knowing.

The step's standard input is a pipe that only the supervisor holds open. A small process beside the step reads it: the
step itself may be inside TensorFlow for seconds and notice nothing.
"""

import os
import signal
import time

_GRACE_SECONDS = 3.0


def end_with_supervisor() -> None:
    """Start the process that ends this one's group when the supervisor is gone; call it before any thread starts."""
    step = os.getpid()
    if os.fork() == 0:
        _guard(step)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _guard(step: int) -> None:
    """Wait for the pipe to close, let the step write a checkpoint, then kill the group, this process included."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    if os.getppid() == step:
        os.kill(step, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while os.getppid() == step and time.monotonic() < deadline:
            time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)
