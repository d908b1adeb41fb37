"""Learning u and w by a look-ahead: its gradients against brute force, and what it finds on data whose truth is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cxr_core.schema import LABELS, Value
from cxr_core.training.learned_policy import is_due
from cxr_core.training.look_ahead import functional_logits, look_ahead, targets_and_weights
from cxr_core.training.loss import weighted_cross_entropy
from cxr_core.training.policy_learner import PolicyLearner
from cxr_core.uncertainty import named_policy, uniform_policy

pytestmark = pytest.mark.tensorflow

N = len(LABELS)
#: P(positive | uncertain) of each label of the made data.
KNOWN = np.array([0.1, 0.9] * 7)
RATE = 0.01


def made_data(count, seed):
    """Images of 14 numbers, one for each label, about -1 where it is absent and 1 where it is present; codes."""
    rng = np.random.default_rng(seed)
    present = rng.random((count, N)) < 0.5
    # 30 % are uncertain, and of these a share KNOWN is present.
    chance = np.where(present, 0.3 * KNOWN / 0.5, 0.3 * (1 - KNOWN) / 0.5)
    uncertain = rng.random((count, N)) < chance
    codes = np.where(uncertain, Value.uncertain, np.where(present, Value.positive, Value.negative))
    images = np.where(present, 1.0, -1.0) + rng.normal(0, 0.4, (count, N))
    return images.astype(np.float32), codes.astype(np.int32)


def small_network(seed=0, normalised=True):
    keras.utils.set_random_seed(seed)
    inputs = keras.layers.Input((N,))
    hidden = keras.layers.Dense(24)(inputs)
    hidden = keras.layers.BatchNormalization()(hidden) if normalised else hidden
    return keras.Model(inputs, keras.layers.Dense(N)(keras.layers.Activation("tanh")(hidden)))


def values_of(network):
    return [variable.value for variable in network.trainable_variables]


def gradients_of(logits, values, images, codes, u, w):
    """The training loss's gradients, the batch norm averages left alone."""
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = weighted_cross_entropy(*targets_and_weights(codes, u, w), logits(values, images))
    return tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def loss_after_virtual_step(logits, values, batch, held_out, u, w, rate):
    """The certain labels' loss on the held-out batch after a step with u and w, by doing it."""
    gradients = gradients_of(logits, values, *batch, tf.constant(u, tf.float32), tf.constant(w, tf.float32))
    ahead = [value - rate * gradient for value, gradient in zip(values, gradients, strict=True)]
    found = logits(ahead, held_out[0]).numpy().astype(np.float64)
    certain = held_out[1] != Value.uncertain
    present = held_out[1] == Value.positive
    return np.mean(certain * (np.logaddexp(0, found) - present * found))


@pytest.fixture(scope="module")
def looked():
    """A look-ahead of a large virtual step, so that brute force can see its effect, and all that it was made of."""
    network, rate = small_network(), 5.0
    batch, held_out = made_data(64, 1), made_data(64, 2)
    u, w = np.linspace(0.2, 0.8, N).astype(np.float32), np.linspace(0.9, 0.3, N).astype(np.float32)
    logits, values = functional_logits(network), values_of(network)
    found = look_ahead(logits, values, batch, held_out, tf.constant(u), tf.constant(w), rate)
    return logits, values, batch, held_out, u, w, rate, *(one.numpy() for one in found)


def test_the_gradient_of_u_is_not_zero_where_an_uncertain_label_is_in_the_batch(looked):
    *_, of_u, of_w, seen = looked
    assert seen.all()
    assert (np.abs(of_u) > 0).all()
    assert (np.abs(of_w) > 0).all()


@pytest.mark.parametrize("which", ["u", "w"])
def test_the_gradients_are_those_of_brute_force(looked, which):
    logits, values, batch, held_out, u, w, rate, of_u, of_w, _ = looked
    found = []
    for label in range(N):
        losses = []
        for sign in (1, -1):
            moved = {"u": u.astype(float), "w": w.astype(float)}
            moved[which][label] += sign * 0.1
            losses.append(loss_after_virtual_step(logits, values, batch, held_out, **moved, rate=rate))
        found.append((losses[0] - losses[1]) / 0.2)
    expected = of_u if which == "u" else of_w
    assert np.corrcoef(found, expected)[0, 1] > 0.999
    np.testing.assert_allclose(expected, found, rtol=0.05, atol=0.02 * np.abs(found).max())


def test_the_certain_loss_itself_does_not_depend_on_u():
    network = small_network(normalised=False)
    images, codes = made_data(64, 1)
    u = tf.Variable(np.full(N, 0.5, np.float32))
    with tf.GradientTape() as tape:
        loss = weighted_cross_entropy(*targets_and_weights(codes, u, tf.zeros(N)), network(images))
    assert not np.any(tape.gradient(loss, u))


def test_a_look_ahead_leaves_the_network_as_it_was():
    network = small_network()
    before = [variable.value.numpy() for variable in network.variables]
    batch, held_out, u = made_data(32, 1), made_data(32, 2), tf.fill([N], 0.5)
    look_ahead(functional_logits(network), values_of(network), batch, held_out, u, u, RATE)
    for variable, array in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(variable.value.numpy(), array)


def trained(network, epochs, size=64):
    """Train on made data with a learned policy, as the training loop does, and return the learner."""
    images, codes = made_data(3200, 3)
    optimizer, learner, logits = (
        keras.optimizers.Adam(0.01),
        PolicyLearner(named_policy("learned")),
        functional_logits(network),
    )
    optimizer.build(network.trainable_variables)

    @tf.function
    def ahead(images, codes, u, w):
        half = size // 2
        batch, held_out = (images[:half], codes[:half]), (images[half:], codes[half:])
        return look_ahead(logits, values_of(network), batch, held_out, u, w, RATE)

    @tf.function
    def step(images, codes, u, w):
        with tf.GradientTape() as tape:
            loss = weighted_cross_entropy(*targets_and_weights(codes, u, w), network(images, training=True))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))

    per_epoch = len(images) // size
    for number in range(epochs * per_epoch):
        if number % per_epoch == 0:
            order = np.random.default_rng(number).permutation(len(images))
        rows = order[number % per_epoch * size :][:size]
        if is_due(number, per_epoch, epochs * per_epoch):
            learner.learn(*(one.numpy() for one in ahead(images[rows], codes[rows], learner.u, learner.w)))
        step(images[rows], codes[rows], learner.u, learner.w)
    return learner


def test_u_moves_to_the_known_share_of_positives_among_the_uncertain():
    learner = trained(small_network(), epochs=9)
    low, high = learner.u[KNOWN == 0.1], learner.u[KNOWN == 0.9]
    assert (low < 0.35).all(), low
    assert (high > 0.65).all(), high
    assert low.mean() < 0.25
    assert high.mean() > 0.75


def test_u_and_w_stay_between_zero_and_one_and_a_label_that_was_not_seen_stays():
    learner = PolicyLearner(named_policy("learned"))
    seen = np.arange(N) != 3
    gradient = np.where(np.arange(N) % 2, 1e-9, -1e3)
    for _ in range(60):
        learner.learn(gradient, -gradient, seen)
    learner.end_epoch()
    np.testing.assert_array_equal(learner.u, np.where(seen, np.where(np.arange(N) % 2, 0, 1), 0.5).astype(np.float32))
    # 60 equal gradients are the root of 60 spreads, which is cut at 2: w moves by 0.2.
    expected = np.where(seen, np.where(np.arange(N) % 2, 0.7, 0.3), 0.5)
    np.testing.assert_allclose(learner.w, expected, atol=1e-6)
    learner.end_epoch()
    np.testing.assert_allclose(learner.w, expected, atol=1e-6)


def test_the_first_move_of_u_is_one_step_against_the_gradient_whatever_its_size():
    learner = PolicyLearner(uniform_policy(0.5, 0.5))
    learner.learn(np.geomspace(1e-8, 1e2, N), np.zeros(N), np.ones(N, bool))
    np.testing.assert_allclose(learner.u, 0.5 - 0.03 / np.sqrt(1 + 1 / 50), rtol=1e-5)


def test_a_learner_goes_on_from_its_state_to_the_bit():
    one, other = PolicyLearner(named_policy("learned")), PolicyLearner(named_policy("learned"))
    rng = np.random.default_rng(0)
    draws = [(rng.normal(size=N), rng.normal(size=N), rng.random(N) < 0.7) for _ in range(20)]
    for draw in draws[:10]:
        one.learn(*draw)
    other.restore(one.state())
    for draw in draws[10:]:
        one.learn(*draw)
        other.learn(*draw)
    one.end_epoch()
    other.end_epoch()
    assert one.policy() == other.policy()
    assert all(np.array_equal(one.state()[name], other.state()[name]) for name in one.state())
    assert one.policy().is_learned
    assert one.row() == {"u": list(one.policy().u), "w": list(one.policy().w)}


def test_u_rests_in_the_first_epoch_or_quarter_and_moves_at_every_second_step():
    assert [step for step in range(20) if is_due(step, 7, 40)] == [8, 10, 12, 14, 16, 18]
    assert [step for step in range(12) if is_due(step, 12, 12)] == [4, 6, 8, 10]
