import keras
import numpy as np
import pytest
import tensorflow as tf

from cxr_core.errors import UnknownNameError
from cxr_core.training.densenet import densenet_features
from cxr_core.training.dropout import StepDropout, draw_dropout
from cxr_core.training.network import build_network

pytestmark = pytest.mark.tensorflow


def weight_shapes(network):
    return [(weight.path, tuple(weight.shape)) for weight in network.weights]


@pytest.fixture(scope="module")
def densenet121():
    return build_network("densenet121", 320)


def test_densenet121_is_the_notebooks_network(densenet121):
    assert densenet121.input_shape == (None, 320, 320, 1)
    assert densenet121.output_shape == (None, 14)
    # 7,037,504 of DenseNet121 without its top for three channels, two channels less in the first convolution, and the
    # dense layer of 1,024 x 14 and 14.
    assert densenet121.count_params() == 7_037_504 - 2 * 7 * 7 * 64 + 1024 * 14 + 14
    assert isinstance(densenet121.layers[-2], keras.layers.GlobalMaxPooling2D)
    assert densenet121.layers[-1].activation is keras.activations.linear


def test_the_small_network_is_of_the_same_family(densenet121):
    inputs = keras.layers.Input((320, 320, 1))
    ours = keras.Model(inputs, densenet_features(inputs, (6, 12, 24, 16)))
    assert weight_shapes(ours) == weight_shapes(densenet121)[:-2]
    kinds = [type(layer) for layer in ours.layers if layer.weights]
    assert kinds == [type(layer) for layer in densenet121.layers[:-1] if layer.weights]


def test_the_same_weights_give_the_same_features_as_keras_own_densenet(densenet121):
    """The layers are in the order of Keras's, so that weights can be told by their place."""
    inputs = keras.layers.Input((64, 64, 1))
    ours = keras.Model(inputs, densenet_features(inputs, (6, 12, 24, 16)))
    keras_own = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=(64, 64, 1), pooling="max")
    ours.set_weights(keras_own.get_weights())
    image = np.random.default_rng(0).random((1, 64, 64, 1), np.float32)
    expected = np.asarray(keras_own(image))
    np.testing.assert_allclose(np.asarray(ours(image)), expected, rtol=1e-5, atol=1e-6)


def test_the_small_network_returns_logits_at_every_size():
    network = build_network("densenet-small", 96)
    assert network.count_params() == 997_870
    assert network.output_shape == (None, 14)


def test_an_unknown_architecture_is_refused():
    with pytest.raises(
        UnknownNameError, match="densenet121, densenet169, resnet50, efficientnetv2-s, convnext-tiny, densenet-small"
    ):
        build_network("resnet", 320)


def test_images_are_left_out_of_a_branch_as_a_whole_and_each_branch_draws_anew():
    inputs = keras.layers.Input((4, 4, 8))
    first = StepDropout(0.5, by_image=True)(inputs)
    second = StepDropout(0.5, by_image=True)(inputs)
    network = keras.Model(inputs, [first, second])
    steps = tf.Variable(0, dtype=tf.int64)
    draw_dropout(network, 7, steps)
    images = np.ones((64, 4, 4, 8), np.float32)
    drawn = [np.asarray(branch) for branch in network(images, training=True)]
    for branch in drawn:
        assert set(np.unique(branch)) == {0, 2}
        assert (branch == branch[:, :1, :1, :1]).all()
    assert (drawn[0] != drawn[1]).any()
    again = network(images, training=True)
    np.testing.assert_array_equal(again[0], drawn[0])
    steps.assign(1)
    assert (np.asarray(network(images, training=True)[0]) != drawn[0]).any()
    np.testing.assert_array_equal(network(images, training=False)[0], images)
