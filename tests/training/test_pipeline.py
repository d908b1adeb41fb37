import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from random_records import random_codes, random_record, write_random_records

from cxr_core.records.example import encode
from cxr_core.records.tfrecord import write_records
from cxr_core.training.pipeline import count_images, prediction_batches, training_batches, validation_batches
from cxr_core.uncertainty import uniform_policy

pytestmark = pytest.mark.tensorflow
POLICY = uniform_policy(0.4, 0.75)
COUNT = 22


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return [str(path) for path in write_random_records(tmp_path_factory.mktemp("records"), COUNT, shards=3)]


def pixels(seed):
    with Image.open(io.BytesIO(random_record(seed).jpg)) as image:
        return np.asarray(image, np.float64) / 255


def order_of(paths, seed, epoch, skip=0):
    """The mean brightness of each image, in the order of an epoch."""
    batches = training_batches(paths, POLICY, 320, 4, seed, epoch, skip)
    return [float(image.mean()) for images, _, _ in batches.as_numpy_iterator() for image in images]


def test_images_are_counted_locally_and_on_tensorflows_file_systems(paths):
    assert count_images(paths) == COUNT
    tf.io.gfile.copy(paths[0], "ram://counted", overwrite=True)
    assert count_images(["ram://counted"]) == count_images(paths[:1])


def test_validation_keeps_every_image_in_order_with_its_labels(paths):
    found, codes = [], []
    for images, others, real in validation_batches(paths, 320, 4).as_numpy_iterator():
        assert images.shape == (4, 320, 320, 1)
        assert images.dtype == np.float32
        found += list(images[real])
        codes += list(others["codes"][real])
    # Records were dealt over three files, and files are read one after another.
    order = [seed for shard in range(3) for seed in range(shard, COUNT, 3)]
    assert len(found) == COUNT
    np.testing.assert_array_equal(codes, random_codes(COUNT)[order])
    for image, seed in zip(found, order, strict=True):
        # Two JPEG decoders may differ by one or two grey levels.
        np.testing.assert_allclose(image[..., 0], pixels(seed), atol=2.5 / 255)


def test_another_size_is_the_mean_over_areas(paths):
    images, _, _ = next(validation_batches(paths, 64, 4).as_numpy_iterator())
    expected = pixels(0).reshape(64, 5, 64, 5).mean((1, 3))
    np.testing.assert_allclose(images[0, ..., 0], expected, atol=2.5 / 255)


def test_training_looks_targets_and_weights_up_and_drops_the_remainder(paths):
    batches = list(training_batches(paths, POLICY, 32, 4, 0, 0).as_numpy_iterator())
    assert len(batches) == COUNT // 4
    seen = {tuple(row) for _, targets, weights in batches for row in np.hstack([targets, weights])}
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
    images, keys, real = next(prediction_batches(paths, 32, 8, limit=5).as_numpy_iterator())
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
        list(validation_batches([str(path)], 96, 1))


def test_a_label_code_outside_the_four_values_is_an_error(tmp_path):
    record = random_record(0)
    for wrong in (4, -1):
        path = tmp_path / "frontal-00000-of-00001"
        write_records(path, [encode(type(record)(record.jpg, record.labels | {"edema": wrong}))] * 2)
        with pytest.raises(tf.errors.InvalidArgumentError, match="edema|indices"):
            list(training_batches([str(path)], POLICY, 32, 2, 0, 0))
