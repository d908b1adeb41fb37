"""Decay, clipping, averages, dropout, class weights and variation: their algebra, and that a resumed run has them too."""

from dataclasses import fields, replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from random_records import random_codes, write_random_records
from stopping_reporter import Reporter, timeless
from test_loop import OPTIONS, STEPS_PER_EPOCH, assert_same_weights, stored_weights
from tiny_network import tiny_network

from cxr_core.records.label_counts import label_counts
from cxr_core.training import loop
from cxr_core.training.adam import Adam
from cxr_core.training.augmentation import Extent, augmented
from cxr_core.training.class_weights import balancing_factors, with_factors
from cxr_core.training.dropout import StepDropout
from cxr_core.training.loss import weighted_cross_entropy_of_arrays
from cxr_core.training.options import TrainOptions
from cxr_core.training.recipe_options import RecipeOptions
from cxr_core.training.weight_average import WeightAverage
from cxr_core.uncertainty import uniform_policy

pytestmark = pytest.mark.tensorflow
EVERYTHING = {
    "schedule": "plateau",
    "plateau_epochs": 1,
    "warm_up": 0.5,
    "weight_decay": 0.1,
    "clip_norm": 0.5,
    "ema": 0.9,
    "dropout": 0.5,
    "class_weights": "balanced",
    "augment": True,
    "largest_turn": 20.0,
}


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    return write_random_records(folder / "train", 22, shards=3), write_random_records(folder / "valid", 6, first=1000)


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """A function (chosen options, call of `cancelled` that stops it) -> reporter and result."""

    def run(chosen, stop_at=None, folder=None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "build_network", tiny_network)
            reporter = Reporter(folder or tmp_path_factory.mktemp("runs") / "run", stop_at)
            return reporter, loop.train(replace(OPTIONS, **chosen), *records, reporter)

    return run


@pytest.fixture(scope="module")
def with_everything(trained):
    return trained(EVERYTHING)


def test_the_stated_defaults_train_as_if_nothing_was_stated(trained):
    defaults = {one.name: one.default for one in fields(RecipeOptions)}
    (plain, _), (stated, _) = trained({"epochs": 1}), trained({"epochs": 1} | defaults)
    assert_same_weights(plain.folder / "last.h5", stated.folder / "last.h5")
    assert timeless(plain.rows()) == timeless(stated.rows())
    (newest,) = list((plain.folder / "checkpoints").glob("*epoch-00001.npz"))
    with np.load(newest) as file:
        # 6 variables that are trained, 2 averages of batch norm; Adam's count and two moments of each trained one.
        assert sorted(name[:9] for name in file.files) == sorted(["network_0"] * 8 + ["optimizer"] * 13 + ["position"])


@pytest.mark.parametrize("stop_at", [STEPS_PER_EPOCH + 1, pytest.param(STEPS_PER_EPOCH + 6, marks=pytest.mark.whole)])
def test_a_resumed_run_ends_to_the_bit_with_every_part_of_the_recipe(trained, with_everything, stop_at):
    """Stopped within a validation, which has the averages in place, and within the second epoch."""
    whole, expected = with_everything
    run, stopped = trained(EVERYTHING, stop_at)
    assert stopped.status == "cancelled"
    _, resumed = trained(EVERYTHING, folder=run.folder)
    assert_same_weights(resumed.last_model, expected.last_model)
    assert_same_weights(resumed.best_model, expected.best_model)
    assert timeless(run.rows()) == timeless(whole.rows())


def test_the_rates_of_a_run_stand_in_its_rows_and_its_model_is_the_average(with_everything):
    run, result = with_everything
    rates = [row["learning_rate"] for row in run.rows() if "loss" in row]
    # Half an epoch of 5 steps is 2 steps.
    np.testing.assert_allclose(rates[:5], np.array([0, 0.5, 1, 1, 1]) * OPTIONS.learning_rate)
    with np.load(max((run.folder / "checkpoints").iterdir())) as file:
        own = file["network_00000"]
        average = file["optimizer_00013"]
    kept = stored_weights(result.last_model)
    np.testing.assert_array_equal(
        next(array for name, array in kept.items() if "conv/" in name and array.ndim == 4), average
    )
    assert (own != average).any()


def test_decay_and_clipping_are_those_of_keras():
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=4).astype(np.float32)]
    ours, theirs = [keras.Variable(one, name=f"v{one.ndim}") for one in starts], [keras.Variable(one) for one in starts]
    adam = Adam(ours, 0.01, weight_decay=0.2, clip_norm=1.5)
    reference = keras.optimizers.AdamW(0.01, weight_decay=0.2, epsilon=1e-8, global_clipnorm=1.5)
    reference.exclude_from_weight_decay(var_list=[theirs[1]])
    for _ in range(5):
        gradients = [tf.constant(rng.normal(size=one.shape).astype(np.float32)) for one in starts]
        adam.apply(gradients)
        reference.apply_gradients(list(zip(gradients, theirs, strict=True)))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-5, atol=1e-6)


def test_the_average_is_tensorflows_and_is_in_place_only_meanwhile():
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    average = WeightAverage(network, 0.9)
    reference = tf.Variable(np.asarray(network.layers[0].kernel))
    kernel = network.layers[0].kernel
    for step in range(1, 30):
        kernel.assign(np.full((2, 1), step, np.float32))
        average.update(tf.constant(step, tf.int64))
        share = min(0.9, (1 + step) / (10 + step))
        reference.assign(share * reference + (1 - share) * kernel.value)
    with average.in_place():
        np.testing.assert_allclose(np.asarray(kernel), np.asarray(reference), rtol=1e-5)
    assert np.asarray(kernel).tolist() == [[29.0], [29.0]]


def test_dropout_drops_its_share_anew_in_each_step_and_none_when_predicting():
    layer, steps = StepDropout(0.25), tf.Variable(0, dtype=tf.int64)
    layer.draw_by(7, steps)
    features = tf.ones((200, 50))
    first, again = np.asarray(layer(features, training=True)), np.asarray(layer(features, training=True))
    np.testing.assert_array_equal(first, again)
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.75)}
    # 10,000 draws: the standard error of the share is .0043.
    assert (first == 0).mean() == pytest.approx(0.25, abs=0.02)
    steps.assign(1)
    assert (np.asarray(layer(features, training=True)) != first).any()
    np.testing.assert_array_equal(np.asarray(layer(features, training=False)), 1.0)


def test_class_weights_are_the_weighted_loss_for_any_target():
    rng = np.random.default_rng(1)
    z, t, w = rng.normal(size=(9, 14)) * 3, rng.random((9, 14)), rng.random((9, 14))
    factors = rng.random(14) * 20
    chance = 1 / (1 + np.exp(-z))
    expected = -(w * (factors * t * np.log(chance) + (1 - t) * np.log(1 - chance))).mean()
    assert weighted_cross_entropy_of_arrays(*with_factors(t, w, factors), z) == pytest.approx(expected, rel=1e-9)


def test_balanced_positives_weigh_as_much_as_the_negatives_in_the_training_records(records):
    codes = random_codes(22)
    counts = label_counts([str(path) for path in records[0]])
    np.testing.assert_array_equal(counts, [(codes == value).sum(axis=0) for value in range(4)])
    factors = balancing_factors(counts, uniform_policy(0.4, 0.75))
    np.testing.assert_allclose(factors, ((codes == 0) | (codes == 1)).sum(axis=0) / (codes == 3).sum(axis=0), rtol=1e-6)
    assert balancing_factors(counts * [[1], [1], [1], [0]], uniform_policy(0.4, 0.75)).tolist() == [1.0] * 14
    assert balancing_factors(np.array([[10**6], [0], [0], [1]]) * np.ones(14, int), uniform_policy(0, 0)).max() == 100


def test_images_are_varied_as_far_as_is_asked():
    images = np.random.default_rng(3).integers(0, 256, (4, 32, 32, 1)).astype(np.uint8)
    batches = tf.data.Dataset.from_tensors((images, np.zeros((4, 14), np.int32)))

    def distance(extent):
        ((changed, _),) = augmented(batches, (1, 0, 0), 0, extent)
        return float(np.abs(np.asarray(changed).astype(int) - images).mean())

    assert distance(Extent(0, 0, 0, 0)) == 0
    assert 0 < distance(Extent(0, 0, 0, 0.05)) < distance(Extent(0, 0, 0, 0.5))
    assert distance(Extent(45, 0, 0, 0)) > 0
    assert Extent() == Extent(
        *(getattr(TrainOptions(), f"largest_{part}") for part in ("turn", "shift", "zoom", "contrast"))
    )
