"""Kinds of runs for tests only: put on the path of the processes of a run, they need no door in the product."""

import os
import signal
import subprocess
import sys
import tempfile
import time

from cxr_core.errors import RunError
from cxr_core.runs.step import Cancelled
from cxr_core.tasks import kinds


def _sleep(context):
    steps = context.config.get("steps", 1000)
    for step in range(1, steps + 1):
        if context.cancelled() and not context.config.get("stubborn"):
            (context.folder / "stopped").write_text(str(step))
            raise Cancelled
        context.metrics({"step": step, "epoch": 1, "loss": 1 / step})
        context.progress(step, steps, epoch=1, message="sleeping")
        time.sleep(0.05)
    context.result({"slept": steps})


def _worker(context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (context.folder / "worker").write_text(str(child.pid))
    _sleep(context)


def _refuse(context):
    raise RunError("The phantom has no lungs.")


def _break(context):
    raise ZeroDivisionError("first line\nlast line")


def _litter(context):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        context.result({"litter": file.name})


def _die(context):
    os.kill(os.getpid(), signal.SIGKILL)


def _fill_disk(context):
    raise OSError(28, os.strerror(28))


for _kind, _work in {
    "sleep": _sleep,
    "worker": _worker,
    "refuse": _refuse,
    "break": _break,
    "litter": _litter,
    "die": _die,
    "fill-disk": _fill_disk,
}.items():
    kinds.STEPS[_kind] = _work
