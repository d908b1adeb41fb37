import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import tensorflow as tf
from PIL import Image
from random_records import random_codes, random_record, write_random_records

from cxr_core.records.example import decode, encode
from cxr_core.records.tfrecord import read_payloads, record_offsets, write_records
from cxr_core.training.augmentation import Extent
from cxr_core.training.image_cache import ImageCache, cache_for, free_memory
from cxr_core.training.pipeline import WorkerPart, look_up, prediction_batches, training_batches, validation_batches
from cxr_core.training.pixels import PixelFormat
from cxr_core.training.record_order import RecordFiles, payloads
from cxr_core.uncertainty import uniform_policy

pytestmark = pytest.mark.tensorflow
POLICY = uniform_policy(0.4, 0.75)
FULL = PixelFormat(320)
COUNT = 22


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return [str(path) for path in write_random_records(tmp_path_factory.mktemp("records"), COUNT, shards=3)]


def pixels(seed):
    with Image.open(io.BytesIO(random_record(seed).jpg)) as image:
        return np.asarray(image, np.float64) / 255


def order_of(paths, seed, epoch, skip=0, **further):
    """The mean brightness of each image, in the order of an epoch."""
    batches = training_batches(RecordFiles.of(paths), FULL, 4, seed, epoch, skip, **further)
    return [float(image.mean()) for images, _ in batches.as_numpy_iterator() for image in images]


def test_images_are_counted_locally_and_on_tensorflows_file_systems(paths):
    assert RecordFiles.of(paths).images == RecordFiles.of(paths).count() == COUNT
    tf.io.gfile.copy(paths[0], "ram://counted", overwrite=True)
    remote = RecordFiles.of(["ram://counted"])
    assert remote.images is None
    assert remote.count() == RecordFiles.of(paths[:1]).count()
    assert len(order_of(["ram://counted"], 1, 0)) == remote.count() // 4 * 4


def test_validation_keeps_every_image_in_order_with_its_labels(paths):
    found, codes = [], []
    for images, known, real in validation_batches(RecordFiles.of(paths), FULL, 4).as_numpy_iterator():
        assert images.shape == (4, 320, 320, 1)
        assert images.dtype == np.uint8
        found += list(images[real] / 255)
        codes += list(known[real])
    # Records were dealt over three files, and files are read one after another.
    order = [seed for shard in range(3) for seed in range(shard, COUNT, 3)]
    assert len(found) == COUNT
    np.testing.assert_array_equal(codes, random_codes(COUNT)[order])
    for image, seed in zip(found, order, strict=True):
        # Two JPEG decoders may differ by one or two grey levels.
        np.testing.assert_allclose(image[..., 0], pixels(seed), atol=2.5 / 255)


def test_another_size_is_the_mean_over_areas(paths):
    images, _, _ = next(validation_batches(RecordFiles.of(paths), PixelFormat(64), 4).as_numpy_iterator())
    expected = pixels(0).reshape(64, 5, 64, 5).mean((1, 3))
    np.testing.assert_allclose(images[0, ..., 0] / 255, expected, atol=2.5 / 255)


@pytest.mark.parametrize(("size", "ratio"), [(320, 1), (224, 1), (160, 2), (96, 2), (64, 4), (32, 8)])
def test_a_reduced_image_is_decoded_at_the_smallest_scale_that_suffices_and_looks_the_same(paths, size, ratio):
    reduced = PixelFormat(size, "reduced")
    assert reduced.ratio == ratio
    images, full = (
        next(validation_batches(RecordFiles.of(paths), form, 4).as_numpy_iterator())[0]
        for form in (reduced, PixelFormat(size, "full"))
    )
    assert images.dtype == np.uint8
    assert reduced.image_bytes == images[0].nbytes
    difference = images.astype(np.float64) - full
    assert np.abs(difference).mean() < 2.0
    assert np.abs(difference).max() < 12


def test_training_looks_targets_and_weights_up_and_drops_the_remainder(paths):
    batches = list(training_batches(RecordFiles.of(paths), PixelFormat(32), 4, 0, 0).as_numpy_iterator())
    assert len(batches) == COUNT // 4
    tables = POLICY.targets(), POLICY.weights()
    seen = {tuple(row) for _, codes in batches for row in np.hstack([look_up(table, codes) for table in tables])}
    rows = random_codes(COUNT)
    known = {tuple(np.float32([*([0, 0, 0.4, 1][c] for c in row), *([1, 1, 0.75, 1][c] for c in row)])) for row in rows}
    assert len(seen) == COUNT // 4 * 4
    assert seen <= known


def test_the_order_depends_on_seed_and_epoch_alone(paths):
    first = order_of(paths, seed=1, epoch=0)
    assert order_of(paths, seed=1, epoch=0) == first
    assert order_of(paths, seed=1, epoch=1) != first
    assert order_of(paths, seed=2, epoch=0) != first


def test_skipped_batches_leave_the_rest_of_the_epoch_as_it_was(paths):
    assert order_of(paths, 1, 0, skip=2) == order_of(paths, 1, 0)[8:]
    assert order_of(paths, 1, 0, skip=COUNT // 4) == []


def test_prediction_brings_the_keys_and_stops_at_the_limit(paths):
    images, keys, real = next(prediction_batches(paths, PixelFormat(32), 8, limit=5).as_numpy_iterator())
    assert images.shape == (8, 32, 32, 1)
    assert real.tolist() == [True] * 5 + [False] * 3
    record = random_record(3)
    assert {name: int(keys[name][1]) for name in record.keys} == record.keys
    assert keys["path"][1].decode() == record.path
    assert [(int(f), int(r)) for f, r in zip(keys["file"][:5], keys["record"][:5], strict=True)] == [
        (0, i) for i in range(5)
    ]


@pytest.mark.parametrize("size", [200, 321])
def test_an_image_of_another_size_is_an_error_that_names_it(tmp_path, size):
    path = tmp_path / "frontal-00000-of-00001"
    write_records(path, [encode(random_record(0, size=size))])
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{size},{size},1"):
        list(validation_batches(RecordFiles.of([path]), PixelFormat(96), 1))


def test_a_label_code_outside_the_four_values_is_an_error(tmp_path):
    record = random_record(0)
    for wrong in (4, -1):
        path = tmp_path / "frontal-00000-of-00001"
        write_records(path, [encode(type(record)(record.jpg, record.labels | {"edema": wrong}))] * 2)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"A label must be 0, 1, 2 or 3"):
            list(training_batches(RecordFiles.of([path]), PixelFormat(32), 2, 0, 0))


def test_what_is_cached_changes_neither_order_nor_pixels(paths):
    records = RecordFiles.of(paths)
    cache = ImageCache(records.images, FULL)
    epochs = [order_of(paths, seed=1, epoch=epoch) for epoch in range(3)]
    assert order_of(paths, 1, 0, cache=cache) == epochs[0]
    assert cache.complete
    for path in paths:
        Path(path).rename(f"{path}.away")
    try:
        found = [
            [
                float(image.mean())
                for images, _ in training_batches(records, FULL, 4, 1, epoch, skip, cache=cache).as_numpy_iterator()
                for image in images
            ]
            for epoch, skip in ((1, 0), (2, 3))
        ]
    finally:
        for path in paths:
            Path(f"{path}.away").rename(path)
    assert found == [epochs[1], epochs[2][12:]]


def test_a_cache_that_was_begun_within_an_epoch_is_filled_in_the_next(paths):
    cache = ImageCache(COUNT, FULL)
    assert order_of(paths, 1, 0, skip=2, cache=cache) == order_of(paths, 1, 0)[8:]
    assert not cache.complete
    assert order_of(paths, 1, 1, cache=cache) == order_of(paths, 1, 1)
    assert cache.complete


def test_images_are_cached_where_they_take_a_quarter_of_the_free_memory(monkeypatch, tmp_path):
    small = PixelFormat(32, "reduced")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=4 * 1024 * 100))
    assert cache_for("auto", 100, 2, small) is not None
    assert cache_for("auto", 101, 2, small) is None
    assert cache_for("auto", 100, 1, small) is None
    assert cache_for("auto", None, 2, small) is None
    assert cache_for("on", 101, 1, small) is not None
    assert cache_for("off", 1, 2, small) is None
    (tmp_path / "memory.max").write_text("1000")
    (tmp_path / "memory.current").write_text("400")
    assert free_memory(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max")
    assert free_memory(tmp_path) == 4 * 1024 * 100


def test_sorted_records_of_one_file_are_mixed_over_the_whole_file(tmp_path):
    """Twenty thousand tiny records in a row: a buffer of 2,048 alone would take the first batches from the start."""
    write_records(tmp_path / "long", (str(number).encode() for number in range(20_000)))
    order = [
        int(payload) for payload in RecordFiles.of([tmp_path / "long"]).shuffled(3, 0, payloads).as_numpy_iterator()
    ]
    assert sorted(order) == list(range(20_000))
    for start in range(0, 19_000, 1000):
        tenths = np.bincount(np.array(order[start : start + 1000]) // 2000, minlength=10)
        assert (tenths > 0).sum() >= 7
    neighbours = np.abs(np.diff(order))
    assert np.mean(neighbours <= 64) < 0.1


def test_every_worker_and_replica_gets_its_rows_of_each_batch(paths):
    records = RecordFiles.of(paths)
    whole = np.concatenate([codes for _, codes in training_batches(records, PixelFormat(32), 4, 1, 0)])
    shares = [
        list(training_batches(records, PixelFormat(32), 4, 1, 0, share=WorkerPart(worker, 2, 4)).as_numpy_iterator())
        for worker in range(2)
    ]
    assert {images.shape for share in shares for images, _ in share} == {(1, 32, 32, 1)}
    dealt = [shares[row // 2 % 2][row // 4 * 2 + row % 2][1][0] for row in range(len(whole))]
    np.testing.assert_array_equal(dealt, whole)
    real = [
        np.concatenate(
            [real for _, _, real in validation_batches(records, PixelFormat(32), 4, WorkerPart(worker, 2, 2))]
        )
        for worker in range(2)
    ]
    assert sum(part.sum() for part in real) == COUNT


def test_a_worker_reads_the_records_of_its_rows_alone(tmp_path):
    """Those of the other worker are damaged, each in its image: whoever reads one is told."""
    paths = [str(path) for path in write_random_records(tmp_path, COUNT, shards=3)]
    before = list(training_batches(RecordFiles.of(paths), PixelFormat(32), 4, 1, 0, share=WorkerPart(0, 2, 2)))
    own = {codes.numpy().tobytes() for _, rows in before for codes in rows}
    damaged = 0
    for path in map(Path, paths):
        content = bytearray(path.read_bytes())
        for offset, payload in zip(record_offsets(path), read_payloads(path), strict=True):
            codes = list(decode(payload, path.name).labels.values())
            is_own = np.array(codes, np.int32).tobytes() in own
            damaged += not is_own
            content[offset + 12 + len(payload) // 2] ^= 0 if is_own else 0xFF
        path.write_bytes(content)
    assert damaged >= COUNT // 2
    after = list(training_batches(RecordFiles.of(paths), PixelFormat(32), 4, 1, 0, share=WorkerPart(0, 2, 2)))
    np.testing.assert_array_equal(np.concatenate([rows for rows, _ in after]), np.concatenate([r for r, _ in before]))
    with pytest.raises(tf.errors.DataLossError):
        list(training_batches(RecordFiles.of(paths), PixelFormat(32), 4, 1, 0, share=WorkerPart(1, 2, 2)))


def test_the_validation_of_all_workers_together_is_that_of_one(paths):
    records = RecordFiles.of(paths)
    whole = [codes[real] for _, codes, real in validation_batches(records, PixelFormat(32), 4).as_numpy_iterator()]
    parts = [
        list(validation_batches(records, PixelFormat(32), 4, WorkerPart(worker, 2, 2)).as_numpy_iterator())
        for worker in range(2)
    ]
    found = [codes[real] for batch in zip(*parts, strict=True) for _, codes, real in batch]
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(whole))


def test_augmented_images_differ_a_little_and_the_same_way_each_time(paths):
    records, small, extent = RecordFiles.of(paths), PixelFormat(96, "reduced"), Extent()

    def batches(epoch, skip=0, augment=extent):
        return list(training_batches(records, small, 4, 1, epoch, skip, augment=augment).as_numpy_iterator())

    changed, plain = batches(0), batches(0, augment=None)
    for (image, codes), (expected, known) in zip(changed, plain, strict=True):
        np.testing.assert_array_equal(codes, known)
        assert image.dtype == expected.dtype
        difference = np.abs(image.astype(float) - expected)
        assert 1 < difference.mean() < 40
    for (first, _), (again, _) in zip(changed[2:], batches(0, skip=2), strict=True):
        np.testing.assert_array_equal(first, again)
    assert (batches(1)[0][0] != batches(1, augment=None)[0][0]).any()
