"""One run: what is known of it, as a value, as a row of the store, and as the JSON that the command line prints."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.lanes import Need

QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED = ("queued", "running", "completed", "failed", "cancelled")
ACTIVE = (QUEUED, RUNNING)

#: The place of every run that works on this machine.
HERE = "here"
#: How the message of a run begins whose place is silent.
NOT_HEARD = "not heard from"


@dataclass(frozen=True)
class Run:
    """One run. Times are seconds since 1970 (UTC); `eta_seconds` is the expected time left.

    `device` is the accelerator that the run needs for itself; None for light work that waits for nobody. `need` says
    which of its devices the run may have, `devices` which it was given when it last started. `parent` is the run that
    started this one as a part of it, such as a sweep. `user`, `notes` and `tags` are for people. `worked`
    counts the seconds before the last resume: `started` and `ended` are of the last leg alone. `place` is where it
    works, `leg` the number of its start or resume there.
    """

    run: str
    kind: str
    name: str
    source: str
    created: float
    heartbeat: float
    user: str
    host: str
    config: dict[str, Any]
    supervisor: ProcessIdentity
    device: str | None = None
    resumable: bool = False
    status: str = QUEUED
    reason: str | None = None
    step: int | None = None
    steps: int | None = None
    epoch: int | None = None
    loss: float | None = None
    val_loss: float | None = None
    val_auc: float | None = None
    message: str | None = None
    eta_seconds: float | None = None
    started: float | None = None
    ended: float | None = None
    cancel_requested: bool = False
    result: dict[str, Any] | None = None
    process: ProcessIdentity | None = None
    parent: str | None = None
    notes: str = ""
    tags: tuple[str, ...] = ()
    worked: float = 0.0
    need: Need | None = None
    devices: tuple[str, ...] = ()
    place: str = HERE
    leg: int = 1

    def seconds_worked(self, now: float) -> float | None:
        """Return for how long the run has worked until `now` or its end, over all its legs; None before the first."""
        if self.started is None:
            return self.worked or None
        return self.worked + max(0.0, (now if self.ended is None else self.ended) - self.started)

    @property
    def is_active(self) -> bool:
        """Whether the run is queued or running."""
        return self.status in ACTIVE

    @property
    def is_away(self) -> bool:
        """Whether the run works at a place of its own, where no process of this machine is it."""
        return self.place != HERE

    @property
    def is_unheard(self) -> bool:
        """Whether neither the place of the run nor its step was heard for a while, so that nobody knows how it is."""
        return (self.message or "").startswith(NOT_HEARD)

    @property
    def share_done(self) -> float:
        """How much of the work is done, from 0 to 1."""
        if self.status == COMPLETED:
            return 1.0
        return min(1.0, self.step / self.steps) if self.step and self.steps else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what the command line prints of a run; times are ISO 8601 in UTC."""
        shown = {name: getattr(self, name) for name in _SHOWN}
        shown |= {name: list(shown[name]) for name in _TUPLES}
        return shown | {name: _iso(shown[name]) for name in ("created", "started", "ended", "heartbeat")}

    def as_row(self) -> dict[str, Any]:
        """Return the run as columns of the store."""
        row = {column: getattr(self, column) for column in COLUMNS}
        row |= {name: as_column(row[name]) for name in _JSON if row[name] is not None}
        return row | {name: as_column(row[name]) for name in (*_IDENTITIES, "need") if row[name] is not None}

    @classmethod
    def from_row(cls, row: Mapping[str, Any] | sqlite3.Row) -> "Run":
        """Return the run that a row of the store holds."""
        values = {name: row[name] for name in COLUMNS}
        for name in _JSON:
            values[name] = None if values[name] is None else json.loads(values[name])
        for name in _IDENTITIES:
            values[name] = None if values[name] is None else ProcessIdentity(**json.loads(values[name]))
        for name in ("cancel_requested", "resumable"):
            values[name] = bool(values[name])
        values["need"] = None if values["need"] is None else Need.from_dict(json.loads(values["need"]))
        return cls(**values | {name: tuple(values[name]) for name in _TUPLES})


COLUMNS = tuple(field.name for field in fields(Run))
_JSON, _TUPLES, _IDENTITIES = ("config", "result", "tags", "devices"), ("tags", "devices"), ("supervisor", "process")
_SHOWN = (
    *("run", "kind", "name", "source", "device", "devices", "status", "reason", "message"),
    *("step", "steps", "epoch", "loss", "val_loss", "val_auc", "eta_seconds"),
    *(
        "created",
        "started",
        "ended",
        "heartbeat",
        "user",
        "host",
        "place",
        "parent",
        "notes",
        "tags",
        "config",
        "result",
    ),
)


def as_column(value: Any) -> str:
    """Return an identity, a need, or JSON values, as the text that the store keeps."""
    return json.dumps(value.as_dict() if isinstance(value, (ProcessIdentity, Need)) else value, allow_nan=False)


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
