"""What changes in the row of a run that is put back into the queue."""

from typing import Any

from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.run import QUEUED, Run, as_column


def next_leg(run: Run, host: str, supervisor: ProcessIdentity, now: float) -> dict[str, Any]:
    """Return the columns of the next leg of a run, which says what devices it needs and where it works.

    Args:
        run: as it ended, with the need, device and place of the next leg.
        host: the name of the machine whose process looks after it.
        supervisor: the process that answers for it now.
        now: seconds since 1970.
    """
    return {
        "device": run.device,
        "need": None if run.need is None else as_column(run.need),
        "place": run.place,
        "leg": run.leg + 1,
        "devices": as_column(()),
        "host": host,
        "status": QUEUED,
        "reason": None,
        "started": None,
        "ended": None,
        "cancel_requested": 0,
        "heartbeat": now,
        "supervisor": as_column(supervisor),
        "process": None,
    }
