"""What the folder of a run tells of it where no copy of its row lies there: configuration, log, metrics, its owner."""

import json
import re
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

from cxr_core.runs.identity import ProcessIdentity
from cxr_core.runs.lanes import Need
from cxr_core.runs.log import LOG_FILE
from cxr_core.runs.metrics import METRICS_FILE, read_rows, tail
from cxr_core.runs.run import FAILED, Run

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[run\] (.*)$", re.MULTILINE)
_END = re.compile(r"(completed|failed|cancelled)(?:: (.*))?")
_READ_BYTES = 1_000_000
_UNKNOWN_END = "The store of runs was rebuilt from the runs' folders, and this one does not tell how it ended."
_NOBODY = ProcessIdentity("", "", "", 0, "")
_FIGURES = ("step", "epoch", "loss", "val_loss", "val_auc")


def traced(folder: Path) -> Run | None:
    """Return a run as its folder tells of it; None where it is no folder of a run."""
    config = _config(folder)
    if config is None or not _ID.fullmatch(folder.name):
        return None
    started, ended, status, reason = _from_log(folder)
    created = datetime.strptime(folder.name[:15], "%Y%m%d-%H%M%S").timestamp()
    device = config.get("options", config).get("accelerator")
    return Run(
        run=folder.name,
        kind=_kind(config),
        name=_name(config, folder.name),
        source=_source(config),
        created=created,
        heartbeat=ended or started or created,
        user=_owner(folder),
        host=socket.gethostname(),
        config=config,
        supervisor=_NOBODY,
        device=device,
        need=None if device is None else Need((device,)),
        resumable="options" in config,
        status=status,
        reason=reason,
        started=started,
        ended=ended or started or created,
        **_figures(folder),
    )


def _config(folder: Path) -> dict[str, Any] | None:
    try:
        config = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return None
    return config if isinstance(config, dict) and isinstance(config.get("options", {}), dict) else None


def _from_log(folder: Path) -> tuple[float | None, float | None, str, str | None]:
    """Return when the run was last started, when it ended, its status and its reason."""
    started = ended = None
    status, reason = FAILED, _UNKNOWN_END
    for found in _LINE.finditer(tail(folder / LOG_FILE, _READ_BYTES)):
        when = datetime.fromisoformat(found[1]).timestamp()
        end = _END.fullmatch(found[2])
        if found[2].startswith("started process"):
            started, ended, status, reason = when, None, FAILED, _UNKNOWN_END
        elif end is not None:
            ended, status, reason = when, end[1], end[2]
    return started, ended, status, reason


def _figures(folder: Path) -> dict[str, Any]:
    rows = read_rows(folder / METRICS_FILE)
    latest = {name: row[name] for row in rows for name in _FIGURES if isinstance(row.get(name), int | float)}
    return {name: int(value) if name in ("step", "epoch") else float(value) for name, value in latest.items()}


def _kind(config: dict[str, Any]) -> str:
    marks = {"members": "sweep", "options": "train", "weights": "predict", "what": "import", "place": "import-images"}
    return next((kind for mark, kind in marks.items() if mark in config), "unknown")


def _name(config: dict[str, Any], run_id: str) -> str:
    found = config.get("options", {}).get("name") or config.get("name") or config.get("model")
    return found if isinstance(found, str) else run_id


def _source(config: dict[str, Any]) -> str:
    """Return the source whose folder the configuration names; training has its records from there."""
    found = re.search(r"/sources/([A-Za-z0-9][A-Za-z0-9._-]*)/", json.dumps(config))
    return found[1] if found else "demo"


def _owner(folder: Path) -> str:
    try:
        return folder.owner()
    except (KeyError, OSError):
        return "unknown"
