"""Which runs compete for the same device: each device of a machine is a lane, in which runs follow each other.

A device is named as the accelerator ("cpu", "tpu"); a GPU has its own name, "gpu:" and what CUDA_VISIBLE_DEVICES calls
it, as in "gpu:1".
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

GPU_PREFIX = "gpu:"


@dataclass(frozen=True)
class Need:
    """The devices that a run needs for itself: one of these, whichever is free first, or all of them at once."""

    devices: tuple[str, ...]
    together: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, as the store keeps them."""
        return {"devices": list(self.devices), "together": self.together}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "Need":
        """Return what `as_dict` described."""
        return Need(tuple(values["devices"]), values["together"])

    def meets(self, devices: Sequence[str]) -> bool:
        """Say whether one of these devices is among those that it is about."""
        return not set(self.devices).isdisjoint(devices)


class Claim(NamedTuple):
    """What an active run of a machine needs and, once it runs, has."""

    need: Need
    has: tuple[str, ...]


def free_devices(before: Sequence[Claim], need: Need, runs_per_device: int) -> tuple[str, ...]:
    """Return the devices that a queued run may take now; none while it has to wait.

    A run that is queued before is given its devices first, in thought: so no one overtakes it on a device that it could
    have. One that waits for several at once keeps all of them closed, or it would never have them.

    Args:
        before: the running claims, and those queued before it in the order of the queue.
        need: of the run that wants to start.
        runs_per_device: how many runs one device bears at once.
    """
    taken = Counter(device for claim in before for device in claim.has)
    closed = {device for device, runs in taken.items() if runs >= runs_per_device}
    for claim in before:
        if not claim.has:
            closed.update(claim.need.devices if claim.need.together else _chosen(claim.need, taken, closed))
    return _chosen(need, taken, closed)


def _chosen(need: Need, taken: Counter[str], closed: set[str]) -> tuple[str, ...]:
    """Return all devices of a need, or the one with the fewest runs; none where one of all, or every one, is closed."""
    free = tuple(device for device in need.devices if device not in closed)
    if need.together:
        return free if free == need.devices else ()
    return (min(free, key=taken.__getitem__),) if free else ()


def variables_of(devices: Sequence[str]) -> dict[str, str]:
    """Return the environment in which a process sees these devices alone; CUDA reads it when TensorFlow is loaded.

    Work on the CPU sees no GPU: TensorFlow would take its memory from other runs all the same.
    """
    gpus = [device.removeprefix(GPU_PREFIX) for device in devices if device.startswith(GPU_PREFIX)]
    if gpus:
        return {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}
    return {"CUDA_VISIBLE_DEVICES": "-1"} if "cpu" in devices else {}
