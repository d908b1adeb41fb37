"""Predicting with a model in the background: weights and records -> a prediction table of the source."""

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.errors import DataError, ExistsError, UnknownNameError, UsageError
from cxr_core.records.example import decode
from cxr_core.records.tfrecord import read_payloads
from cxr_core.runs import service
from cxr_core.runs.places.check import try_folder
from cxr_core.runs.run import HERE
from cxr_core.runs.step import StepContext
from cxr_core.runs.store import COMPLETED, Run
from cxr_core.schema import DATASETS, KEY_COLUMNS, LABELS, check_name
from cxr_core.settings import settings
from cxr_core.sources.registry import get_source, ready_source
from cxr_core.sources.source import Source
from cxr_core.storage import for_tensorflow
from cxr_core.tasks.allowed_places import check_input, page_limits
from cxr_core.tasks.away import check_reads, prediction_goods, records_at
from cxr_core.tasks.machine_devices import need_here
from cxr_core.tasks.named_model import absolute, is_path, located, name_of, weights_of
from cxr_core.tasks.records_to_predict import records_to_predict
from cxr_core.training.execution_options import ANY_DEVICE, PREDICTING_ACCELERATORS
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.tpu_address import check_tpu_reads
from cxr_core.training.weights_file import ModelInfo, read_info
from cxr_core.uncertainty import Policy
from cxr_core.warehouse.parquet import read_metadata, write_table

KIND = "predict"

_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


def start_prediction(
    source_name: str,
    model: str,
    dataset: str | None = None,
    view: str | None = None,
    records: str = "",
    limit: int | None = None,
    accelerator: str = "cpu",
    name: str = "",
    replace: bool = False,
    confined: bool = True,
    device: str = ANY_DEVICE,
    place: str = HERE,
) -> Run:
    """Check everything, then start a prediction and return its run; its `result` says what came of it.

    Args:
        source_name: the source of the model, which gets the table.
        model: the name of a model with weights, the path of an .h5 or .keras file, here or on gs://, or the ID of a
            completed training run.
        dataset: the data set to predict; by default valid and test, as far as they have records.
        view: the view to predict; by default the one that the model was trained on.
        records: pattern of record files with {dataset} and {view}, or without; by default the source's own.
        limit: predict only so many images, the first ones.
        accelerator: cpu, gpu, multi-gpu or tpu.
        name: of the prediction table; by default the model's, of a file its name without the ending.
        replace: whether rows of these data sets that the table has already are replaced.
        confined: whether only what pages may read is read; the command line is not confined.
        device: the GPU to predict on, as in gpu:1; by default one that is free.
        place: where the run works: `here`, or a place of `cxr.toml`.

    Raises:
        UnknownNameError: there is no such source, model, run, data set, view, accelerator or device.
        UsageError: no records match, the view is not known, the accelerator is missing, or a place is none that pages
            may read.
        ExistsError: the table has predictions of these data sets already, or belongs to another model.
        RecordError: a record file is damaged, lacks the keys, or holds another view or image size.
        ModelFileError: the weights file is damaged, or there is none at the path.
    """
    source = ready_source(source_name)
    if accelerator not in PREDICTING_ACCELERATORS:
        raise UnknownNameError("accelerator", accelerator, PREDICTING_ACCELERATORS)
    if limit is not None and limit < 1:
        raise UsageError(f"The limit must be at least 1 image. Received: {limit}.")
    trained = _model_of_run(source_name, model) if _RUN_ID.fullmatch(model) else located(model)
    records = absolute(records)
    if confined:
        _check_places(trained, records)
    weights = weights_of(source, trained)
    limits = page_limits() if confined and records else None
    pattern = records or records_at(place, source)
    request = records_to_predict(source, read_info(weights), trained, dataset, view, pattern, limits)
    check_reads(place, request.files)
    table = check_name("model", name or name_of(trained))
    _check_table(source, table, _metadata(read_info(weights)), request.datasets, replace)
    need = need_here(accelerator, device) if place == HERE else None
    if accelerator == "tpu":
        check_tpu_reads(request.files, os.environ)
    config = {
        "model": trained,
        "weights": str(weights),
        "files": list(request.files),
        "view": request.view,
        "datasets": list(request.datasets),
        "images": request.images if limit is None else min(limit, request.images),
        "limit": limit,
        "accelerator": accelerator,
        "device": device,
        "replace": replace,
    }
    if place != HERE:
        try_folder(place)
        goods, config["weights"] = prediction_goods(source, weights, source.predictions_path(table))
        return service.submit(KIND, table, source_name, config, place=place, goods=goods)
    return service.submit(KIND, table, source_name, config, accelerator, need=need)


def work(context: StepContext) -> None:
    """Predict in the process of the run, and write the table."""
    config, source = context.config, get_source(context.source)
    import_tensorflow()
    from cxr_core.models.predict import predict_records

    weights = settings().home / config["weights"]  # absolute, but where the weights came along to another place

    def tell(images: int) -> None:
        context.stop_if_cancelled()
        context.progress(images, config["images"], message="predicting")

    tell(0)
    frame = predict_records(
        weights,
        for_tensorflow(config["files"]),
        _labels_for_paths(source, config),
        config["limit"],
        config["accelerator"],
        tell,
    )
    metadata = _metadata(read_info(weights))
    datasets = tuple(DATASETS[code] for code in sorted(frame["dataset"].unique()))
    _check_table(source, context.name, metadata, datasets, config["replace"])
    _write(source, context.name, frame, metadata)
    context.result(_result(source, context.name, frame))


def _model_of_run(source_name: str, run_id: str) -> str:
    run = service.get(run_id)
    if run.kind != "train" or run.status != COMPLETED:
        raise UsageError(f"Run {run_id} is a {run.status} {run.kind} run. Only a completed train run has a model.")
    if run.source != source_name:
        raise UsageError(f"Run {run_id} belongs to the source {run.source}. Add --source {run.source}.")
    return run.name


def _check_places(model: str, records: str) -> None:
    check_input("pattern of the records", records)
    if is_path(model):
        check_input("model file", model)


def _metadata(info: ModelInfo) -> dict[str, Any]:
    """Return what the table says of its model."""
    if info.policy is None:
        return {"view": info.view, "policy": None, "policy_digest": None, "u": None, "w": None, "run": info.run}
    policy = Policy.from_dict(info.policy)
    told = {"policy": policy.name, "policy_digest": policy.digest, "u": policy.u_scalar, "w": policy.w_scalar}
    return {"view": info.view, "run": info.run} | told


def _check_table(source: Source, name: str, metadata: dict[str, Any], datasets: Sequence[str], replace: bool) -> None:
    """Raise `ExistsError` unless these rows may be written into the table `name`."""
    warehouse = source.warehouse()
    if name not in warehouse.prediction_tables():
        return
    table = warehouse.prediction_table(name)
    if table.location != str(source.predictions_path(name)):
        raise ExistsError(f"{name} already has predictions in {table.location}. Choose another --name.")
    if "recipe" in table.metadata:
        raise ExistsError(f"{name} is an ensemble. Choose another --name.")
    if replace:
        return
    if table.metadata.get("run") != metadata["run"]:
        raise ExistsError(f"{name} already has predictions of another model. Choose another --name, or use --replace.")
    there = [dataset for dataset in datasets if dataset in table.datasets]
    if there:
        raise ExistsError(f"{name} already has predictions on {' and '.join(there)}. Use --replace to predict again.")


def _labels_for_paths(source: Source, config: dict[str, Any]) -> pd.DataFrame | None:
    """Return the label rows that name the images, when there are some and the records do not name them all."""
    if not source.tables.labels or all(map(_names_images, config["files"])):
        return None
    return source.warehouse().labels(None, config["view"])[list(KEY_COLUMNS)]


def _names_images(file: str) -> bool:
    """Say whether the first record of a file has a path; of a file without records there is nothing to name."""
    first = next(read_payloads(file), None)
    return first is None or decode(first, f"Record 1 of {file}").path is not None


def _write(source: Source, name: str, frame: pd.DataFrame, metadata: dict[str, Any]) -> None:
    """Write the rows; those of other data sets that the same model predicted before stay."""
    if not np.isfinite(frame[list(LABELS)].to_numpy()).all():
        raise DataError(f"The model {name} predicts numbers that are not finite. Train it again.")
    path = source.predictions_path(name)
    if path.exists() and read_metadata(path).model.get("run") == metadata["run"]:
        former = source.warehouse().predictions(name)
        kept = former[~former["dataset"].isin(frame["dataset"].unique())]
        frame = pd.concat([kept, frame], ignore_index=True)
    write_table(path, frame, "logit", metadata)


def _result(source: Source, name: str, frame: pd.DataFrame) -> dict[str, Any]:
    logits = frame[list(LABELS)].to_numpy()
    return {
        "model": name,
        "table": str(source.predictions_path(name)),
        "images": len(frame),
        "shape": list(logits.shape),
        "min": float(logits.min()),
        "max": float(logits.max()),
    }
