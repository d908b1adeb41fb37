"""Several trainings as one action: a sweep over a grid of (u, w), or one training repeated over seeds.

The action is a run of its own, the parent. Its process submits the trainings, which then stand in the queue of their
device like any other, and follows them to the end. It trains nothing itself, so it waits for no device. Cancelling it
cancels the trainings that have not ended, and resuming it resumes those that failed or were cancelled and submits those
that never came to be.
"""

import math
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_core.errors import RunError, UsageError
from cxr_core.runs import service
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.run import HERE
from cxr_core.runs.step import Cancelled, StepContext
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.schema import check_name
from cxr_core.tasks.family_results import (
    REPEAT,
    SWEEP,
    PlannedTraining,
    SeedSpread,
    family_auc,
    members_of,
    sweep_cells,
)
from cxr_core.tasks.family_size import check_count, checked_repeat, grid_axis, seeds_of
from cxr_core.tasks.machine_devices import resume
from cxr_core.tasks.train import check_startable, start_training
from cxr_core.tasks.training_plan import plan_training
from cxr_core.training.options import TrainOptions
from cxr_core.uncertainty import uniform_policy
from cxr_core.words import agreeing, counted

_LOOK_SECONDS = 0.5
#: How long a starter waits at most for the parent's process to submit the trainings.
_SUBMIT_SECONDS = 60.0
_STARTED_FILE = "started"


def start_sweep(
    source_name: str,
    options: TrainOptions,
    us: Sequence[float],
    ws: Sequence[float],
    repeat: int = 1,
    name: str = "",
    confined: bool = True,
    place: str = HERE,
) -> Run:
    """Start one training for each u, w and seed, as parts of one run, and return that run.

    Args:
        source_name: the source whose records are used and which gets the models.
        options: everything but u and w; the first seed is theirs, the others follow it.
        us: targets of uncertain labels.
        ws: weights of uncertain labels.
        repeat: seeds for each (u, w).
        name: of the sweep; its models are called NAME_u0_5__w0_25, with _seed7 where seeds are repeated.
        confined: as for `start_training`.
        place: where the trainings work; this machine follows them.

    Raises:
        UsageError: the grid is empty or too large, or a u or w is not in [0, 1].
        CxrError: whatever `start_training` finds for any of the trainings.
    """
    us, ws = grid_axis("u", us), grid_axis("w", ws)
    check_count(len(us) * len(ws) * checked_repeat(repeat))
    run_id = new_run_id()
    family = check_name("sweep", name or f"sweep_{options.view}-{run_id[-6:]}")
    members = []
    for u in us:
        for w in ws:
            for seed in seeds_of(options, repeat):
                model = f"{family}_{uniform_policy(u, w).suffix()}" + (f"_seed{seed}" if repeat > 1 else "")
                members.append(PlannedTraining(new_run_id(), model, seed, u, w))
    return _start(SWEEP, run_id, family, source_name, options, members, {"u": us, "w": ws}, confined, place)


def start_repeat(
    source_name: str, options: TrainOptions, repeat: int, name: str = "", confined: bool = True, place: str = HERE
) -> Run:
    """Start the same training with `repeat` seeds, as parts of one run, and return that run.

    The first seed is that of the options, the others follow it; models are called NAME_seed7. Errors as `start_sweep`.
    """
    check_count(checked_repeat(repeat))
    run_id = new_run_id()
    told = f"{options.view}_{options.policy.suffix()}-{run_id[-6:]}"
    family = check_name("model", name or options.name or told)
    members = [PlannedTraining(new_run_id(), f"{family}_seed{seed}", seed) for seed in seeds_of(options, repeat)]
    return _start(REPEAT, run_id, family, source_name, options, members, {}, confined, place)


def await_children(run: Run) -> Run:
    """Return a family once its process has submitted all trainings, or as it stands when that takes too long."""
    deadline = time.monotonic() + _SUBMIT_SECONDS
    while run.is_active and len(service.children(run.run)) < len(members_of(run)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        run = service.get(run.run)
    return run


def work(context: StepContext) -> None:
    """Submit or resume the trainings in the process of the parent, and follow them until all have ended."""
    # The trainings outlive this process's folder for temporary files, which lies in the one that they are to use.
    os.environ["TMPDIR"] = str(Path(tempfile.gettempdir()).parent)
    marker = context.folder / _STARTED_FILE
    again = marker.exists()
    marker.touch()
    members = [PlannedTraining(**one) for one in context.config["children"]]
    _submit(context, members, again)
    children = _followed(context, len(members))
    _tell_result(context, children)
    failed = [child for child in children if child.status != COMPLETED]
    if context.cancelled():
        raise Cancelled
    if failed or len(children) < len(members):
        missing = len(members) - len(children)
        ended = f"{len(failed)} of {counted(len(members), 'training')} did not complete"
        gone = f"; {missing} {agreeing(missing, 'was')} deleted"
        first = f"; {failed[0].name}: {failed[0].reason or failed[0].status}" if failed else gone
        raise RunError(f"{ended}{first} Resume this run to resume them.")


def _start(
    kind: str,
    run_id: str,
    name: str,
    source_name: str,
    options: TrainOptions,
    members: list[PlannedTraining],
    told: dict[str, Any],
    confined: bool,
    place: str,
) -> Run:
    if len({member.name for member in members}) < len(members):
        raise UsageError("Two of the trainings would have one name. Take values of u and w that differ by more.")
    for member in members:
        check_startable(source_name, member.options(options), confined, place)
    plan = plan_training(source_name, options, confined, place=place)
    config = {
        "options": plan.options.as_dict() | {"name": ""},
        "children": [vars(member) for member in members],
        "seeds": sorted({member.seed for member in members}),
        "n_train": plan.n_train,
        "n_valid": plan.n_valid,
        "steps_per_epoch": plan.steps_per_epoch,
        "place": place,
    }
    return service.submit(kind, name, source_name, config | told, resumable=True, run_id=run_id)


def _submit(context: StepContext, members: list[PlannedTraining], again: bool) -> None:
    """Submit what is not in the store; after the first time, resume what has failed or was cancelled."""
    shared = TrainOptions.from_dict(context.config["options"])
    found = {child.run: child for child in service.children(context.run)}
    for number, member in enumerate(members):
        context.stop_if_cancelled()
        context.progress(0, 0, message=f"Queueing training {number + 1} of {len(members)}")
        child = found.get(member.run)
        if child is None:
            options = member.options(shared)
            place = context.config.get("place", HERE)
            start_training(context.source, options, confined=False, run_id=member.run, parent=context.run, place=place)
        elif again and not child.is_active and child.status != COMPLETED:
            resume(child.run)


def _followed(context: StepContext, planned: int) -> list[Run]:
    """Return the trainings once all have ended; they are cancelled when this run is."""
    shared = TrainOptions.from_dict(context.config["options"])
    per_training = context.config["steps_per_epoch"] * shared.epochs * shared.stages
    asked = False
    while True:
        children = service.children(context.run)
        if context.abandoned():  # nobody asked the trainings to stop
            raise Cancelled
        if context.cancelled() and not asked:
            asked = True
            _cancel(children)
        active = [child for child in children if child.is_active]
        if not active:
            return children
        ended = sum(child.status == COMPLETED for child in children)
        working = next((f", now {child.name}" for child in children if child.status == "running"), "")
        done = sum(per_training if child.status == COMPLETED else child.step or 0 for child in children)
        message = f"{ended} of {counted(planned, 'training')} completed{working}"
        context.progress(min(done, per_training * planned), per_training * planned, message=message)
        time.sleep(_LOOK_SECONDS)


def _cancel(children: list[Run]) -> None:
    """Cancel the last in the queue first, so that none of them starts meanwhile."""
    for child in reversed(children):
        if service.get(child.run).is_active:
            try:
                service.cancel(child.run)
            except UsageError:  # it has ended since
                continue


def _tell_result(context: StepContext, children: list[Run]) -> None:
    """Keep the best validation AUC of each training, and show their mean, or that of a sweep's best (u, w)."""
    parent = service.get(context.run)
    result: dict[str, Any] = {"completed": sum(child.status == COMPLETED for child in children)}
    best = SeedSpread.of([])
    if parent.kind == REPEAT:
        best = family_auc(parent)
        result |= {"val_auc": best.mean, "val_auc_sd": best.sd, "n": best.n}
    else:
        cells = sweep_cells(parent)
        result["cells"] = [{"u": c.u, "w": c.w, "val_auc": c.mean.as_json()} for c in cells]
        known = [cell for cell in cells if cell.mean.mean is not None]
        if known:
            top = max(known, key=lambda cell: cell.mean.mean or -math.inf)
            best = top.mean
            result |= {"val_auc": best.mean, "best_u": top.u, "best_w": top.w}
    context.result(result)
    if best.mean is not None:
        steps = sum(child.step or 0 for child in children)
        context.metrics({"step": steps, "time": round(time.time(), 3), "val_auc": best.mean})
