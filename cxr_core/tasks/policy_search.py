"""Trying policies on frozen features in the background: a model's features, then a head a policy and label on them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext
from cxr_core.sources.registry import get_source, ready_source
from cxr_core.sources.source import Source
from cxr_core.storage import for_tensorflow
from cxr_core.tasks.allowed_places import check_input
from cxr_core.tasks.feature_store import (
    features_folder,
    keep_features,
    keep_scores,
    kept_features,
    kept_scores,
)
from cxr_core.tasks.head_training import JUDGED_ON, TRAINED_ON, judged_images, scores_name, train_heads, training_rows
from cxr_core.tasks.machine_devices import need_here
from cxr_core.tasks.named_model import is_path, located, name_of, weights_of
from cxr_core.tasks.records_to_predict import records_to_predict
from cxr_core.training.execution_options import ANY_DEVICE
from cxr_core.training.first_import import import_tensorflow
from cxr_core.training.head_grid import HeadGrid, head_grid
from cxr_core.training.weights_file import ModelInfo, read_info
from cxr_core.uncertainty import Policy

KIND = "policies"


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search left: scores (labels, heads, images of valid), their labels, and the rows of these images.

    `images` are the key columns of the judged images, in the order of the scores; `about` tells of features and heads.
    """

    scores: Any
    images: pd.DataFrame
    grid: HeadGrid
    about: dict[str, Any]


@dataclass(frozen=True)
class _Place:
    model: str
    weights: Path
    info: ModelInfo
    view: str
    files: tuple[str, ...]
    folder: Path


def default_model(source_name: str) -> str:
    """Return the model whose features are taken where nobody says: the first that has weights.

    Raises:
        UsageError: no model of the source has weights.
    """
    names = sorted(ready_source(source_name).weights())
    if not names:
        raise UsageError(f"The source {source_name} has no model with weights, so there are no features. Train one.")
    return names[0]


def start_search(
    source_name: str,
    model: str = "",
    accelerator: str = "cpu",
    confined: bool = True,
    device: str = ANY_DEVICE,
) -> Run:
    """Check everything, then start a search and return its run.

    Args:
        source_name: the source, whose records and label tables are used.
        model: a model with weights or the path of an .h5 or .keras file; by default `default_model`.
        accelerator: for the features: cpu, gpu, multi-gpu or tpu. Heads are always trained on the CPU.
        confined: whether only what pages may read is read; the command line is not confined.
        device: the GPU, as in gpu:1; by default one that is free.

    Raises:
        UnknownNameError: there is no such source, model, accelerator or device.
        UsageError: the source has no records or labels of train or valid, or the place is none that pages may read.
        RecordError: a record file is damaged, lacks the keys, or holds another view.
        ModelFileError: the weights file is damaged, or there is none at the path.
    """
    place = _place(ready_source(source_name), model or default_model(source_name), confined)
    config = {"model": place.model, "accelerator": accelerator, "device": device}
    need = need_here(accelerator, device)
    return service.submit(KIND, name_of(place.model), source_name, config, accelerator, need=need)


def searched(source_name: str, model: str = "", confined: bool = True) -> Searched | None:
    """Return what a search on the model's records and the labels as they are now left; None where there is none.

    Raises what `start_search` raises of source, model and records.
    """
    source = ready_source(source_name)
    place = _place(source, model or default_model(source_name), confined)
    kept = kept_features(place.folder)
    if kept is None:
        return None
    rows = training_rows(source, place.view, kept)
    found = kept_scores(place.folder, scores_name(rows))
    if found is None:
        return None
    scores, about = found
    return Searched(scores, judged_images(kept), head_grid(), kept.about | about)


def search_state(source_name: str, model: str) -> str:
    """Return what is another text once a search on a model has ended, or its file or the records have changed."""
    folder = _place(ready_source(source_name), model, confined=True).folder
    return f"{folder.name} {sorted(path.name for path in folder.glob('scores-*.json'))}"


def latest_search(source_name: str, model: str) -> Run | None:
    """Return the newest search on a model of a source; None where there was none."""
    runs = (run for run in service.list_runs(KIND) if run.source == source_name and run.config["model"] == model)
    return next(runs, None)


def work(context: StepContext) -> None:
    """Take the features, unless they are kept, and train the heads, in the process of the run."""
    source = get_source(context.source)
    place = _place(source, context.config["model"], confined=False)
    kept = kept_features(place.folder)
    if kept is None:
        _take_features(context, source, place)
        kept = kept_features(place.folder)
        assert kept is not None
    context.stop_if_cancelled()
    rows = training_rows(source, place.view, kept)
    if rows.empty:
        raise UsageError(f"No label row of {TRAINED_ON} belongs to an image of the records, so no head can be trained.")
    scores, about = train_heads(context, kept, rows)
    keep_scores(place.folder, scores_name(rows), scores, about)
    context.result({"model": place.model, "features": str(place.folder), "images": len(kept.images), "size": kept.size})


def _place(source: Source, model: str, confined: bool) -> _Place:
    """Find model and records, and where the features of these lie."""
    named = located(model)
    if confined and is_path(named):
        check_input("model file", named)
    weights = weights_of(source, named)
    info = read_info(weights)
    found = [records_to_predict(source, info, named, dataset, None, "", None) for dataset in (TRAINED_ON, JUDGED_ON)]
    files = tuple(file for one in found for file in one.files)
    folder = features_folder(source, name_of(named), weights, files)
    return _Place(named, weights, info, found[0].view, files, folder)


def _take_features(context: StepContext, source: Source, place: _Place) -> None:
    images = sum(
        records_to_predict(source, place.info, place.model, dataset, None, "", None).images
        for dataset in (TRAINED_ON, JUDGED_ON)
    )

    def tell(done: int) -> None:
        context.stop_if_cancelled()
        context.progress(done, images, message="taking the features")

    tell(0)
    import_tensorflow()
    from cxr_core.models.predict import record_features

    keys = source.warehouse().labels(None, place.view)
    frame, features = record_features(
        place.weights, for_tensorflow(place.files), keys, context.config["accelerator"], tell
    )
    policy = None if place.info.policy is None else Policy.from_dict(place.info.policy).words()
    about = {"model": place.model, "view": place.view, "policy": policy, "run": context.run}
    keep_features(place.folder, features, frame, about)
