"""The 2019 notebook's own input function, word for word but for `tf.gather` tables, on the demo's TFRecords."""

import pandas as pd
import pytest
import tensorflow as tf

from cxr_core.schema import LABELS
from cxr_core.training.pipeline import look_up, training_batches
from cxr_core.training.pixels import PixelFormat, scaled
from cxr_core.training.record_order import RecordFiles
from cxr_core.uncertainty import uniform_policy

pytestmark = pytest.mark.tensorflow

INPUT_HWC = (320, 320, 1)
U_VALUE, W_VALUE = 0.4, 0.75


def parse_function(example):
    feature_description = {"jpg_bytes": tf.io.FixedLenFeature([], tf.string)}
    for name in LABELS:
        feature_description[name] = tf.io.FixedLenFeature([], tf.int64)
    parsed = tf.io.parse_single_example(example, feature_description)
    image = tf.io.decode_jpeg(parsed["jpg_bytes"], channels=1)
    image = tf.reshape(image, INPUT_HWC)
    scaled_image = (1.0 / 255.0) * tf.cast(image, tf.float32)
    labels = tf.stack([parsed[name] for name in LABELS], axis=0)
    probs = tf.gather(tf.constant([0.0, 0.0, U_VALUE, 1.0]), labels)
    weights = tf.gather(tf.constant([1.0, 1.0, W_VALUE, 1.0]), labels)
    return scaled_image, tf.stack([probs, weights], axis=0)


def test_the_notebooks_parse_function_reads_the_demos_records_as_the_tables_say(demo):
    files = tf.io.gfile.glob(str(demo / "sources/demo/records/valid/frontal*"))
    records = tf.data.TFRecordDataset(files)
    targets = records.map(parse_function).map(lambda image, target: (tf.reduce_mean(image), target))
    found = [target.numpy() for _, target in targets]
    paths = [tf.io.parse_single_example(r, {"path": tf.io.FixedLenFeature([], tf.string)})["path"] for r in records]
    labels = pd.read_parquet(demo / "sources/demo/labels_valid.parquet").set_index("path")
    rows = labels.loc[[path.numpy().decode() for path in paths], list(LABELS)]
    assert len(rows) == (labels["view"] == 0).sum()
    expected = rows.to_numpy()
    for target, codes in zip(found, expected, strict=True):
        assert target[0].tolist() == pytest.approx([[0, 0, U_VALUE, 1][code] for code in codes])
        assert target[1].tolist() == pytest.approx([[1, 1, W_VALUE, 1][code] for code in codes])


def test_our_pipeline_gives_the_notebooks_pixels_targets_and_weights(demo):
    files = tf.io.gfile.glob(str(demo / "sources/demo/records/test/lateral*"))[:1]
    policy = uniform_policy(U_VALUE, W_VALUE)
    images, codes = next(iter(training_batches(RecordFiles.of(files), PixelFormat(320, "reduced"), 16, 3, epoch=0)))
    ours = scaled(images), look_up(policy.targets(), codes), look_up(policy.weights(), codes)
    notebook = {}
    for image, target in tf.data.TFRecordDataset(files).map(parse_function):
        notebook[image.numpy().tobytes()] = target.numpy()
    for image, targets, weights in zip(*(part.numpy() for part in ours), strict=True):
        expected = notebook[image.tobytes()]
        assert (targets == expected[0]).all()
        assert (weights == expected[1]).all()
