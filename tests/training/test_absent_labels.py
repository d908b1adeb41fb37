"""A label that a data set lacks is no element of the loss: not a negative, and nothing of the mean."""

import numpy as np
import pytest
import tensorflow as tf
from random_records import random_record, write_random_records

from cxr_core.records.example import Record, encode
from cxr_core.records.tfrecord import write_records
from cxr_core.schema import ABSENT, LABELS
from cxr_core.training.look_ahead import targets_and_weights
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.pipeline import look_up, training_batches
from cxr_core.training.pixels import PixelFormat
from cxr_core.training.record_order import RecordFiles
from cxr_core.training.validation import validation_figures
from cxr_core.uncertainty import uniform_policy

pytestmark = pytest.mark.tensorflow
POLICY = uniform_policy(0.4, 0.75)


def codes_and_logits(images=40, absent=(), seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (images, 14)).astype(np.int32)
    codes[:, list(absent)] = ABSENT
    return codes, rng.normal(size=(images, 14)).astype(np.float32)


def loss_by_hand(codes, logits):
    """The mean over the elements that exist, one by one."""
    terms = []
    for row, scores in zip(codes, logits.astype(float), strict=True):
        for code, z in zip(row, scores, strict=True):
            if code == ABSENT:
                continue
            target, weight = {0: (0, 1), 1: (0, 1), 2: (0.4, 0.75), 3: (1, 1)}[int(code)]
            p = 1 / (1 + np.exp(-z))
            terms.append(-weight * (target * np.log(p) + (1 - target) * np.log(1 - p)))
    return np.mean(terms)


def loss_of(codes, logits):
    targets, weights = (
        look_up(tf.constant(table), tf.constant(codes)) for table in (POLICY.targets(), POLICY.weights())
    )
    return weighted_cross_entropy(targets, weights, logits, codes)


def test_the_loss_is_the_mean_over_what_exists():
    codes, logits = codes_and_logits(absent=(0, 3, 5, 13))
    assert float(loss_of(codes, logits)) == pytest.approx(loss_by_hand(codes, logits), rel=1e-6)
    figures = validation_figures(logits, codes, POLICY)
    assert figures.loss == pytest.approx(loss_by_hand(codes, logits), rel=1e-9)
    assert [figures.aucs[LABELS[place]] for place in (0, 3, 5, 13)] == [None] * 4


def test_with_all_labels_nothing_changes_to_the_bit():
    codes, logits = codes_and_logits()
    targets, weights = POLICY.targets()[codes, np.arange(14)], POLICY.weights()[codes, np.arange(14)]
    plain = tf.reduce_mean(weights * tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))
    assert loss_of(codes, logits).numpy().tobytes() == plain.numpy().tobytes()


def test_absent_labels_move_no_output_and_the_others_as_if_they_were_alone():
    codes, logits = codes_and_logits(absent=(1, 2))
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = loss_of(codes, variable)
    gradient = tape.gradient(loss, variable).numpy()
    assert (gradient[:, [1, 2]] == 0).all()
    assert (np.abs(np.delete(gradient, [1, 2], axis=1)).sum(axis=0) > 0).all()


def test_a_learned_policy_gives_absent_labels_no_weight():
    codes, _ = codes_and_logits(absent=(4,))
    half = tf.fill([14], 0.5)
    targets, weights = targets_and_weights(tf.constant(codes), half, half)
    assert (weights.numpy()[:, 4] == 0).all() and (targets.numpy()[:, 4] == 0).all()
    assert (weights.numpy()[:, 5] > 0).all()


def test_records_without_a_label_come_as_absent_and_a_code_below_0_is_still_refused(tmp_path):
    records = [random_record(seed) for seed in range(4)]
    kept = [
        encode(
            Record(
                r.jpg, {label: code for label, code in r.labels.items() if label not in ("edema", "fracture")}, r.keys
            )
        )
        for r in records
    ]
    write_records(tmp_path / "frontal-00000-of-00001", kept)
    files = RecordFiles.of([tmp_path / "frontal-00000-of-00001"])
    for _, codes in training_batches(files, PixelFormat(32, "full"), 4, 0, 0):
        absent = (codes.numpy() == ABSENT).all(axis=0)
        assert [LABELS[place] for place in np.flatnonzero(absent)] == ["edema", "fracture"]
        assert (codes.numpy()[:, ~absent] >= 0).all()
    write_records(
        tmp_path / "wrong", [encode(Record(records[0].jpg, records[0].labels | {"edema": -1}, records[0].keys))] * 4
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="A label must be 0, 1, 2 or 3"):
        list(training_batches(RecordFiles.of([tmp_path / "wrong"]), PixelFormat(32, "full"), 4, 0, 0))


def test_the_model_names_the_outputs_that_no_training_image_taught(tmp_path):
    from cxr_core.training.options import TrainOptions
    from cxr_core.training.run_data import RunData

    write_random_records(tmp_path / "valid", 4)
    few = [
        encode(Record(random_record(seed).jpg, {"edema": 1, "fracture": 3}, random_record(seed).keys))
        for seed in range(4)
    ]
    write_records(tmp_path / "train", few)
    valid = RecordFiles.of(sorted((tmp_path / "valid").iterdir()))
    data = RunData(TrainOptions(batch_size=2, image_size=32), RecordFiles.of([tmp_path / "train"]), valid, 4)
    assert data.untrained == tuple(label for label in LABELS if label not in ("edema", "fracture"))
