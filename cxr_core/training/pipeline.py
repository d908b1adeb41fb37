"""TFRecords -> batches: read, shuffle, batch, then parse and decode a whole batch in one go.

Pixels stay whole numbers of 0 to 255 until they are on the device (`pixels.scaled`). Paths may be local or on any file
system that TensorFlow opens (gs://, ram://).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from cxr_core.processes import cores
from cxr_core.schema import ABSENT, INTEGER_KEYS, JPEG_FEATURE, LABELS, PATH_FEATURE, VALUES
from cxr_core.training.augmentation import Extent, augmented
from cxr_core.training.image_cache import ImageCache
from cxr_core.training.pixels import PixelFormat
from cxr_core.training.record_order import PieceReader, RecordFiles, numbered_payloads, numbers, payloads

_READ_BUFFER_BYTES = 4 * 1024 * 1024
#: The code of a key that a record does not have.
MISSING_KEY = -1
#: What stands for a label that a record lacks while it is parsed: no record says it itself.
_NOT_THERE = -(2**40)


@dataclass(frozen=True)
class WorkerPart:
    """The part of every batch that one worker of several gets, dealt out to its replicas.

    Attributes:
        worker, workers: which one of how many.
        replicas: replicas of all workers together; each gets batches of its own size, one after the other.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1

    def rows(self, batch_size: int) -> slice:
        """Return the rows of a batch that this worker gets."""
        count = batch_size // self.workers
        return slice(self.worker * count, (self.worker + 1) * count)

    def dealt(self, batches: Any, batch_size: int) -> Any:
        """Cut the worker's batches into those of its replicas."""
        return batches if self.replicas == self.workers else batches.rebatch(batch_size // self.replicas)


def training_batches(
    records: RecordFiles,
    pixels: PixelFormat,
    batch_size: int,
    seed: int,
    epoch: int,
    skip: int = 0,
    share: WorkerPart = WorkerPart(),
    cache: ImageCache | None = None,
    augment: Extent | None = None,
    beside: npt.NDArray[np.int32] | None = None,
) -> Any:
    """Return the shuffled batches of one epoch: (images, codes), the last partial batch dropped.

    images is (batch, size, size, 1) of 0 to 255, uint8 or float32 (`PixelFormat.dtype`); codes is int32 (batch, 14),
    `ABSENT` where a record lacks the label. With `beside` (records, 14), in the order of the files, codes is
    (batch, 28): each record's numbers stand beside its codes.
    The order depends on `seed` and `epoch` alone, whatever is cached; `skip` leaves out that many batches at the start
    without decoding them, so that a resumed epoch goes on.
    """
    rows = share.rows(batch_size)

    def read(serialised: Any) -> tuple[Any, Any]:
        return _images_and_codes(serialised[rows], pixels)

    def read_and_keep(number: Any, serialised: Any) -> tuple[Any, Any]:
        return with_numbers(number, *cache.keep(number, *_images_and_codes(serialised, pixels)))  # type: ignore[union-attr]

    def looked_up(number: Any) -> tuple[Any, Any]:
        return with_numbers(number, *cache.look_up(number))  # type: ignore[union-attr]

    def with_numbers(number: Any, images: Any, codes: Any) -> tuple[Any, Any]:
        return images, codes if beside is None else tf.concat([codes, tf.gather(beside, number)], axis=1)

    def read_beside(number: Any, serialised: Any) -> tuple[Any, Any]:
        return with_numbers(number[rows], *_images_and_codes(serialised[rows], pixels))

    def read_own(number: Any, serialised: Any) -> tuple[Any, Any]:
        return with_numbers(number, *_images_and_codes(serialised, pixels))

    def ordered(kind: PieceReader, whole: bool = True) -> Any:
        return records.shuffled(seed, epoch, kind).skip(skip * batch_size).batch(batch_size, drop_remainder=whole)

    if share.workers > 1 and records.images is not None:
        batches = _mapped(_own(ordered(numbers), records, rows), read_own)
    elif cache is None and beside is None:
        batches = _mapped(ordered(payloads), read)
    elif cache is None:
        batches = _mapped(ordered(numbered_payloads), read_beside)
    elif cache.complete:
        batches = _mapped(ordered(numbers), looked_up)
    else:
        # The last partial batch is kept as well, before it is dropped.
        batches = _whole(_mapped(ordered(numbered_payloads, whole=False), read_and_keep), batch_size)
    if augment is not None:
        batches = augmented(batches, (seed, epoch, share.worker), skip, augment)
    return _ahead(share.dealt(batches, batch_size))


def validation_batches(
    records: RecordFiles,
    pixels: PixelFormat,
    batch_size: int,
    share: WorkerPart = WorkerPart(),
) -> Any:
    """Return all examples in file order: (images, codes, real), images and codes as for training.

    Every batch is full, as TPUs want; `real` is False for the rows that fill up the last one.
    """

    def read(serialised: Any) -> tuple[Any, Any, Any]:
        rows = share.rows(batch_size)
        real = (tf.range(batch_size) < tf.shape(serialised)[0])[rows]
        images, codes = _images_and_codes(serialised[rows], pixels)
        count = rows.stop - rows.start
        return _fill_rows(images, count), _fill_rows(codes, count), real

    if share.workers > 1 and records.images:
        return _ahead(share.dealt(_own_validation(records, pixels, batch_size, share), batch_size))
    batches = _mapped(records.in_file_order().batch(batch_size), read)
    return _ahead(share.dealt(batches, batch_size))


def prediction_batches(paths: list[str], pixels: PixelFormat, batch_size: int, limit: int | None = None) -> Any:
    """Return the first `limit` examples in file order: (images, keys, real), batches filled as for validation.

    keys has patient, study, image, view and dataset (`MISSING_KEY` where absent), path (b"" where absent), and `file`
    and `record`: the number of the file in `paths` and of the record in it, from 0.
    """
    features = {name: tf.io.FixedLenFeature([], tf.int64, MISSING_KEY) for name in INTEGER_KEYS}
    features[PATH_FEATURE] = tf.io.FixedLenFeature([], tf.string, "")

    def numbered(file: Any, path: Any) -> Any:
        records = tf.data.TFRecordDataset(path, buffer_size=_READ_BUFFER_BYTES).enumerate()
        return records.map(lambda record, payload: (file, record, payload))

    def read(file: Any, record: Any, serialised: Any) -> tuple[Any, dict[str, Any], Any]:
        parsed = tf.io.parse_example(serialised, features | _image_feature())
        keys = {name: parsed[name] for name in (*INTEGER_KEYS, PATH_FEATURE)} | {"file": file, "record": record}
        filled = {name: _fill_rows(value, batch_size) for name, value in keys.items()}
        images = pixels.decoded(parsed[JPEG_FEATURE])
        return _fill_rows(images, batch_size), filled, tf.range(batch_size) < tf.shape(serialised)[0]

    records = tf.data.Dataset.from_tensor_slices(list(paths)).enumerate().flat_map(numbered)
    limited = records.take(-1 if limit is None else limit)
    return _ahead(_mapped(limited.batch(batch_size), read))


def _own_validation(records: RecordFiles, pixels: PixelFormat, batch_size: int, share: WorkerPart) -> Any:
    """Return a worker's part of the validation batches; the last record fills up the last batch of all of them."""
    images = records.images or 0
    every = tf.data.Dataset.range(-(-images // batch_size) * batch_size)

    def read(number: Any, serialised: Any) -> tuple[Any, Any, Any]:
        return *_images_and_codes(serialised, pixels), number < images

    return _mapped(_own(every.batch(batch_size), records, share.rows(batch_size)), read)


def _own(batches: Any, records: RecordFiles, rows: slice) -> Any:
    """Return (number, serialised example) in batches of these rows of batches of numbers; no other record is read."""
    plain, pick = tf.autograph.experimental.do_not_convert, records.picker()
    last = (records.images or 0) - 1
    own = batches.map(plain(lambda numbers: numbers[rows])).unbatch()
    read = plain(lambda number: (number, pick(tf.minimum(number, last))))
    picked = own.map(read, num_parallel_calls=cores(), deterministic=True)
    return picked.batch(rows.stop - rows.start, drop_remainder=True)


def look_up(table: Any, codes: Any) -> Any:
    """Return `table[codes[…, label], label]` for a (4, 14) table and codes of shape (…, 14), 0 for absent labels."""
    labels = tf.range(len(LABELS), dtype=codes.dtype)
    found = tf.gather(tf.reshape(table, [-1]), tf.maximum(codes, 0) * len(LABELS) + labels)
    return tf.where(codes < 0, tf.zeros_like(found), found)


def _mapped(batches: Any, work: Any) -> Any:
    # One batch a core from the first on: TensorFlow's own tuning takes its time.
    # No function here branches on a tensor; looking for such branches takes half a second.
    work = tf.autograph.experimental.do_not_convert(work)
    return batches.map(work, num_parallel_calls=cores(), deterministic=True)


def _ahead(batches: Any) -> Any:
    """Prepare batches ahead of the one that is worked on.

    TensorFlow's own tuning is off: its thread sleeps for longer and longer, and now and then the end of an epoch waited
    for it to wake up, up to half a minute.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options)


def _whole(batches: Any, batch_size: int) -> Any:
    """Drop a partial batch, and give the others a definite size."""
    plain = tf.autograph.experimental.do_not_convert
    whole = batches.filter(plain(lambda images, codes: tf.shape(images)[0] == batch_size))
    return whole.map(plain(lambda images, codes: (_sized(images, batch_size), _sized(codes, batch_size))))


def _sized(rows: Any, count: int) -> Any:
    return tf.ensure_shape(rows, (count, *rows.shape[1:]))


def _images_and_codes(serialised: Any, pixels: PixelFormat) -> tuple[Any, Any]:
    features = _image_feature() | {label: tf.io.FixedLenFeature([], tf.int64, _NOT_THERE) for label in LABELS}
    parsed = tf.io.parse_example(serialised, features)
    codes = tf.stack([parsed[label] for label in LABELS], axis=1)
    # An accelerator would look such a code up without complaint.
    absent = codes == _NOT_THERE
    known = tf.reduce_all(absent | ((codes >= 0) & (codes < len(VALUES))))
    check = tf.debugging.Assert(known, ["A label must be 0, 1, 2 or 3. Received:", codes], summarize=len(LABELS))
    with tf.control_dependencies([check]):
        return pixels.decoded(parsed[JPEG_FEATURE]), tf.cast(
            tf.where(absent, tf.cast(ABSENT, tf.int64), codes), tf.int32
        )


def _fill_rows(rows: Any, batch_size: int) -> Any:
    missing = batch_size - tf.shape(rows)[0]
    filler = tf.zeros(tf.concat([[missing], tf.shape(rows)[1:]], 0), rows.dtype)
    return _sized(tf.concat([rows, filler], 0), batch_size)


def _image_feature() -> dict[str, Any]:
    return {JPEG_FEATURE: tf.io.FixedLenFeature([], tf.string)}
