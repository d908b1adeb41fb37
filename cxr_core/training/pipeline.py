"""TFRecords -> batches, as in the notebook: read, shuffle, parse, decode, scale to [0, 1], batch, prefetch.

Paths may be local or on any file system that TensorFlow opens (gs://, ram://).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cxr_core.records.tfrecord import count_records
from cxr_core.schema import INTEGER_KEYS, JPEG_FEATURE, LABELS, PATH_FEATURE, RECORD_IMAGE_SIZE
from cxr_core.uncertainty import Policy

#: The notebook shuffled 256 records; files hold sorted patients, so that mixes too little.
_SHUFFLED_RECORDS = 2048
_FILES_AT_ONCE = 8
_READ_BUFFER_BYTES = 4 * 1024 * 1024
#: The code of a key that a record does not have.
MISSING_KEY = -1


def count_images(paths: Sequence[str]) -> int:
    """Return the number of examples in all files; remote files are read through once."""
    local = [path for path in paths if "://" not in path]
    remote = [path for path in paths if "://" in path]
    counted = sum(count_records(Path(path)) for path in local)
    if remote:
        counted += int(tf.data.TFRecordDataset(remote).reduce(np.int64(0), lambda total, _: total + 1))
    return counted


def training_batches(
    paths: Sequence[str], policy: Policy, image_size: int, batch_size: int, seed: int, epoch: int, skip: int = 0
) -> Any:
    """Return the shuffled batches of one epoch: (images, targets, weights), the last partial batch dropped.

    images is float32 (batch, size, size, 1) in [0, 1]; targets and weights are float32 (batch, 14). The order depends
    on `seed` and `epoch` alone; `skip` leaves out that many batches at the start, so that a resumed epoch goes on.
    """
    order = np.random.default_rng([seed, epoch])
    files = [paths[index] for index in order.permutation(len(paths))]
    records = _interleaved(files).shuffle(
        _SHUFFLED_RECORDS, seed=int(order.integers(2**31)), reshuffle_each_iteration=False
    )
    targets, weights = tf.constant(policy.targets()), tf.constant(policy.weights())

    def parse(payload: Any) -> tuple[Any, Any, Any]:
        parsed = tf.io.parse_single_example(payload, _label_features() | _image_feature())
        codes = _codes(parsed)
        return _pixels(parsed, image_size), look_up(targets, codes), look_up(weights, codes)

    parsed = records.skip(skip * batch_size).map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return parsed.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def validation_batches(paths: Sequence[str], image_size: int, batch_size: int) -> Any:
    """Return all examples in file order: (images, {"codes"}, real).

    Every batch is full, as TPUs want; `real` is False for the rows that fill up the last one. codes is int64
    (batch, 14).
    """

    def parse(payload: Any) -> tuple[Any, dict[str, Any]]:
        parsed = tf.io.parse_single_example(payload, _label_features() | _image_feature())
        return _pixels(parsed, image_size), {"codes": _codes(parsed)}

    return _filled_batches(tf.data.TFRecordDataset(list(paths), buffer_size=_READ_BUFFER_BYTES), parse, batch_size)


def prediction_batches(paths: Sequence[str], image_size: int, batch_size: int, limit: int | None = None) -> Any:
    """Return the first `limit` examples in file order: (images, keys, real), batches filled as for validation.

    keys has patient, study, image, view and dataset (`MISSING_KEY` where absent), path (b"" where absent), and `file`
    and `record`: the number of the file in `paths` and of the record in it, from 0.
    """
    features = {name: tf.io.FixedLenFeature([], tf.int64, MISSING_KEY) for name in INTEGER_KEYS}
    features[PATH_FEATURE] = tf.io.FixedLenFeature([], tf.string, "")

    def numbered(file: Any, path: Any) -> Any:
        records = tf.data.TFRecordDataset(path, buffer_size=_READ_BUFFER_BYTES).enumerate()
        return records.map(lambda record, payload: (file, record, payload))

    def parse(file: Any, record: Any, payload: Any) -> tuple[Any, dict[str, Any]]:
        parsed = tf.io.parse_single_example(payload, features | _image_feature())
        keys = {name: parsed[name] for name in (*INTEGER_KEYS, PATH_FEATURE)}
        return _pixels(parsed, image_size), keys | {"file": file, "record": record}

    records = tf.data.Dataset.from_tensor_slices(list(paths)).enumerate().flat_map(numbered)
    return _filled_batches(records.take(-1 if limit is None else limit), parse, batch_size)


def look_up(table: Any, codes: Any) -> Any:
    """Return `table[codes[label], label]` for each of the 14 labels; a code outside 0..3 is an error."""
    labels = tf.range(len(LABELS), dtype=codes.dtype)
    return tf.gather(tf.reshape(table, [-1]), codes * len(LABELS) + labels)


def _interleaved(files: list[str]) -> Any:
    return tf.data.Dataset.from_tensor_slices(files).interleave(
        lambda path: tf.data.TFRecordDataset(path, buffer_size=_READ_BUFFER_BYTES),
        cycle_length=min(len(files), _FILES_AT_ONCE),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _filled_batches(records: Any, parse: Any, batch_size: int) -> Any:
    """Batch parsed records, and fill the last batch up with zeros and empty strings."""

    def fill(images: Any, others: dict[str, Any]) -> tuple[Any, dict[str, Any], Any]:
        count = tf.shape(images)[0]
        filled = {name: _fill_rows(value, batch_size) for name, value in others.items()}
        return _fill_rows(images, batch_size), filled, tf.range(batch_size) < count

    parsed = records.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return parsed.batch(batch_size).map(fill).prefetch(tf.data.AUTOTUNE)


def _fill_rows(rows: Any, batch_size: int) -> Any:
    missing = batch_size - tf.shape(rows)[0]
    filler = tf.zeros(tf.concat([[missing], tf.shape(rows)[1:]], 0), rows.dtype)
    return tf.ensure_shape(tf.concat([rows, filler], 0), (batch_size, *rows.shape[1:]))


def _image_feature() -> dict[str, Any]:
    return {JPEG_FEATURE: tf.io.FixedLenFeature([], tf.string)}


def _label_features() -> dict[str, Any]:
    return {label: tf.io.FixedLenFeature([], tf.int64) for label in LABELS}


def _codes(parsed: dict[str, Any]) -> Any:
    return tf.stack([parsed[label] for label in LABELS])


def _pixels(parsed: dict[str, Any], image_size: int) -> Any:
    """Return float32 (size, size, 1) in [0, 1]; an image that is not 320x320 is an error that names its shape."""
    image = tf.io.decode_jpeg(parsed[JPEG_FEATURE], channels=1)
    image = tf.ensure_shape(image, (RECORD_IMAGE_SIZE, RECORD_IMAGE_SIZE, 1))
    if image_size != RECORD_IMAGE_SIZE:
        image = tf.image.resize(image, (image_size, image_size), method="area")
    return (1.0 / 255.0) * tf.cast(image, tf.float32)
