"""The loss of each policy that has a name, and of a mix of them, against one that is written down in NumPy."""

from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from tiny_network import tiny_network

from cxr_core.schema import LABELS
from cxr_core.training.accelerators import strategy_for
from cxr_core.training.options import TrainOptions
from cxr_core.training.row_targets import as_units
from cxr_core.training.run_tables import tables_for
from cxr_core.uncertainty import Policy, kind_policy, named_policy, uniform_policy

pytestmark = pytest.mark.tensorflow
IMAGES, N = 24, len(LABELS)
RANDOM = np.random.default_rng(17)
CODES = RANDOM.integers(-1, 4, (IMAGES, N))
OWN = np.where(RANDOM.random((IMAGES, N)) < 0.3, np.nan, RANDOM.random((IMAGES, N)))
SHARES = tuple(np.round(RANDOM.random(N), 4).tolist())
ONES, ZEROS = (1.0,) * N, (0.0,) * N


class Batch(NamedTuple):
    """What a loss is made of, each (images, labels): the network's output, the third class's, and what was drawn."""

    present: np.ndarray
    uncertain: np.ndarray
    drawn: np.ndarray


def cross_entropy(target, z):
    return -(target * np.log(1 / (1 + np.exp(-z))) + (1 - target) * np.log(1 / (1 + np.exp(z))))


def pair(u, w, blank=(0.0, 1.0)):
    """The terms of a label with these numbers."""

    def term(code, z, *_more):
        target, weight = {0: blank, 1: (0.0, 1.0), 2: (u, w), 3: (1.0, 1.0)}[code]
        return weight * cross_entropy(target, z)

    return term


def of_image(code, z, _a, own, _drawn):
    if code == 2:
        return 0.0 if np.isnan(own) else cross_entropy(own, z)
    return cross_entropy(float(code == 3), z)


def of_range(code, z, _a, _own, drawn):
    return cross_entropy(drawn if code == 2 else float(code == 3), z)


def of_three(code, z, a, *_more):
    odds = np.exp([0.0, a, z])
    return -np.log(odds[{0: 0, 1: 0, 2: 1, 3: 2}[code]] / odds.sum())


def plain_loss(terms, batch):
    """The mean over the labels that there are."""
    total = sum(
        terms[label](CODES[image, label], *(part[image, label] for part in (*batch[:2], OWN, batch.drawn)))
        for image, label in np.argwhere(CODES >= 0)
    )
    return total / (CODES >= 0).sum()


MIX = Policy(
    "mine",
    (0.55,) * 2 + (0.0,) * 6 + (0.3,) * 6,
    (1.0,) * 2 + (0.0,) * 6 + (0.8,) * 6,
    (0.0,) * 12 + (0.1, 0.2),
    (1.0,) * 10 + (0.0, 0.0, 0.5, 0.25),
    u_to=(0.85,) * 2 + (0.0,) * 6 + (0.3,) * 6,
    kinds=("",) * 2 + ("three-class",) * 2 + ("soft",) * 2 + ("self-trained:one",) * 2 + ("",) * 6,
)
OF_MIX = [of_range] * 2 + [of_three] * 2 + [of_image] * 4 + [pair(0.3, 0.8)] * 2
OF_MIX += [pair(0.3, 0.8, (0.0, 0.0))] * 2 + [pair(0.3, 0.8, (0.1, 0.5)), pair(0.3, 0.8, (0.2, 0.25))]
POLICIES = {
    "ignore": (named_policy("ignore"), [pair(0.0, 0.0)] * N),
    "negative": (named_policy("negative"), [pair(0.0, 1.0)] * N),
    "positive": (named_policy("positive"), [pair(1.0, 1.0)] * N),
    "hybrid": (named_policy("hybrid"), [pair(0.5, 0.25)] * N),
    "custom": (uniform_policy(0.4, 0.75), [pair(0.4, 0.75)] * N),
    "estimated": (Policy("estimated", SHARES, ONES), [pair(share, 1.0) for share in SHARES]),
    "from-readings": (Policy("from-readings", SHARES[::-1], ONES), [pair(share, 1.0) for share in SHARES[::-1]]),
    "mask-blanks": (named_policy("mask-blanks"), [pair(0.0, 0.0, (0.0, 0.0))] * N),
    "smoothed": (named_policy("smoothed"), [of_range] * N),
    "three-class": (named_policy("three-class"), [of_three] * N),
    "soft": (named_policy("soft"), [of_image] * N),
    "self-trained": (kind_policy("self-trained:one"), [of_image] * N),
    "learned": (named_policy("learned"), [pair(0.5, 0.5)] * N),
    "a mix": (MIX, OF_MIX),
}


class Told:
    """What tables ask of a run's data."""

    uncertain = LABELS
    steps_per_epoch = 10

    def class_factors(self):
        return None


@pytest.mark.parametrize("name", POLICIES)
def test_the_loss_of_a_policy_is_that_of_plain_numpy(name):
    policy, terms = POLICIES[name]
    network = tiny_network("", 32)
    with strategy_for("cpu").scope():
        tables = tables_for(TrainOptions(policy=policy, seed=3), tf.distribute.get_strategy(), network, Told())
    state = tables.arrays()
    if "uncertain_kernel" in state:
        tables.restore({one: RANDOM.normal(0, 1, array.shape).astype(np.float32) for one, array in state.items()})
    images = RANDOM.random((IMAGES, 32, 32, 1)).astype(np.float32)
    beside = tf.constant(np.concatenate([CODES, as_units(OWN)], axis=1).astype(np.int32))
    codes = beside if policy.by_image else beside[:, :N]
    loss = float(tables.loss(network, images, codes, False))

    features = tf.keras.Model(network.inputs[0], network.layers[-1].input)(images, training=False).numpy()
    kernel, bias = [one.numpy() for one in tables.trainable] if "uncertain_kernel" in state else (0 * features.T, 0)
    uncertain = features @ kernel + bias if "uncertain_kernel" in state else np.zeros((IMAGES, N))
    drawn = tables.of(codes)[0].numpy().astype(np.float64)
    for label in np.flatnonzero(np.array(policy.upper) > np.array(policy.u)):
        of_label = drawn[CODES[:, label] == 2, label]
        assert of_label.min() >= 0.55 - 1e-7
        assert of_label.max() <= 0.85 + 1e-7
    present = network(images, training=False).numpy().astype(np.float64)
    assert loss == pytest.approx(plain_loss(terms, Batch(present, uncertain, drawn)), rel=2e-6)
