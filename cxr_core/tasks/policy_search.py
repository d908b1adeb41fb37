"""Trying policies on frozen features in the background: a model's features, then a head a policy and label on them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cxr_core.errors import UsageError
from cxr_core.runs import service
from cxr_core.runs.run import Run
from cxr_core.runs.step import StepContext
from cxr_core.schema import KEY_COLUMNS
from cxr_core.sources.registry import get_source, ready_source
from cxr_core.sources.source import Source
from cxr_core.storage import for_tensorflow
from cxr_core.tasks.allowed_places import check_input
from cxr_core.tasks.embedding_files import are_embeddings, embedded_rows, embedding_files, read_embeddings
from cxr_core.tasks.feature_store import (
    content,
    features_folder,
    keep_features,
    keep_scores,
    kept_features,
    kept_scores,
)
from cxr_core.tasks.head_training import JUDGED_ON, TRAINED_ON, judged_images, scores_name, train_heads, training_rows
from cxr_core.tasks.machine_devices import need_here
from cxr_core.tasks.named_model import absolute, is_path, located, name_of, weights_of
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
    """Whose features: `weights` and `info` are None of embeddings, whose `view` is None: they are of any."""

    model: str
    weights: Path | None
    info: ModelInfo | None
    view: str | None
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
        model: a model with weights, the path of an .h5 or .keras file, or a file of embeddings or a pattern of such
            (`embedding_files`); by default `default_model`.
        accelerator: for the features: cpu, gpu, multi-gpu or tpu. Heads are always trained on the CPU.
        confined: whether only what pages may read is read; the command line is not confined.
        device: the GPU, as in gpu:1; by default one that is free.

    Raises:
        UnknownNameError: there is no such source, model, accelerator or device.
        UsageError: the source has no records or labels of train or valid, or the place is none that pages may read.
        RecordError: a record file is damaged, lacks the keys, or holds another view.
        ModelFileError: the weights file is damaged, or there is none at the path.
        DataError: a file of embeddings is damaged, or of other images.
    """
    place = _place(ready_source(source_name), model or default_model(source_name), confined)
    config = {"model": place.model, "accelerator": accelerator, "device": device}
    need = need_here(accelerator, device)
    return service.submit(KIND, _called(place.model), source_name, config, accelerator, need=need)


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
    named = _named(model)
    runs = (run for run in service.list_runs(KIND) if run.source == source_name and run.config["model"] == named)
    return next(runs, None)


def work(context: StepContext) -> None:
    """Take the features, unless they are kept, and train the heads, in the process of the run."""
    source = get_source(context.source)
    place = _place(source, context.config["model"], confined=False)
    kept = kept_features(place.folder)
    if kept is None:
        _take_embeddings(context, source, place) if place.weights is None else _take_features(context, source, place)
        kept = kept_features(place.folder)
        assert kept is not None
    context.stop_if_cancelled()
    rows = training_rows(source, place.view, kept)
    if rows.empty:
        raise UsageError(f"No label row of {TRAINED_ON} belongs to an image of the records, so no head can be trained.")
    scores, about = train_heads(context, kept, rows)
    keep_scores(place.folder, scores_name(rows), scores, about)
    told = {"model": place.model, "features": str(place.folder), "images": len(kept.images), "size": kept.size}
    context.result(told | {name: kept.about[name] for name in ("unmatched",) if name in kept.about})


def _place(source: Source, model: str, confined: bool) -> _Place:
    """Find model and records, and where the features of these lie."""
    named = _named(model)
    if confined and (is_path(named) or are_embeddings(named)):
        check_input("model file", named)
    if are_embeddings(named):
        return _place_of_embeddings(source, named)
    weights = weights_of(source, named)
    info = read_info(weights)
    found = [records_to_predict(source, info, named, dataset, None, "", None) for dataset in (TRAINED_ON, JUDGED_ON)]
    files = tuple(file for one in found for file in one.files)
    folder = features_folder(source, name_of(named), content(weights), files)
    return _Place(named, weights, info, found[0].view, files, folder)


def _named(model: str) -> str:
    """Return a model with its path made absolute; embeddings are always named by a path."""
    return absolute(model) if are_embeddings(model) else located(model)


def _place_of_embeddings(source: Source, pattern: str) -> _Place:
    """Find embeddings: which images they are of depends on the label rows too."""
    files, paths = embedding_files(pattern), _label_keys(source)["path"]
    images = str(pd.util.hash_pandas_object(paths, index=False).sum())
    return _Place(pattern, None, None, None, files, features_folder(source, _called(pattern), images, files))


def _label_keys(source: Source) -> pd.DataFrame:
    found = [source.warehouse().labels(dataset) for dataset in (TRAINED_ON, JUDGED_ON)]
    return pd.concat(found, ignore_index=True).drop_duplicates("path", ignore_index=True)[list(KEY_COLUMNS)]


def _called(model: str) -> str:
    """Return what features and runs are called: the model, or the first part of the name of a file of embeddings."""
    if not are_embeddings(model):
        return name_of(model)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(model).name.partition(".")[0]).strip("-._") or "embeddings"


def _take_embeddings(context: StepContext, source: Source, place: _Place) -> None:
    def tell(done: int) -> None:
        context.stop_if_cancelled()
        context.progress(done, len(place.files), message="reading the embeddings")

    ids, vectors = read_embeddings(place.files, tell)
    keys = _label_keys(source)
    rows = embedded_rows(ids, keys)
    known = (rows >= 0).to_numpy()
    about = {"model": place.model, "view": None, "policy": None, "run": context.run, "unmatched": int((~known).sum())}
    keep_features(place.folder, vectors[known], keys.iloc[rows[known]].reset_index(drop=True), about)


def _take_features(context: StepContext, source: Source, place: _Place) -> None:
    assert place.weights is not None and place.info is not None
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
