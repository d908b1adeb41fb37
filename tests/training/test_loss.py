import numpy as np
import pytest
import tensorflow as tf

from cxr_core.training.loss import weighted_cross_entropy, weighted_cross_entropy_of_arrays
from cxr_core.training.pipeline import look_up
from cxr_core.training.validation import validation_figures
from cxr_core.uncertainty import Policy, named_policy, uniform_policy

pytestmark = pytest.mark.tensorflow


def notebook_loss(codes, logits, u, w):
    """The notebook's formula, element by element: lookup tables, sigmoid, cross-entropy, mean over all elements."""
    total = 0.0
    for code, logit in zip(codes.ravel(), logits.ravel().astype(np.float64), strict=True):
        target = (0.0, 0.0, u, 1.0)[code]
        weight = (1.0, 1.0, w, 1.0)[code]
        p = 1 / (1 + np.exp(-logit))
        total += weight * -(target * np.log(p) + (1 - target) * np.log1p(-p))
    return total / codes.size


@pytest.mark.parametrize(("u", "w"), [(0, 0), (0, 1), (1, 1), (0.5, 0.25)])
@pytest.mark.parametrize("kind", ["mixed", "all uncertain", "none uncertain"])
def test_the_loss_is_the_notebooks_formula(u, w, kind):
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (32, 14))
    codes = {"mixed": codes, "all uncertain": np.full_like(codes, 2), "none uncertain": np.where(codes == 2, 0, codes)}[
        kind
    ]
    logits = rng.normal(0, 3, (32, 14)).astype(np.float32)
    policy = uniform_policy(u, w)
    targets = tf.stack([look_up(policy.targets(), tf.constant(row)) for row in codes])
    weights = tf.stack([look_up(policy.weights(), tf.constant(row)) for row in codes])
    expected = notebook_loss(codes, logits, u, w)
    assert float(weighted_cross_entropy(targets, weights, logits)) == pytest.approx(expected, rel=1e-6)
    assert weighted_cross_entropy_of_arrays(targets.numpy(), weights.numpy(), logits) == pytest.approx(
        expected, rel=1e-6
    )
    if kind == "all uncertain" and w == 0:
        assert expected == 0


@pytest.mark.parametrize("absent", [False, True], ids=["all labels", "two labels absent"])
def test_the_loss_of_blanks_is_that_of_a_plain_loop(absent):
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, (16, 14))
    codes[:, [3, 9]] = -1 if absent else codes[:, [3, 9]]
    logits = rng.normal(0, 3, (16, 14)).astype(np.float32)
    u, w, blank_u, blank_w = rng.random((4, 14))
    policy = Policy("mine", *(tuple(row.tolist()) for row in (u, w, blank_u, blank_w)))
    total = 0.0
    for image, label in np.argwhere(codes >= 0):
        target = (blank_u[label], 0.0, u[label], 1.0)[codes[image, label]]
        weight = (blank_w[label], 1.0, w[label], 1.0)[codes[image, label]]
        p = 1 / (1 + np.exp(-float(logits[image, label])))
        total -= weight * (target * np.log(p) + (1 - target) * np.log1p(-p))
    expected = total / (codes >= 0).sum()
    targets, weights = (look_up(table, tf.constant(codes)) for table in (policy.targets(), policy.weights()))
    assert float(weighted_cross_entropy(targets, weights, logits, tf.constant(codes))) == pytest.approx(
        expected, rel=1e-5
    )
    assert validation_figures(logits, codes, policy).loss == pytest.approx(expected, rel=1e-5)


def test_masked_blanks_move_nothing():
    codes = np.array([[0, 1, 2, 3] + [0] * 10])
    logits = tf.Variable(np.linspace(-2, 2, 14, dtype=np.float32)[None])
    policy = named_policy("mask-blanks")
    with tf.GradientTape() as tape:
        targets, weights = (look_up(table, tf.constant(codes)) for table in (policy.targets(), policy.weights()))
        loss = weighted_cross_entropy(targets, weights, logits)
    moved = tape.gradient(loss, logits).numpy()[0]
    p = 1 / (1 + np.exp(-logits.numpy()[0].astype(np.float64)))
    expected = np.zeros(14)
    expected[1], expected[3] = p[1] / 14, (p[3] - 1) / 14
    np.testing.assert_allclose(moved, expected, rtol=1e-5)


def test_the_loss_is_that_of_tensorflow_1s_function():
    rng = np.random.default_rng(2)
    targets, weights = rng.random((2, 8, 14)).astype(np.float32)
    logits = rng.normal(0, 20, (8, 14)).astype(np.float32)
    old = tf.compat.v1.losses.sigmoid_cross_entropy(
        targets, logits, weights, reduction=tf.compat.v1.losses.Reduction.SUM_OVER_BATCH_SIZE
    )
    assert float(weighted_cross_entropy(targets, weights, logits)) == pytest.approx(float(old), rel=1e-6)


def test_large_logits_give_finite_losses():
    logits = np.array([[1000.0, -1000.0]])
    assert weighted_cross_entropy_of_arrays(np.array([[1.0, 0.0]]), np.ones((1, 2)), logits) == 0
    assert weighted_cross_entropy_of_arrays(np.array([[0.0, 1.0]]), np.ones((1, 2)), logits) == 1000
