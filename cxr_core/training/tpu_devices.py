"""Asking a TPU whether it is there, and connecting to it for a run."""

import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import kernels

from cxr_core.errors import UsageError
from cxr_core.training.tpu_address import LOCAL

_PATIENCE_SECONDS = 40.0
_FAILURES = (ValueError, RuntimeError, OSError, tf.errors.OpError)


def tpu_devices(
    address: str, ask: Callable[[str], tuple[str, ...]] | None = None, patience: float = _PATIENCE_SECONDS
) -> tuple[str, ...]:
    """Return the devices with which a TPU answers; a run that works on it is not disturbed.

    Args:
        address: "local", a name, or grpc:// with host and port.
        ask: asks the TPU, for as long as it takes; by default TensorFlow does.
        patience: seconds to wait for the answer.

    Raises:
        UsageError: this TensorFlow cannot use it, it does not answer in time, or it has no device.
    """
    if address == LOCAL and not has_tpu_kernels():
        raise UsageError("This TensorFlow was built without TPU operations. Install tensorflow-tpu.")
    devices = _in_time(address, ask or _ask, patience)
    if not devices:
        raise UsageError(f"The TPU {address} answers, but has no device.")
    return devices


def has_tpu_kernels() -> bool:
    """Say whether this TensorFlow can work on a TPU of its own machine; the one of that name on PyPI cannot."""
    return bool(kernels.get_registered_kernels_for_op("ConfigureDistributedTPU").kernel)


def tpu_strategy(address: str) -> Any:
    """Return the strategy for a TPU, which forgets what it worked on before.

    Raises:
        UsageError: it cannot be reached.
    """
    try:
        resolver = _connected(address)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except _FAILURES as error:
        raise _unreachable(address, error) from error


def _ask(address: str) -> tuple[str, ...]:
    _connected(address)
    return tuple(device.name for device in tf.config.list_logical_devices("TPU"))


def _connected(address: str) -> Any:
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=address)
    tf.config.experimental_connect_to_cluster(resolver)
    return resolver


def _in_time(address: str, ask: Callable[[str], tuple[str, ...]], patience: float) -> tuple[str, ...]:
    """Ask in a thread: TensorFlow tries for minutes to reach a machine that does not answer."""
    answers: list[tuple[str, ...] | Exception] = []

    def run() -> None:
        try:
            answers.append(ask(address))
        except Exception as error:  # what is between here and a TPU raises what it likes
            answers.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(patience)
    if not answers:
        raise UsageError(f"The TPU {address} does not answer within {patience:g} s.")
    if isinstance(answers[0], Exception):
        raise _unreachable(address, answers[0]) from answers[0]
    return answers[0]


def _unreachable(address: str, error: Exception) -> UsageError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return UsageError(f"The TPU {address} cannot be reached: {said}")
