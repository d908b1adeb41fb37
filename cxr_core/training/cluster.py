"""What TF_CONFIG says of the machines that train together; loads no TensorFlow.

Vertex AI, Kubeflow and Ray set it for each worker, as in `{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type":
"worker", "index": 0}}`. The same command is started on each; the chief, or the first worker, writes the model.
"""

import json
import os
from typing import NamedTuple

from cxr_core.errors import UsageError

VARIABLE = "TF_CONFIG"


class Task(NamedTuple):
    """One worker: its kind ("chief" or "worker"), its number among those, and the addresses of all."""

    kind: str
    number: int
    workers: tuple[str, ...]
    is_chief: bool


def task_of(text: str) -> Task:
    """Return what a TF_CONFIG says of this process.

    Raises:
        UsageError: it is missing, or not what TensorFlow understands.
    """
    if not text:
        raise UsageError("No other machine is named: TF_CONFIG is not set.")
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kind, index = str(task["type"]), int(task["index"])
        workers = tuple(str(address) for name in ("chief", "worker") for address in cluster.get(name, []))
        first = "chief" if cluster.get("chief") else "worker"
        if not 0 <= index < len(cluster[kind]):
            raise ValueError("no such task")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("TF_CONFIG must be JSON with a cluster of workers and a task of it.") from error
    return Task(kind, index, workers, (kind, index) == (first, 0))


def worker_suffix(accelerator: str) -> str:
    """Return what tells the runs of several workers apart, as in "-worker1"; nothing for the chief and one machine."""
    if accelerator != "multi-worker":
        return ""
    task = task_of(os.environ.get(VARIABLE, ""))
    return "" if task.is_chief else f"-{task.kind}{task.number}"
