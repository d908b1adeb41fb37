"""Who waits for whom: runs that need the same device follow each other in the order in which they were queued."""

from cxr_core.runs.store import QUEUED, RUNNING, Run, RunStore

#: Devices that share hardware share a lane.
_SHARED = {"multi-gpu": "gpu"}


def lane_of(device: str | None) -> str | None:
    """Return the lane of a device; None for light work, which waits for nobody."""
    return None if device is None else _SHARED.get(device, device)


def ahead_of(store: RunStore, run: Run) -> list[Run]:
    """Return the active runs that a queued run waits for, the next first."""
    lane = lane_of(run.device)
    active = store.active()
    if lane is None or run.run not in [other.run for other in active]:
        return []
    same_lane = [other for other in active if lane_of(other.device) == lane and other.run != run.run]
    place = [other.run for other in active].index(run.run)
    queued_before = {other.run for other in active[:place] if other.status == QUEUED}
    return [other for other in same_lane if other.status == RUNNING or other.run in queued_before]
