"""Kinds of runs for tests only: put on the path of the processes of a run, they need no door in the product."""

import contextlib
import gc
import importlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import wrong_clock  # noqa: F401 - before anything of the product

from cxr_core.atomic import replacing
from cxr_core.errors import RunError
from cxr_core.runs.step import Cancelled
from cxr_core.tasks import kinds


def _sleep(context):
    steps = context.config.get("steps", 1000)
    if not context.config.get("behind"):  # it writes behind the rows that are there
        context.resumed(0, 0)  # it has no checkpoint, and begins anew
    for step in range(1, steps + 1):
        if context.cancelled() and not context.config.get("stubborn"):
            (context.folder / "stopped").write_text(str(step))
            raise Cancelled
        context.metrics({"step": step, "epoch": 1, "loss": 1 / step})
        context.progress(step, steps, epoch=1, message="sleeping")
        time.sleep(0.05)
    context.result({"slept": steps})


def _go_on(context):
    """Work on from the step after the last one that was written down, as a training does from its last checkpoint."""
    steps, kept = context.config["steps"], context.folder / "last-step"
    for step in range(int(kept.read_text()) + 1 if kept.exists() else 1, steps + 1):
        context.stop_if_cancelled()
        context.metrics({"step": step, "epoch": 1, "loss": 1 / step})
        kept.write_text(str(step))
        context.progress(step, steps, message="going on")
        time.sleep(0.05)


def _until_told(context):
    """Work until the file `finish` lies in the folder of the run: the end comes when a test wants it.

    The result tells which GPUs a TensorFlow that is loaded now would see.
    """
    step = 0
    while not (context.folder / "finish").exists():
        context.stop_if_cancelled()
        step += 1
        context.progress(step, 10_000, message="waiting to be told")
        time.sleep(0.05)
    context.result({"waited": step, "visible": os.environ.get("CUDA_VISIBLE_DEVICES")})


def _worker(context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (context.folder / "worker").write_text(str(child.pid))
    _sleep(context)


def _refuse(context):
    raise RunError("The phantom has no lungs.")


def _remark(context):
    context.remark("It learned nothing that shows.")
    context.result({"val_auc": 0.5})


def _break(context):
    raise ZeroDivisionError("first line\nlast line")


def _litter(context):
    with tempfile.NamedTemporaryFile(delete=False) as file:
        context.result({"litter": file.name})


def _die(context):
    os.kill(os.getpid(), signal.SIGKILL)


def _fill_disk(context):
    raise OSError(28, os.strerror(28))


def _save(context):
    """Write a file of 3 MB again and again, as a checkpoint is written, but slowly: half written most of the time."""
    step = 0
    while True:
        step += 1
        with replacing(context.folder / "checkpoints" / "newest") as temporary, temporary.open("wb") as file:
            for part in range(30):
                file.write(bytes([step % 256]) * 100_000)
                file.flush()
                time.sleep(0.01)
                if context.cancelled() and part == 29:
                    (context.folder / "stopped").write_text(str(step))
        context.metrics({"step": step, "loss": 1 / step})
        context.progress(step, 1000)
        context.stop_if_cancelled()


def _hoard(context):
    """Ask for memory beyond a limit, in Python or so that C++ fails."""
    resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))
    bytearray(1_000_000_000)


def _hog_disk(context):
    """Fill the disk to the last byte, then go on to write checkpoints."""
    with contextlib.suppress(OSError), (context.folder / "hog").open("wb", buffering=0) as file:
        for size in (1_000_000, 1000, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    _save(context)


def _talk(context):
    """Write one line of 100 MB to the log, and fail."""
    for _ in range(100):
        sys.stdout.write("x" * 1_000_000)
        time.sleep(0.005)
    context.progress(1, 2)
    _sleep(context)


_train = kinds.STEPS["train"]


def _train_with_fault(context):
    """Train for real; the name of the model says what goes wrong."""
    if context.name.startswith("nan-at-"):
        _spoil_weights_before_step(context, int(context.name.rpartition("-")[2]))
    if context.name == "too-large":
        # What the libraries take by themselves is not what the limit is for.
        importlib.import_module("cxr_core.tasks.train")
        importlib.import_module("cxr_core.training.loop")
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 50_000_000, taken + 50_000_000))
    _train(context)


def _spoil_weights_before_step(context, step):
    """Training asks once before each step whether it is to stop."""
    asked, ask = 0, context.cancelled

    def spoiling():
        nonlocal asked
        asked += 1
        if asked == step:
            import keras

            for model in [found for found in gc.get_objects() if isinstance(found, keras.Model)]:
                for variable in model.trainable_variables[-2:]:
                    variable.assign(variable.value * float("nan"))
        return ask()

    context.cancelled = spoiling


for _kind, _work in {
    "sleep": _sleep,
    "go-on": _go_on,
    "until-told": _until_told,
    "worker": _worker,
    "refuse": _refuse,
    "remark": _remark,
    "break": _break,
    "litter": _litter,
    "die": _die,
    "fill-disk": _fill_disk,
    "save": _save,
    "hoard": _hoard,
    "hog-disk": _hog_disk,
    "talk": _talk,
    "train": _train_with_fault,
}.items():
    kinds.STEPS[_kind] = _work
