"""A model file and TFRecords -> the keys of each image, and its 14 logits or what the last layer makes them of."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from cxr_core.errors import RecordError
from cxr_core.models.model_file import load_network
from cxr_core.schema import DATASETS, INTEGER_KEYS, KEY_COLUMNS, LABELS, PATH_FEATURE, VIEWS, image_path
from cxr_core.training.accelerators import gathered, strategy_for
from cxr_core.training.failures import explained_failures
from cxr_core.training.pipeline import MISSING_KEY, prediction_batches
from cxr_core.training.pixels import PixelFormat, scaled

_BATCH_SIZE = 64
_FEATURES = (*INTEGER_KEYS, PATH_FEATURE, "file", "record")

Progress = Callable[[int], None]


def predict_records(
    model: Path,
    paths: Sequence[str | Path],
    labels: pd.DataFrame | None = None,
    limit: int | None = None,
    accelerator: str = "cpu",
    progress: Progress = lambda images: None,
) -> pd.DataFrame:
    """Return one row an image in file order: the key columns, then 14 float64 logits.

    Args:
        model: weights file.
        paths: TFRecord files, local or remote.
        labels: label rows with the key columns; they give the `path` of records that do not tell theirs, by (dataset,
            view, patient, study, image). Where they have none either, it is built from the pattern of `schema`.
        limit: predict only so many images, from the start.
        accelerator: cpu, gpu, multi-gpu or tpu.
        progress: called after each batch with the number of images done; it may raise to stop.

    Raises:
        ModelFileError: the model file is damaged.
        RecordError: a record is damaged or lacks keys.
        UsageError: this machine lacks the accelerator.
    """
    frame, logits = _predicted(model, paths, labels, limit, accelerator, progress, lambda network: network)
    return pd.concat([frame, pd.DataFrame(logits.astype(np.float64), columns=list(LABELS))], axis=1)


def record_logits(
    model: Path, paths: Sequence[str | Path], accelerator: str = "cpu", progress: Progress = lambda images: None
) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Return what each record says of itself, in file order, and its 14 logits.

    As `predict_records`, but records may lack keys: the columns are those keys that all of them tell, paths included.
    """
    keys, outputs, _ = _run_over(model, paths, None, accelerator, progress, lambda network: network)
    frame = pd.DataFrame({name: keys[name] for name in INTEGER_KEYS if (keys[name] != MISSING_KEY).all()})
    paths_told = [path.decode() for path in keys[PATH_FEATURE]]
    return (frame.assign(path=paths_told) if all(paths_told) else frame), outputs


def record_features(
    model: Path,
    paths: Sequence[str | Path],
    labels: pd.DataFrame | None = None,
    accelerator: str = "cpu",
    progress: Progress = lambda images: None,
) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Return the key columns of each image in file order, and (images, features) that its logits are linear in.

    Arguments and errors are those of `predict_records`.
    """
    return _predicted(model, paths, labels, None, accelerator, progress, _before_the_head)


def _before_the_head(network: Any) -> Any:
    """Return the network without its last layer."""
    return keras.Model(network.inputs, network.layers[-1].input)


def _predicted(
    model: Path,
    paths: Sequence[str | Path],
    labels: pd.DataFrame | None,
    limit: int | None,
    accelerator: str,
    progress: Progress,
    part: Callable[[Any], Any],
) -> tuple[pd.DataFrame, Any]:
    """Return the key columns and the outputs of a part of the network."""
    keys, outputs, files = _run_over(model, paths, limit, accelerator, progress, part)
    return _key_frame(keys, files, labels), outputs


def _run_over(
    model: Path,
    paths: Sequence[str | Path],
    limit: int | None,
    accelerator: str,
    progress: Progress,
    part: Callable[[Any], Any],
) -> tuple[dict[str, Any], Any, list[str]]:
    """Return the keys as the records tell them, the outputs of a part of the network, and the files."""
    files = [str(path) for path in paths]
    strategy = strategy_for(accelerator)
    # TensorFloat-32 would change the third digit of the logits between machines.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    with strategy.scope():
        whole, info = load_network(model)
        network = part(whole)

    @tf.function
    def step(images: Any) -> Any:
        return strategy.run(lambda batch: network(scaled(batch), training=False), args=(images,))

    batch = (PixelFormat(info.image_size, info.decode), _BATCH_SIZE * strategy.num_replicas_in_sync)
    width = int(network.outputs[0].shape[-1])
    with explained_failures(files):
        batches = prediction_batches(files, *batch, limit)
        keys, outputs = _outputs(lambda images: _run(strategy, step, images), width, batches, progress)
    return keys, outputs, files


def outputs_of(
    answer: Callable[[Any], npt.NDArray[np.float32]],
    width: int,
    batch: tuple[PixelFormat, int],
    files: list[str],
    labels: pd.DataFrame | None,
    limit: int | None,
    progress: Progress,
) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """Return the key columns of each image in file order, and what `answer` makes of it.

    Args:
        answer: pixels of 0 to 255 (a batch, size, size, 1) -> (the batch, width).
        width: how many numbers that is.
        batch: the form of the pixels, and how many images go into a batch.
        files: TFRecord files.
        labels: as for `predict_records`.
        limit: as there.
        progress: as there.

    Raises:
        RecordError: a record is damaged or lacks keys.
    """
    with explained_failures(files):
        keys, outputs = _outputs(answer, width, prediction_batches(files, *batch, limit), progress)
    return _key_frame(keys, files, labels), outputs


def _outputs(
    answer: Callable[[Any], npt.NDArray[np.float32]], width: int, batches: Any, progress: Progress
) -> tuple[dict[str, Any], npt.NDArray[np.float32]]:
    """Return the keys and the outputs of all images, in file order."""
    keys: dict[str, list[Any]] = {name: [np.zeros(0, np.int64)] for name in _FEATURES}
    keys[PATH_FEATURE] = [np.zeros(0, object)]
    outputs: list[Any] = [np.zeros((0, width), np.float32)]
    done = 0
    for images, others, real in batches:
        rows = real.numpy()
        outputs.append(answer(images)[rows])
        for name in _FEATURES:
            keys[name].append(others[name].numpy()[rows])
        done += int(rows.sum())
        progress(done)
    return {name: np.concatenate(arrays) for name, arrays in keys.items()}, np.concatenate(outputs)


def _run(strategy: Any, step: Any, images: Any) -> Any:
    """Return the outputs of one batch, its images dealt over the replicas and put together in order."""
    share = images.shape[0] // strategy.num_replicas_in_sync

    def part(context: Any) -> Any:
        start = context.replica_id_in_sync_group * share
        return images[start : start + share]

    return gathered(strategy, step(strategy.experimental_distribute_values_from_function(part)))


def _key_frame(keys: dict[str, Any], files: list[str], labels: pd.DataFrame | None) -> pd.DataFrame:
    frame = pd.DataFrame({name: keys[name] for name in INTEGER_KEYS})
    _check_keys(frame, keys, files)
    stored = [path.decode() for path in keys[PATH_FEATURE]]
    known = _known_paths(labels) if labels is not None and not all(stored) else {}
    rows = zip(stored, *(frame[name] for name in INTEGER_KEYS), strict=True)
    frame["path"] = [path or known.get(tuple(row)) or _built_path(*row) for path, *row in rows]
    return frame[list(KEY_COLUMNS)]


def _check_keys(frame: pd.DataFrame, keys: dict[str, Any], files: list[str]) -> None:
    lacking = (frame == MISSING_KEY).to_numpy()
    if not lacking.any():
        _check_codes(frame, keys, files)
        return
    first = int(np.flatnonzero(lacking.any(axis=1))[0])
    names = ", ".join(np.array(INTEGER_KEYS)[lacking[first]])
    raise RecordError(f"{_where(keys, files, first)} lacks {names}. Prediction needs these keys to name the image.")


def _check_codes(frame: pd.DataFrame, keys: dict[str, Any], files: list[str]) -> None:
    for name, known in (("view", VIEWS), ("dataset", DATASETS)):
        wrong = np.flatnonzero(~frame[name].between(0, len(known) - 1))
        if wrong.size:
            code = frame[name].iloc[wrong[0]]
            raise RecordError(
                f"{_where(keys, files, int(wrong[0]))} has {name} = {code}. It must be from 0 to {len(known) - 1}."
            )


def _where(keys: dict[str, Any], files: list[str], row: int) -> str:
    return f"Record {keys['record'][row] + 1} of {files[keys['file'][row]]}"


def _known_paths(labels: pd.DataFrame) -> dict[tuple[int, ...], str]:
    complete = labels.dropna(subset=list(KEY_COLUMNS))
    columns = [complete[name].astype("int64") for name in INTEGER_KEYS]
    return dict(zip(zip(*columns, strict=True), complete["path"], strict=True))


def _built_path(patient: int, study: int, image: int, view: int, dataset: int) -> str:
    return image_path(DATASETS[dataset], patient, study, image, VIEWS[view])
