"""What the rest of the product asks of runs: submit, look, wait, cancel, resume, delete."""

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_core.atomic import disk_errors, write_text
from cxr_core.caller import RESEARCHER, caller, require, require_for_run_of
from cxr_core.errors import UsageError
from cxr_core.journal import note_deed
from cxr_core.runs import metrics, reasons
from cxr_core.runs.admission import check_start
from cxr_core.runs.annotations import checked_notes, checked_tags
from cxr_core.runs.cancelling import ask_to_stop
from cxr_core.runs.columns import ColumnReader, MetricColumns
from cxr_core.runs.identity import own_identity
from cxr_core.runs.lanes import Need
from cxr_core.runs.log import LOG_FILE
from cxr_core.runs.new_run import new_run, new_run_id
from cxr_core.runs.places.goods import Goods
from cxr_core.runs.places.registry import check_place
from cxr_core.runs.reconcile import reconcile
from cxr_core.runs.run import COMPLETED, FAILED, HERE, Run
from cxr_core.runs.store import RunStore
from cxr_core.runs.supervision import launch as _launch
from cxr_core.settings import settings
from cxr_core.workspace import make_folder

CONFIG_FILE = "config.json"

_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.3, 1.0
_COLUMNS = ColumnReader()


def submit(
    kind: str,
    name: str,
    source: str,
    config: dict[str, Any],
    device: str | None = None,
    resumable: bool = False,
    run_id: str | None = None,
    parent: str | None = None,
    need: Need | None = None,
    place: str = HERE,
    goods: Goods | None = None,
) -> Run:
    """Start a run in a process of its own, which outlives this one, and return it.

    Args:
        kind: what work it is; a key of the table of kinds that `step` is given.
        name: for people: the model that is trained, predicts, …
        source: the source that it works on.
        config: what the work is to do, as JSON values.
        device: the accelerator that the run needs for itself: it waits for those before it. None waits for nobody.
        resumable: whether the work can go on from what it left in its folder.
        run_id: from `new_run_id`, when the caller needed it before.
        parent: the run that this one is a part of.
        need: which devices of the accelerator; by default it is one device.
        place: where it works; elsewhere than here it waits for that place alone.
        goods: what it needs at another place besides its configuration.

    Raises:
        UnknownNameError: there is no such parent.
        UsageError: whoever acts may not start runs, or not see the source, or has enough of them waiting.
        CxrError: the disk is full, or the process could not be started.
    """
    store = _store()
    check_start(store, source)
    if parent is not None:
        store.get(parent)
    check_place(place)
    run = new_run(run_id or new_run_id(), kind, name, source, config, device, need, resumable, parent, place)
    folder = store.run_folder(run.run)
    with disk_errors(folder):
        make_folder(folder)
    try:
        write_text(folder / CONFIG_FILE, json.dumps(config, indent=2, allow_nan=False) + "\n")
        if goods is not None:
            goods.keep(folder)
        note_deed("run started", run=run.run, kind=kind, name=name, source=source)
        store.insert(run)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _as_it_stands(store, _launch(store, run))


def get(run_id: str) -> Run:
    """Return a run as it stands, or raise `UnknownNameError`."""
    store = _store()
    return _as_it_stands(store, store.get(run_id))


def list_runs(kind: str | None = None, parent: str | None = None, tag: str | None = None, text: str = "") -> list[Run]:
    """Return the runs that fit everything given, as they stand, the newest first; see `RunStore.newest_first`."""
    store = _store()
    return [_as_it_stands(store, run) for run in store.newest_first(kind, parent, tag, text)]


def children(run_id: str) -> list[Run]:
    """Return the runs that are parts of a run, as they stand, in the order in which they were started."""
    return list_runs(parent=run_id)[::-1]


def document(run: Run) -> dict[str, Any]:
    """Return a run as JSON, with its parts as `children` where it has any."""
    parts = children(run.run)
    return run.as_json() | ({"children": [part.as_json() for part in parts]} if parts else {})


def set_notes(run_id: str, notes: str) -> Run:
    """Keep a text of people's on a run, in place of the one before, and return it; `UsageError` if it is too long."""
    store, run = _store(), get(run_id)
    require(RESEARCHER, "note on a run")
    store.set_notes(run.run, checked_notes(notes))
    return get(run_id)


def set_tags(run_id: str, tags: Iterable[str]) -> Run:
    """Keep tags on a run, in place of those before, and return it; `UsageError` where one is not legal."""
    store, run = _store(), get(run_id)
    require(RESEARCHER, "tag a run")
    store.set_tags(run.run, checked_tags(tags))
    return get(run_id)


def folder_of(run_id: str) -> Path:
    """Return the folder of a run; raises as `get` where whoever acts may not see it."""
    store = _store()
    if caller().names is not None:
        store.get(run_id)
    return store.run_folder(run_id)


def cancel(run_id: str) -> Run:
    """Ask a run to stop: a queued one ends at once, a running one after its checkpoint or the grace time.

    The runs that are parts of it are stopped too, the last in the queue first, so that none of them starts meanwhile.
    A run of another machine or container that has been silent for two minutes ends without its answer: its user knows
    whether that machine is still there.

    Raises:
        UsageError: the run has ended otherwise already, and so have its parts.
    """
    store, run = _store(), get(run_id)
    require_for_run_of(run.user, "cancel")
    parts = [part for part in children(run_id) if part.is_active]
    if run.status in (COMPLETED, FAILED) and not parts:
        raise UsageError(f"Run {run_id} has {run.status} already, so it cannot be cancelled.")
    for stopped in (run, *reversed(parts)):
        ask_to_stop(store, stopped)
    note_deed("run cancelled", run=run_id, kind=run.kind, name=run.name, source=run.source)
    return get(run_id)


def resume(
    run_id: str,
    need: Need | None = None,
    place: str | None = None,
    device: str | None = None,
    goods: Goods | None = None,
) -> Run:
    """Put a failed or cancelled run back into the queue under its ID; it goes on from its last checkpoint.

    `need` says which devices of this machine it may have; by default those of the same names as before. `place` is
    where it goes on, by default where it was; `device` and `goods` are as for `submit`, for another place.

    Raises:
        UsageError: the run is active or completed, its folder has vanished, or work of its kind cannot be resumed.
    """
    store, run, me = _store(), get(run_id), own_identity()
    require_for_run_of(run.user, "resume")
    if not run.resumable:
        raise UsageError(f"Run {run_id} is a {run.kind} run, which cannot be resumed. Start it again.")
    if not run.is_active and not store.run_folder(run_id).is_dir():
        raise UsageError(f"{reasons.folder_vanished(store.run_folder(run_id))} It cannot be resumed. Start it again.")
    note_deed("run resumed", run=run_id, kind=run.kind, name=run.name, source=run.source)
    moved = run if place is None else replace(run, place=check_place(place), device=device, need=None)
    if goods is not None and not run.is_active:
        goods.keep(store.run_folder(run_id))
    if not store.requeue(replace(moved, need=need or moved.need), socket.gethostname(), me):
        raise UsageError(f"Run {run_id} is {run.status}. Only a failed or cancelled run can be resumed.")
    return _as_it_stands(store, _launch(store, store.get(run_id)))


def delete(run_id: str) -> None:
    """Remove an ended run with its folder.

    Raises:
        UsageError: the run is active.
    """
    store, run = _store(), get(run_id)
    require_for_run_of(run.user, "delete")
    # The row goes first: whoever wants to resume the run at this moment is either before or behind.
    if run.is_active or not store.delete(run_id):
        raise UsageError(f"Run {run_id} is {get(run_id).status}. Cancel it before you delete it.")
    folder = store.run_folder(run_id)
    with disk_errors(folder), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    note_deed("run deleted", run=run_id, kind=run.kind, name=run.name, source=run.source)


def wait(run_id: str, seen: Callable[[Run], None] | None = None, timeout: float | None = None) -> Run:
    """Return a run once it has ended, or as it stands after `timeout` seconds; `seen` is called at every look."""
    begun = time.monotonic()
    deadline = None if timeout is None else begun + timeout
    while True:
        run = get(run_id)
        if seen is not None:
            seen(run)
        if not run.is_active or (deadline is not None and time.monotonic() > deadline):
            return run
        # Long work need not be looked at often, and each look takes time from it.
        time.sleep(min(_LONGEST_POLL_SECONDS, _POLL_SECONDS + (time.monotonic() - begun) / 50))


def log_tail(run_id: str, most_bytes: int = 64_000) -> str:
    """Return the end of a run's log."""
    return metrics.tail(_store().run_folder(get(run_id).run) / LOG_FILE, most_bytes)


def read_metrics(run_id: str) -> list[dict[str, Any]]:
    """Return all metric rows of a run."""
    return metrics.read_rows(folder_of(run_id) / metrics.METRICS_FILE)


def metric_columns(run_id: str) -> MetricColumns:
    """Return the metric rows of a run as columns of numbers; a later call reads only what was added since."""
    return _COLUMNS.read(folder_of(run_id) / metrics.METRICS_FILE)


def _store() -> RunStore:
    return RunStore(settings().home)


def _as_it_stands(store: RunStore, run: Run) -> Run:
    run = reconcile(store, run)
    folder = store.run_folder(run.run)
    return run if folder.is_dir() else replace(run, message=reasons.folder_vanished(folder))
