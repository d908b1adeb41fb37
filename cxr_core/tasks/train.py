"""Training a model in the background: checked before it starts, then a run, in the end a model of the source."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxr_core.errors import ExistsError, RunError, StorageError, UsageError
from cxr_core.locations import is_remote, join
from cxr_core.mirror import mirrored
from cxr_core.runs import service
from cxr_core.runs.new_run import new_run_id
from cxr_core.runs.places.check import try_folder
from cxr_core.runs.places.crew import Crew
from cxr_core.runs.places.registry import check_place
from cxr_core.runs.run import HERE
from cxr_core.runs.step import Cancelled, StepContext
from cxr_core.runs.store import Run
from cxr_core.schema import check_name
from cxr_core.sources.registry import get_source
from cxr_core.sources.source import Source
from cxr_core.storage import exists, for_tensorflow, send
from cxr_core.tasks.away import training_goods
from cxr_core.tasks.image_targets import keep_image_targets
from cxr_core.tasks.machine_devices import need_here
from cxr_core.tasks.named_model import weights_of
from cxr_core.tasks.outputs import make_writable
from cxr_core.tasks.self_training import first_stage, stages_of
from cxr_core.tasks.training_plan import TrainingPlan, plan_training
from cxr_core.training.cluster import worker_suffix
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.guessing import learned_nothing
from cxr_core.training.options import TrainOptions
from cxr_core.training.reporter import RunReporter
from cxr_core.training.result import TrainResult
from cxr_core.training.weights_file import read_info

KIND = "train"
#: The part of a run's folder that has the TensorBoard logs which go to gs://.
TENSORBOARD_FOLDER = "tensorboard"


def start_training(
    source_name: str,
    options: TrainOptions,
    name: str = "",
    confined: bool = True,
    run_id: str | None = None,
    parent: str | None = None,
    place: str = HERE,
) -> Run:
    """Check everything, then start a training run and return it.

    Args:
        source_name: the source whose records are used and which gets the model.
        options: the choices; `training_defaults` draws a seed for them.
        name: of the model; by default it tells network, view and policy, and ends like the run's ID.
        confined: whether the run may read and write only where pages may; see `tasks.allowed_places`.
        run_id: from `new_run_id`, when the caller needed it before.
        parent: the run that this training is a part of.
        place: where it works: `here`, or a place of `cxr.toml`.

    Raises:
        UnknownNameError: there is no such place.
        ExistsError: the source has a model of that name, or another run makes one.
        UsageError: `save_to` or `tensorboard` cannot be written to.
        CxrError: whatever `plan_training` finds, or this machine lacks the accelerator.
    """
    run_id = run_id or new_run_id()
    named = replace(options, name=name or options.name)
    plan, model = _checked(source_name, named, run_id, confined, place)
    goods = training_goods(get_source(source_name), plan.options, place)
    config = {
        "options": plan.options.as_dict() | {"name": model},
        "files_train": list(plan.files_train),
        "files_valid": list(plan.files_valid),
        "n_train": plan.n_train,
        "n_valid": plan.n_valid,
        "steps_per_epoch": plan.steps_per_epoch,
    } | Crew(plan.options.workers, plan.options.restarts).as_config()
    if place != HERE:
        return service.submit(KIND, model, source_name, config, None, True, run_id, parent, None, place, goods)
    device = plan.options.accelerator + worker_suffix(plan.options.accelerator)
    need = need_here(plan.options.accelerator, plan.options.device)
    return service.submit(KIND, model, source_name, config, device, True, run_id, parent, need)


def check_startable(source_name: str, options: TrainOptions, confined: bool = True, place: str = HERE) -> None:
    """Raise what `start_training` would raise, and start nothing."""
    plan, _ = _checked(source_name, options, new_run_id(), confined, place)
    training_goods(get_source(source_name), plan.options, check_place(place))


def _checked(
    source_name: str, options: TrainOptions, run_id: str, confined: bool, place: str
) -> tuple[TrainingPlan, str]:
    """Return the plan and the name of the model, with everything checked that can be before the start."""
    source = get_source(source_name)
    plan = plan_training(source_name, options, confined, place=place)
    model = check_name("model", plan.options.name or _default_name(plan.options, run_id))
    model += worker_suffix(plan.options.accelerator) if place == HERE else ""
    _check_free(source, plan.options, model)
    if place == HERE:
        need_here(plan.options.accelerator, plan.options.device)
    else:
        try_folder(place)
    make_writable(plan.options.save_to)
    make_writable(plan.options.tensorboard)
    return plan, model


def work(context: StepContext) -> None:
    """Train in the process of the run, and give the source its model."""
    source, options = get_source(context.source), TrainOptions.from_dict(context.config["options"])
    import_tensorflow()
    from cxr_core.training.loop import train

    _check_unwritten(source, context)
    initial = weights_of(source, options.init_from) if options.init_from else None
    files_train, files_valid = (for_tensorflow(context.config[name]) for name in ("files_train", "files_valid"))
    with _sending_logs(options, context) as here:
        first: dict[str, Any] = {}
        run: RunReporter = context
        if options.stages > 1:
            taught, run = stages_of(options, context)
            first = {"first_stage": first_stage(source, here, taught, context, initial)}
        else:
            files = context.config["files_train"]
            keep_image_targets(source, options.policy, options.view, files, context.folder)
        result = train(here, files_train, files_valid, run, initial, context.config["n_train"])
        if result.status == "cancelled":
            raise Cancelled
        _keep(result, options, source, context, first)


def _keep(
    result: TrainResult, options: TrainOptions, source: Source, context: StepContext, told_before: dict[str, Any]
) -> None:
    """Give the source its model and tell of it, then send the copies that were asked for."""
    model, path = result.best_model or result.last_model, source.model_path(context.name)
    told: dict[str, Any] = {"epochs": result.epochs}
    if model is not None:  # of several workers, only the first has one
        send(model, str(path))
        told = {"model": context.name, "weights": str(path)} | told
    told |= {"best_epoch": result.best_epoch, "val_auc": result.best_val_auc, "stopped_early": result.stopped_early}
    told |= told_before
    if result.started_from:
        told |= {"start_weights": result.started_from}
    context.result(told)
    metrics = service.metric_columns(context.run)
    if remark := learned_nothing(metrics.latest("val_auc"), metrics.latest("val_auc_guessing")):
        context.remark(remark)
    if model is not None:
        for place in _further_places(options, context.name):
            with _model_is_kept(path):
                send(model.with_suffix(Path(place).suffix), place)


def _default_name(options: TrainOptions, run_id: str) -> str:
    policy = options.policy.suffix()
    return f"{options.architecture}_{options.view}_{policy}-{run_id.rpartition('-')[2]}"


def _check_free(source: Source, options: TrainOptions, model: str) -> None:
    for place in _further_places(options, model):
        if exists(place):
            raise ExistsError(f"{place} exists already. Choose another folder or another name.")
    if model in source.weights() or source.model_path(model).exists():
        raise ExistsError(f"The source {source.name} already has a model {model}. Choose another name.")
    if source.has_predictions(model):
        raise ExistsError(f"The source {source.name} already has predictions of {model}. Choose another name.")
    for run in service.list_runs():
        if run.is_active and (run.kind, run.source, run.name) == (KIND, source.name, model):
            raise ExistsError(f"Run {run.run} is making a model {model} already. Choose another name.")


def _check_unwritten(source: Source, context: StepContext) -> None:
    """Refuse to overwrite a model that came into being since; one of this very run may be written again."""
    path = source.model_path(context.name)
    if path.exists() and read_info(path).run != context.run:
        raise ExistsError(f"{path} was made by something else meanwhile. Move it, then resume the run.")


def _further_places(options: TrainOptions, model: str) -> list[str]:
    """Return what `save_to` gets: the model for this product and older Keras, and for Keras 3."""
    return [join(options.save_to, f"{model}{suffix}") for suffix in (".h5", ".keras")] if options.save_to else []


@contextlib.contextmanager
def _model_is_kept(path: Path) -> Iterator[None]:
    """Say, where something could not be sent, that what hours of training made is still there."""
    try:
        yield
    except (StorageError, UsageError) as error:
        raise RunError(
            f"The model is finished and kept as {path}, but not all could be sent. {error} Then resume the run."
        ) from error


@contextlib.contextmanager
def _sending_logs(options: TrainOptions, context: StepContext) -> Iterator[TrainOptions]:
    """Yield options whose TensorBoard logs lie on this machine; those that belong on gs:// are sent there meanwhile."""
    if not is_remote(options.tensorboard):
        yield options
        return
    folder = context.folder / TENSORBOARD_FOLDER
    folder.mkdir(exist_ok=True)
    with mirrored(folder, options.tensorboard):
        yield replace(options, tensorboard=str(folder))
