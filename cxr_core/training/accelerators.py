"""Which devices TensorFlow can use here, and the `tf.distribute` strategy for each.

`python -m cxr_core.training.accelerators` prints the answer as JSON, so that others can ask without loading TensorFlow.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.training.cluster import VARIABLE, task_of
from cxr_core.training.execution_options import ACCELERATORS
from cxr_core.training.probe import GPU_PREFIX, Accelerator
from cxr_core.training.tpu_address import LOCAL, tpu_address
from cxr_core.training.tpu_devices import tpu_devices, tpu_strategy


def probe() -> list[Accelerator]:
    """Return every accelerator, each with the reason where it cannot be used.

    It contacts no network but to ask a TPU that the environment names.
    """
    gpus = gpu_names(len(tf.config.list_physical_devices("GPU")), os.environ)
    lacking = lacking_gpu_reason(has_nvidia_device(), bool(tf.sysconfig.get_build_info()["is_cuda_build"]), os.environ)
    few = f"Multi-GPU needs two GPUs or more; {len(gpus)} can be used." if gpus else lacking
    return [
        Accelerator("cpu", True, "", ("CPU",)),
        Accelerator("gpu", bool(gpus), "" if gpus else lacking, gpus),
        Accelerator("multi-gpu", len(gpus) > 1, "" if len(gpus) > 1 else few, gpus),
        _tpu(os.environ),
        _multi_worker(os.environ),
    ]


def gpu_names(count: int, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the first GPUs that this process sees are called: what they are chosen by, whoever sees them."""
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    numbers = map(str, range(count)) if visible is None else (name.strip() for name in visible.split(","))
    return tuple(f"{GPU_PREFIX}{number}" for _, number in zip(range(count), numbers, strict=False))


def lacking_gpu_reason(has_device: bool, is_cuda_build: bool, environment: Mapping[str, str]) -> str:
    """Say why TensorFlow sees no GPU: there is none, it is hidden, or this TensorFlow cannot use it."""
    if not has_device:
        return "This machine has no NVIDIA GPU."
    if environment.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return "A GPU is here, but CUDA_VISIBLE_DEVICES hides it. Unset that variable."
    if not is_cuda_build:
        return "A GPU is here, but this TensorFlow was built without CUDA. Install tensorflow[and-cuda]."
    return (
        "A GPU is here, but this TensorFlow cannot load the CUDA libraries. "
        "Install tensorflow[and-cuda], and see that the NVIDIA driver is recent enough."
    )


def has_nvidia_device(root: Path = Path("/")) -> bool:
    """Say whether the kernel shows an NVIDIA GPU, whatever TensorFlow makes of it."""
    devices = any(root.glob("dev/nvidia[0-9]*"))
    return devices or any(root.glob("proc/driver/nvidia/gpus/*"))


def strategy_for(name: str, workers: int = 1) -> Any:
    """Return the `tf.distribute` strategy of an accelerator, which each of so many workers of a run has.

    Raises:
        UsageError: this machine lacks it, or nobody told it the other workers; the message is the reason.
    """
    if name not in ACCELERATORS:
        raise UnknownNameError("accelerator", name, ACCELERATORS)
    found = next(accelerator for accelerator in probe() if accelerator.name == name)
    if not found.available:
        raise UsageError(f"The accelerator {name} cannot be used: {found.reason}")
    if name == "tpu":
        return tpu_strategy(tpu_address(os.environ) or LOCAL)
    if name == "multi-worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "cpu":
        # Else TensorFlow would take the memory of a GPU that it does not use.
        tf.config.set_visible_devices([], "GPU")
    if workers > 1:
        task_of(os.environ.get(VARIABLE, ""))
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "cpu":
        return tf.distribute.OneDeviceStrategy("/cpu:0")
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    if name == "multi-gpu":
        return tf.distribute.MirroredStrategy()
    return tf.distribute.OneDeviceStrategy("/gpu:0")


def gathered(strategy: Any, value: Any) -> npt.NDArray[Any]:
    """Return the rows that the replicas of this process hold as one array, in the order of the replicas.

    Not `strategy.gather`, which knows no booleans and returns the first replica's share alone of a tuple.
    """
    return np.concatenate([part.numpy() for part in strategy.experimental_local_results(value)])


def _tpu(environment: Mapping[str, str]) -> Accelerator:
    address = tpu_address(environment)
    if address is None:
        return Accelerator("tpu", False, "No TPU is configured: neither TPU_NAME nor COLAB_TPU_ADDR is set.")
    try:
        return Accelerator("tpu", True, "", (address, *tpu_devices(address)))
    except UsageError as error:
        return Accelerator("tpu", False, str(error))


def _multi_worker(environment: Mapping[str, str]) -> Accelerator:
    try:
        task = task_of(environment.get(VARIABLE, ""))
    except UsageError as error:
        return Accelerator("multi-worker", False, str(error))
    return Accelerator("multi-worker", True, "", (f"{task.kind} {task.number} of {len(task.workers)}", *task.workers))


if __name__ == "__main__":
    sys.stdout.write(json.dumps([asdict(accelerator) for accelerator in probe()]) + "\n")
    sys.stdout.flush()
    os._exit(0)  # a thread may still wait for a TPU that does not answer
