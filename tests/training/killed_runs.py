"""Training runs that SIGKILL themselves at a chosen moment, and what they leave; also used by `benchmarks/kill_series.py`.

Each run is a child of a process that has TensorFlow loaded but not started, because loading it takes longer than the
run. Nothing of this is in the product: the moments are hooked into its functions from outside.
"""

import json
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from tiny_network import tiny_network

from cxr_core.atomic import replacing
from cxr_core.runs.metrics import METRICS_FILE, append_row, cut_metrics, read_rows
from cxr_core.training import checkpoints, loop
from cxr_core.training.loop import train
from cxr_core.training.options import TrainOptions

CLOCK = ("time", "images_per_second", "data_wait")


@dataclass(frozen=True)
class Moment:
    """When a run kills itself: in the `number`th of its `kind`, from 1.

    Kinds: "step" (after it, before the next), "half" (half of a checkpoint file is written), "whole" (all of it, but not
    renamed yet), "renamed" (the older ones are not dropped yet), "validation" (that batch of it), "validated" (its row
    is written, its checkpoint is not).
    """

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Reporter:
    """Writes metric rows as a run of the product does."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder

    def metrics(self, row):
        append_row(self.folder / METRICS_FILE, row)

    def resumed(self, step, epoch):
        cut_metrics(self.folder / METRICS_FILE, step, epoch)

    def progress(self, step, steps, epoch=None, message=""):
        pass

    def cancelled(self):
        return False


def run_in_child(options: TrainOptions, files_train, files_valid, folder: Path, moment: Moment | None = None) -> int:
    """Train in a child process and return its exit status, negative for a signal."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            if moment is not None:
                _arm(moment)
            train(options, files_train, files_valid, Reporter(folder))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def timeless_rows(folder: Path):
    """The metric rows of a run without what depends on the clock."""
    rows = read_rows(folder / METRICS_FILE)
    return [{name: value for name, value in row.items() if name not in CLOCK} for row in rows]


def differences(folder: Path, other: Path) -> list[str]:
    """Name what differs between two runs that have ended: rows, variables of the last checkpoint, models."""
    found = [] if timeless_rows(folder) == timeless_rows(other) else ["metric rows"]
    (one, two) = (sorted((place / loop.CHECKPOINTS).glob("*.npz")) for place in (folder, other))
    if [path.name for path in one] != [path.name for path in two]:
        found.append("checkpoint names")
    with np.load(one[-1]) as first, np.load(two[-1]) as second:
        names = set(first.files) | set(second.files)
        found += [name for name in sorted(names) if first[name].tobytes() != second[name].tobytes()]
    for name in ("best.h5", "last.h5"):
        if _weights(folder / name) != _weights(other / name):
            found.append(name)
    left = [path.name for place in (folder, folder / loop.CHECKPOINTS) for path in place.glob(".*")]
    return found + [f"left over: {name}" for name in left]


def _weights(path: Path) -> dict[str, bytes]:
    found = {}
    with h5py.File(path) as file:
        file["model_weights"].visititems(
            lambda name, item: found.update({name: item[...].tobytes()}) if isinstance(item, h5py.Dataset) else None
        )
    return found


def _arm(moment: Moment) -> None:
    """Put the kill where it belongs."""
    {
        "step": _in_step,
        "half": _in_checkpoint,
        "whole": _in_checkpoint,
        "renamed": _in_checkpoint,
        "validation": _in_validation,
        "validated": _after_validation,
    }[moment.kind](moment)


def _kill(moment: Moment, where: str) -> None:
    os.write(1, f"killed: {moment.kind} {moment.number}, {where}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


def _in_step(moment: Moment) -> None:
    step = loop._Training._step

    def stepped(training, *arguments):
        step(training, *arguments)
        if training.state.position.step == moment.number:
            _kill(moment, f"after step {moment.number}, before its row and checkpoint")

    loop._Training._step = stepped


def _in_checkpoint(moment: Moment) -> None:
    write = checkpoints.write_bytes
    written = []

    def writing(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) != moment.number:
            write(path, content)
        elif moment.kind == "renamed":
            write(path, content)
            _kill(moment, f"{path.name} is in its place, older ones are not dropped yet")
        else:
            with replacing(path) as temporary:
                share = len(content) // 2 if moment.kind == "half" else len(content)
                temporary.write_bytes(content[:share])
                _kill(moment, f"{share} of {len(content)} bytes of {path.name} are written")

    checkpoints.write_bytes = writing


def _in_validation(moment: Moment) -> None:
    outputs = loop._Training._validation_outputs
    seen = []

    def yielding(training):
        for output in outputs(training):
            seen.append(output)
            if len(seen) == moment.number:
                _kill(moment, f"in validation batch {len(seen)}, of epoch {training.state.position.epoch + 1}")
            yield output

    loop._Training._validation_outputs = yielding


def _after_validation(moment: Moment) -> None:
    write = loop._Training._write_model

    def writing(training, name):
        write(training, name)
        if training.state.position.epoch + 1 == moment.number:
            _kill(moment, f"the row of validation {moment.number} is written, its checkpoint is not")

    loop._Training._write_model = writing


def main() -> None:
    """Carry out the moments given as JSON with a tiny network, one line of JSON for each; for tests."""
    request = json.loads(sys.stdin.read())
    loop.build_network = tiny_network
    options = TrainOptions.from_dict(request["options"])
    files = request["files_train"], request["files_valid"]
    base = Path(request["folder"])
    assert run_in_child(options, *files, base / "uninterrupted") == 0
    for kind, number in request["moments"]:
        moment = Moment(kind, number)
        folder = base / f"{kind}-{number}"
        killed = run_in_child(options, *files, folder, moment)
        resumed = run_in_child(options, *files, folder)
        result = {"moment": str(moment), "killed": killed, "resumed": resumed}
        sys.stdout.write(json.dumps(result | {"differs": differences(folder, base / "uninterrupted")}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
