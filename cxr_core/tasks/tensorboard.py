"""A run's metrics for TensorBoard: event files made from the metric rows, whenever somebody wants them.

The rows are the one truth: they are cut where a resumed run goes back, which event files that were written meanwhile
would not be. So training need not write any, and every run has them, also one that ended before.
"""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event

from cxr_core.records.tfrecord import write_records
from cxr_core.runs import service
from cxr_core.runs.columns import MetricColumns

FOLDER = "tensorboard"
PORT = 6006

_FILE = "events.out.tfevents.{seconds:010d}.metrics"
_NO_FIGURES = ("step", "epoch", "time")


def tensorboard_folder(run_id: str) -> Path:
    """Return the folder of a run's event files."""
    return service.folder_of(run_id) / FOLDER


def write_event_files(run_id: str) -> Path:
    """Write all metric rows of a run as TensorBoard's scalars, in place of those written before; return the folder.

    Raises:
        CxrError: the disk is full, or the folder may not be written.
    """
    folder = tensorboard_folder(run_id)
    metrics = service.metric_columns(run_id)
    write_records(folder / _FILE.format(seconds=_first_second(metrics)), _events(metrics))
    return folder


def tensorboard_command(folder: Path) -> str:
    """Return the command that shows a folder of event files, on this machine only."""
    logdir = shlex.quote(str(folder))
    return f"{shlex.quote(sys.executable)} -m tensorboard.main --logdir {logdir} --host 127.0.0.1 --port {PORT}"


def _first_second(metrics: MetricColumns) -> int:
    """Return when the first row was written, for a file name that stays the same while the run goes on."""
    times = metrics.column("time")
    return int(times[0]) if len(times) and np.isfinite(times[0]) else 0


def _events(metrics: MetricColumns) -> Iterator[bytes]:
    """Yield one event a row, after the one that names the version of the format."""
    times, steps = np.nan_to_num(metrics.column("time")), np.nan_to_num(metrics.column("step"))
    yield Event(wall_time=times[0] if len(times) else 0.0, file_version="brain.Event:2").SerializeToString()
    figures = {name: column for name, column in metrics.columns.items() if name not in _NO_FIGURES}
    for place in range(metrics.n_rows):
        event = Event(wall_time=times[place], step=int(steps[place]))
        for name, column in figures.items():
            if np.isfinite(column[place]):
                event.summary.value.add(tag=name, simple_value=column[place])
        yield event.SerializeToString()
