"""A run at its beginning: its ID, who asked for it, and where."""

import os
import socket
import time
from datetime import datetime
from typing import Any

from cxr_core.caller import caller
from cxr_core.runs.identity import own_identity
from cxr_core.runs.lanes import Need
from cxr_core.runs.run import HERE, Run


def new_run_id() -> str:
    """Return a new ID, `YYYYMMDD-HHMMSS-xxxxxx`: the local time and six random hexadecimal digits."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{os.urandom(3).hex()}"


def new_run(
    run_id: str,
    kind: str,
    name: str,
    source: str,
    config: dict[str, Any],
    device: str | None,
    need: Need | None,
    resumable: bool,
    parent: str | None,
    place: str = HERE,
) -> Run:
    """Return a queued run that this process answers for; without a need, its accelerator is one device."""
    now = time.time()
    return Run(
        run=run_id,
        kind=kind,
        name=name,
        source=source,
        created=now,
        heartbeat=now,
        user=caller().name,
        host=socket.gethostname(),
        config=config,
        supervisor=own_identity(),
        device=device,
        need=need or (None if device is None else Need((device,))),
        resumable=resumable,
        parent=parent,
        place=place,
    )
