"""What must be true soon after a kill or a fault."""

import time
from collections.abc import Callable

WITHIN_SECONDS = 10.0


def within(wrong: Callable[[], list[str]]) -> list[str]:
    """Return what is wrong once nothing is, or once the time has passed in which it may be."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while (found := wrong()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found
