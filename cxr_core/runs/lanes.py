"""Which runs compete for the same device: those of one lane follow each other in the order of the queue."""

from cxr_core.runs.identity import ProcessIdentity

#: Devices that share hardware share a lane.
_SHARED = {"multi-gpu": "gpu"}


def lane_of(device: str | None, process: ProcessIdentity) -> str | None:
    """Return the lane of a device of the machine that a process runs on; None for light work, which waits for nobody.

    Machines that share a workspace do not wait for each other's devices; the containers of one machine do.
    """
    return None if device is None else f"{_SHARED.get(device, device)}@{process.hardware}"
