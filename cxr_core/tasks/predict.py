"""Predicting with a model in the background: weights and records -> a prediction table of the source."""

import os
import re
from typing import Any

import numpy as np
import pandas as pd

from cxr_core.arrays import FloatArray
from cxr_core.errors import DataError, UnknownNameError, UsageError
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
from cxr_core.tasks.predicted_model import (
    PredictedModel,
    card_place,
    check_can_run,
    check_table,
    is_of,
    predicted_model,
)
from cxr_core.tasks.records_to_predict import records_to_predict
from cxr_core.training.execution_options import ANY_DEVICE, PREDICTING_ACCELERATORS
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.tpu_address import check_tpu_reads
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
    card: str = "",
) -> Run:
    """Check everything, then start a prediction and return its run; its `result` says what came of it.

    Args:
        source_name: the source of the model, which gets the table.
        model: the name of a model with weights, the path of an .h5, .keras or .onnx file, here or on gs://, or the ID
            of a completed training run.
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
        card: the card of an ONNX model; by default the .toml beside it (`models.onnx_card`).

    Raises:
        UnknownNameError: there is no such source, model, run, data set, view, accelerator or device.
        UsageError: no records match, the view is not known, the accelerator is missing, or a place is none that pages
            may read.
        ExistsError: the table has predictions of these data sets already, or belongs to another model.
        RecordError: a record file is damaged, lacks the keys, or holds another view or image size.
        ModelFileError: the weights file is damaged, or there is none at the path; an ONNX model is no plain one, or
            is none that its card describes.
    """
    source = ready_source(source_name)
    if accelerator not in PREDICTING_ACCELERATORS:
        raise UnknownNameError("accelerator", accelerator, PREDICTING_ACCELERATORS)
    if limit is not None and limit < 1:
        raise UsageError(f"The limit must be at least 1 image. Received: {limit}.")
    trained = _model_of_run(source_name, model) if _RUN_ID.fullmatch(model) else located(model)
    card = card_place(trained, card)
    records = absolute(records)
    if confined:
        _check_places(trained, records, card)
    weights = weights_of(source, trained)
    known = predicted_model(weights, card)
    limits = page_limits() if confined and records else None
    pattern = records or records_at(place, source)
    request = records_to_predict(source, known, trained, dataset, view, pattern, limits)
    check_reads(place, request.files)
    table = check_name("model", name or name_of(trained))
    check_table(source, table, known.metadata, request.datasets, replace)
    check_can_run(known, weights, accelerator, place)
    need = need_here(accelerator, device) if place == HERE else None
    if accelerator == "tpu":
        check_tpu_reads(request.files, os.environ)
    config = {
        "model": trained,
        "weights": str(weights),
        "card": card,
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
    known = predicted_model(weights, config.get("card", ""))
    files, labels = for_tensorflow(config["files"]), _labels_for_paths(source, config)
    if known.card is None:
        frame = predict_records(weights, files, labels, config["limit"], config["accelerator"], tell)
    else:
        from cxr_core.models.onnx_predict import predict_by_onnx

        card, card_file = known.card
        frame = predict_by_onnx((weights, card_file, card), files, labels, config["limit"], tell)
    datasets = tuple(DATASETS[code] for code in sorted(frame["dataset"].unique()))
    check_table(source, context.name, known.metadata, datasets, config["replace"])
    _write(source, context.name, frame, known)
    context.result(_result(source, context.name, frame) | known.said())


def _model_of_run(source_name: str, run_id: str) -> str:
    run = service.get(run_id)
    if run.kind != "train" or run.status != COMPLETED:
        raise UsageError(f"Run {run_id} is a {run.status} {run.kind} run. Only a completed train run has a model.")
    if run.source != source_name:
        raise UsageError(f"Run {run_id} belongs to the source {run.source}. Add --source {run.source}.")
    return run.name


def _check_places(model: str, records: str, card: str) -> None:
    check_input("pattern of the records", records)
    if card:
        check_input("card", card)
    if is_path(model):
        check_input("model file", model)


def _labels_for_paths(source: Source, config: dict[str, Any]) -> pd.DataFrame | None:
    """Return the label rows that name the images, when there are some and the records do not name them all."""
    if not source.tables.labels or all(map(_names_images, config["files"])):
        return None
    return source.warehouse().labels(None, config["view"])[list(KEY_COLUMNS)]


def _names_images(file: str) -> bool:
    """Say whether the first record of a file has a path; of a file without records there is nothing to name."""
    first = next(read_payloads(file), None)
    return first is None or decode(first, f"Record 1 of {file}").path is not None


def _write(source: Source, name: str, frame: pd.DataFrame, known: PredictedModel) -> None:
    """Write the rows; those of other data sets that the same model predicted before stay."""
    _check_numbers(name, _predicted(frame), known)
    path = source.predictions_path(name)
    if path.exists() and is_of(read_metadata(path).model, known.metadata):
        former = source.warehouse().predictions(name)
        kept = former[~former["dataset"].isin(frame["dataset"].unique())]
        frame = pd.concat([kept, frame], ignore_index=True)
    write_table(path, frame, known.scale, known.metadata)


def _check_numbers(name: str, numbers: FloatArray, known: PredictedModel) -> None:
    if not np.isfinite(numbers).all():
        what = "Train it again." if known.card is None else "See whether its card says the range that it wants."
        raise DataError(f"The model {name} predicts numbers that are not finite. {what}")
    if known.scale == "probability" and not ((numbers >= 0) & (numbers <= 1)).all():
        raise DataError(
            f"The card of {name} says that its outputs are probabilities. They go from {numbers.min():.4g} to "
            f'{numbers.max():.4g}: write scale = "logit" or "score" into it.'
        )


def _predicted(frame: pd.DataFrame) -> FloatArray:
    return frame[[label for label in LABELS if label in frame]].to_numpy(np.float64)


def _result(source: Source, name: str, frame: pd.DataFrame) -> dict[str, Any]:
    logits = _predicted(frame)
    return {
        "model": name,
        "table": str(source.predictions_path(name)),
        "images": len(frame),
        "shape": list(logits.shape),
        "min": float(logits.min()),
        "max": float(logits.max()),
    }
