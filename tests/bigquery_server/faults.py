"""How the server misbehaves when it is told to."""

import threading
import time
from dataclasses import dataclass, field

from bigquery_server.refusals import RefusedError

#: kind -> what the client is answered.
_REFUSALS = {
    "401": (401, "authError", "Request had invalid authentication credentials. Expected OAuth 2 access token."),
    "429": (429, "rateLimitExceeded", "Exceeded rate limits: too many api requests per user per method."),
    "500": (500, "internalError", "An internal error occurred and the request could not be completed."),
    "503": (503, "backendError", "Visibility check was unavailable. Please retry the request."),
}
KINDS = (*_REFUSALS, "dropped", "dropped-after", "slow", "stuck")


@dataclass
class Fault:
    """One misbehaviour.

    `kind` is 401 (an expired token), 429, 500 or 503; `dropped` (the connection closes before anything was done),
    `dropped-after` (it closes after the work was done); `slow` (the answer waits `seconds`); `stuck` (a query that
    is inserted never ends). It befalls the next `times` requests whose `METHOD /path` holds `where`; None is for ever.
    """

    kind: str
    where: str = ""
    times: int | None = None
    seconds: float = 1.0
    seen: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"A fault must be one of {', '.join(KINDS)}. Received: {self.kind!r}.")


class Faults:
    """The misbehaviours that a server was told; safe between threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def due(self, request: str, *kinds: str) -> Fault | None:
        """Return the first fault of these kinds that befalls a request, and count it."""
        with self._lock:
            for fault in self._faults:
                left = fault.times is None or fault.seen < fault.times
                if fault.kind in kinds and left and fault.where in request:
                    fault.seen += 1
                    return fault
        return None

    def befall(self, request: str) -> None:
        """Raise or wait as the faults for a request say."""
        if refusing := self.due(request, *_REFUSALS):
            raise RefusedError(*_REFUSALS[refusing.kind])
        if slow := self.due(request, "slow"):
            time.sleep(slow.seconds)
