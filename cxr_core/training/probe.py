"""What this machine can train on, asked in another process, because TensorFlow must not be loaded in this one."""

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from cxr_core.atomic import write_text
from cxr_core.errors import RunError

#: A GPU is named by this and what CUDA_VISIBLE_DEVICES calls it, as in "gpu:1".
GPU_PREFIX = "gpu:"

_TIMEOUT_SECONDS = 120
_CACHE_NAME = "accelerators.json"
#: What an answer means; an answer of another form is asked anew.
_FORM = "devices by name"
#: Changing one of these changes what can be used.
_VARIABLES = ("CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "TPU_NAME", "COLAB_TPU_ADDR", "TF_CONFIG")


@dataclass(frozen=True)
class Accelerator:
    """One of cpu, gpu, multi-gpu, tpu and multi-worker: whether it can be used here, why not, and the devices."""

    name: str
    available: bool
    reason: str
    devices: tuple[str, ...] = ()


def probe(home: Path, refresh: bool = False) -> list[Accelerator]:
    """Return the accelerators, in this order: cpu, gpu, multi-gpu, tpu, multi-worker.

    The first answer takes TensorFlow's start (5 to 20 s) and is kept in the workspace until the machine starts anew,
    another TensorFlow is installed, or a variable that decides on devices changes.

    Raises:
        RunError: the probe died or took too long.
    """
    cache, key = home / _CACHE_NAME, _key()
    if not refresh and (known := _cached(cache, key)) is not None:
        return known
    found = _ask()
    write_text(cache, json.dumps({"key": key, "accelerators": [asdict(one) for one in found]}))
    return found


def cached(home: Path) -> list[Accelerator] | None:
    """Return the kept answer when it still holds, at no cost, else None."""
    return _cached(home / _CACHE_NAME, _key())


def _key() -> str:
    try:
        version = importlib.metadata.version("tensorflow")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    values = [_FORM, version, _boot(), sys.prefix, *(os.environ.get(name, "") for name in _VARIABLES)]
    return json.dumps(values)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _cached(cache: Path, key: str) -> list[Accelerator] | None:
    try:
        content = json.loads(cache.read_text())
        return _parsed(content["accelerators"]) if content["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ask() -> list[Accelerator]:
    command = [sys.executable, "-m", "cxr_core.training.accelerators"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=True)
        return _parsed(json.loads(done.stdout))
    except subprocess.TimeoutExpired as error:
        raise RunError(f"TensorFlow did not start within {_TIMEOUT_SECONDS} s. Try again later.") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1][:300]
        raise RunError(f"TensorFlow cannot be started here: {last}") from error


def _parsed(entries: list[dict[str, object]]) -> list[Accelerator]:
    return [
        Accelerator(
            name=str(entry["name"]),
            available=entry["available"] is True,
            reason=str(entry["reason"]),
            devices=tuple(str(device) for device in entry["devices"]),  # type: ignore[attr-defined]
        )
        for entry in entries
    ]
