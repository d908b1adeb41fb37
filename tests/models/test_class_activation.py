"""The maps are those of a plain computation by TensorFlow's gradients, for every network that is loaded."""

import lzma
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from random_records import random_record

from cxr_core.errors import ModelFileError, RecordError
from cxr_core.models.class_activation import ClassActivation
from cxr_core.models.model_file import load_network
from cxr_core.schema import LABELS
from cxr_core.training.network import build_network
from cxr_core.training.weights_file import ModelInfo

pytestmark = pytest.mark.tensorflow
NOTEBOOK = Path(__file__).parent / "notebook" / "densenet121_tensorflow_1.13.h5.xz"


def plain_maps(network, last, pixels):
    """Grad-CAM and gradient times feature of each label, as Selvaraju et al. 2017 write it, one label at a time."""
    features, logits = keras.Model(network.inputs, [network.get_layer(last).output, network.output])([pixels])
    behind = keras.Model(network.get_layer(last).output, network.output)
    maps, shares = [], []
    for label in range(len(LABELS)):
        with tf.GradientTape() as tape:
            tape.watch(features)
            score = behind(features)[0, label]
        gradient = tape.gradient(score, features)[0].numpy()
        weights = gradient.mean(axis=(0, 1))
        maps.append(np.maximum(sum(w * features[0, :, :, c].numpy() for c, w in enumerate(weights)), 0))
        shares.append((gradient * features[0].numpy()).sum(axis=2))
    return np.array(maps), np.array(shares), logits.numpy()[0]


def drawn_weights(network):
    """Weights with which every label has places that speak for it and places that do not."""
    rng = np.random.default_rng(3)
    network.set_weights([w + rng.normal(0, 0.05, w.shape).astype(np.float32) ** 2 for w in network.get_weights()])
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([rng.normal(0, 0.3, kernel.shape), rng.normal(0, 1, bias.shape)])
    return network


def check_equal(network, info, last, pixels):
    found = ClassActivation(network, info).of_pixels(pixels)
    maps, shares, logits = plain_maps(network, last, pixels)
    assert maps.std(axis=(1, 2)).max() > 0
    for ours, plain in ((found.maps, maps), (found.shares, shares), (found.logits, logits)):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-5 * np.abs(plain).max())
    return found


def random_pixels(size):
    return np.random.default_rng(0).random((1, size, size, 1)).astype(np.float32)


def test_maps_of_the_small_network_are_those_of_plain_gradients_and_their_shares_make_the_logit():
    network = drawn_weights(build_network("densenet-small", 96))
    found = check_equal(network, ModelInfo("densenet-small", 96, None, None), "relu", random_pixels(96))
    assert found.maps.shape == (14, 3, 3)
    bias = network.layers[-1].get_weights()[1]
    np.testing.assert_allclose(found.shares.sum(axis=(1, 2)) + bias, found.logits, rtol=1e-4)
    label = found.of("edema")
    assert label.share == found.shares[LABELS.index("edema")].max() == found.shares[5][label.place]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_maps_of_a_file_of_2019_are_those_of_plain_gradients(tmp_path):
    path = tmp_path / "densenet_frontal_u0_0__w0_0.h5"
    path.write_bytes(lzma.decompress(NOTEBOOK.read_bytes()))
    network, info = load_network(path)
    found = check_equal(network, info, "relu", random_pixels(320))
    assert found.maps.shape == (14, 10, 10)


@pytest.mark.parametrize("pooling", ["GlobalAveragePooling2D", "GlobalMaxPooling2D"])
def test_another_head_takes_gradients(pooling):
    inputs = keras.layers.Input((96, 96, 1))
    x = keras.layers.Conv2D(6, 5, strides=8, activation="relu", name="last")(inputs)
    x = keras.layers.Dense(9, activation="tanh")(getattr(keras.layers, pooling)()(x))
    x = keras.layers.Dropout(0.5)(x)
    network = keras.Model(inputs, keras.layers.Dense(14)(x))
    network.layers[-1].bias.assign(np.arange(14.0))
    check_equal(network, ModelInfo("densenet-small", 96, None, None), "last", random_pixels(96))


def test_a_network_without_feature_maps_and_an_image_of_another_size_are_refused():
    inputs = keras.layers.Input((96, 96, 1))
    small = keras.layers.Conv2D(2, 9, strides=32)(inputs)
    info = ModelInfo("densenet-small", 96, None, None)
    with pytest.raises(ModelFileError, match="no feature maps"):
        ClassActivation(keras.Model(inputs, small), info)
    pooled = keras.layers.Dense(14)(keras.layers.GlobalMaxPooling2D()(small))
    activation = ClassActivation(keras.Model(inputs, pooled), info)
    assert activation.of_jpeg(random_record(0).jpg).maps.shape[0] == 14
    for jpg in (b"no picture", tf.io.encode_jpeg(np.zeros((64, 64, 1), np.uint8)).numpy()):
        with pytest.raises(RecordError, match="no JPEG of 320x320 pixels"):
            activation.of_jpeg(jpg)
