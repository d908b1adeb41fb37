"""Ranges, three classes and a u of each image: what is drawn, and that a run with all of them resumes to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from random_records import random_codes, random_record, write_random_records
from stopping_reporter import Reporter
from tiny_network import tiny_network

from cxr_core.records.example import encode
from cxr_core.records.tfrecord import write_shards
from cxr_core.schema import LABELS
from cxr_core.training import loop
from cxr_core.training.kind_tables import KindTables
from cxr_core.training.options import TrainOptions
from cxr_core.training.row_targets import as_units, write_row_targets
from cxr_core.uncertainty import Policy, kind_policy, named_policy

pytestmark = pytest.mark.tensorflow
OPTIONS = TrainOptions(architecture="densenet-small", image_size=32, batch_size=6, epochs=2, seed=5)
N_TRAIN, N_VALID, UNCERTAIN = 25, 10, 2
NONE = (0.0,) * 14


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    valid = write_random_records(folder / "valid", N_VALID, shards=1, first=1000)
    return write_random_records(folder / "train", N_TRAIN, shards=2), valid


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    """Train with a policy, and each image's own u where it has any; return the reporter and the newest checkpoint."""
    folder = tmp_path_factory.mktemp("runs")

    def started(name, policy, rows=None, stop_at=None, of=records, **further):
        reporter = Reporter(folder / name, stop_at)
        if rows is not None:
            write_row_targets(reporter.folder, as_units(rows))
        loop.train(replace(OPTIONS, policy=policy, **further), *of, reporter)
        newest = sorted((reporter.folder / "checkpoints").iterdir())[-1]
        return reporter, np.load(newest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build_network", tiny_network)
        yield started


def same(one, other):
    assert set(one.files) == set(other.files)
    return all(np.array_equal(one[name], other[name]) for name in one.files if name != "position")


def test_a_range_is_drawn_from_evenly_anew_in_each_step_and_alike_for_the_same_seed():
    codes = tf.fill((4000, 14), UNCERTAIN)
    network = tiny_network("", 32)

    def drawn(seed, step):
        tables = KindTables(named_policy("smoothed"), network, seed, ())
        tables.before_step(step, None, None)
        targets, weights = tables.of(codes)
        assert (weights.numpy() == 1).all()
        return targets.numpy()

    first = drawn(1, 0)
    assert first.min() >= np.float32(0.55)
    assert first.max() <= np.float32(0.85)
    # The mean and the deviation of an even distribution, within five standard errors.
    assert first.mean() == pytest.approx(0.70, abs=5 * 0.3 / np.sqrt(12 * first.size))
    assert first.std() == pytest.approx(0.3 / np.sqrt(12), rel=0.02)
    np.testing.assert_array_equal(first, drawn(1, 0))
    assert (first != drawn(1, 1)).mean() > 0.99
    assert (first != drawn(2, 0)).mean() > 0.99


def test_only_uncertain_images_of_a_label_with_a_range_are_drawn_for():
    policy = Policy("mine", (0.0, *(0.3,) * 13), (1.0,) * 14, u_to=(0.3, *(0.3,) * 13))
    codes = random_codes(20)
    targets, weights = KindTables(policy, tiny_network("", 32), 1, ()).of(tf.constant(codes))
    expected = np.where(codes == UNCERTAIN, np.float32(0.3), (codes == 3).astype(np.float32))
    np.testing.assert_array_equal(targets.numpy()[:, 1:], expected[:, 1:])
    certain = codes[:, 0] != UNCERTAIN
    np.testing.assert_array_equal(targets.numpy()[certain, 0], expected[certain, 0])
    assert (weights.numpy() == 1).all()


@pytest.mark.parametrize(("u", "name"), [pytest.param(0.0, "negative", marks=pytest.mark.whole), (1.0, "positive")])
def test_self_trained_on_0_or_1_is_negative_or_positive_to_the_bit(run, u, name):
    own, weights = run(f"self-trained {u}", kind_policy("self-trained:one"), np.full((N_TRAIN, 14), u))
    fixed, expected = run(name, named_policy(name))
    assert own.losses() == fixed.losses()
    assert same(weights, expected)


def test_three_classes_of_a_label_that_is_never_uncertain_are_two(run, tmp_path):
    made = [random_record(seed) for seed in range(N_TRAIN)]
    edema = LABELS.index("edema")
    for record in made:
        record.labels["edema"] = {2: 0}.get(record.labels["edema"], record.labels["edema"])
    train = write_shards(tmp_path, "frontal", [encode(record) for record in made], 2)
    kinds = tuple("three-class" if place == edema else "" for place in range(14))
    valid = write_random_records(tmp_path / "valid", N_VALID, shards=1, first=1000)
    _, three = run("three", Policy("mine", NONE, NONE, kinds=kinds), of=(train, valid))
    _, two = run("two", named_policy("ignore"), of=(train, valid))
    for name in two.files:
        if name.startswith("network_"):
            np.testing.assert_allclose(three[name], two[name], atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def mixed():
    """A third of the labels each: a range, three classes, a u of each image."""
    kinds = ("",) * 5 + ("three-class",) * 5 + ("soft", "self-trained:one") * 2
    low, high = (0.55,) * 5 + (0.0,) * 9, (0.85,) * 5 + (0.0,) * 9
    return Policy("mixed", low, (1.0,) * 5 + (0.0,) * 9, u_to=high, kinds=kinds)


@pytest.mark.parametrize("cache", [pytest.param("off", marks=pytest.mark.whole), "on"])
def test_a_run_with_every_kind_goes_on_to_the_bit(run, mixed, cache):
    rows = np.random.default_rng(1).random((N_TRAIN, 14))
    whole, expected = run(f"whole {cache}", mixed, rows, cache=cache)
    name = f"stopped {cache}"
    stopped, _ = run(name, mixed, rows, stop_at=3, cache=cache)
    assert len(stopped.losses()) < len(whole.losses())
    resumed, weights = run(name, mixed, cache=cache)
    assert resumed.losses() == whole.losses()
    assert same(weights, expected)
    assert {"policy_uncertain_kernel", "policy_uncertain_bias"} <= set(weights.files)
