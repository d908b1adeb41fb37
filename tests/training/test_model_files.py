"""The models that a run leaves open with every Keras that its users may have, and mean the same there."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cxr_core.errors import ModelFileError
from cxr_core.training.model_config import model_config
from cxr_core.training.model_files import BEST, ModelFiles
from cxr_core.training.network import build_network
from cxr_core.training.weights_file import ModelInfo, load_into

pytestmark = pytest.mark.tensorflow
INFO = ModelInfo("densenet-small", 32, "frontal", None, decode="reduced")


@pytest.fixture(scope="module")
def trained():
    """A network in mixed precision with our own batch norm, whose weights are all different."""
    network = build_network("densenet-small", 32, batch_norm="synchronised", precision="bfloat16")
    rng = np.random.default_rng(0)
    network.set_weights([np.abs(rng.normal(0.05, 0.02, weight.shape)) for weight in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def files(trained, tmp_path_factory):
    made = ModelFiles(tmp_path_factory.mktemp("run"))
    made.write(BEST, trained, INFO)
    return made


@pytest.fixture(scope="module")
def expected(trained):
    """The images, and the logits of the same weights in float32 in the network that this product predicts with."""
    images = np.random.default_rng(1).random((3, 32, 32, 1), np.float32)
    plain = build_network("densenet-small", 32)
    plain.set_weights(trained.get_weights())
    return images, np.asarray(plain(images, training=False))


@pytest.mark.filterwarnings("ignore:The structure of `inputs`")  # Keras 3's, of models that Keras 2 described
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_keras_3_loads_both_files_as_whole_models(files, expected, suffix):
    images, logits = expected
    model = keras.models.load_model(files.path(BEST).with_suffix(suffix), compile=False)
    np.testing.assert_allclose(np.asarray(model(images, training=False)), logits, rtol=1e-6, atol=1e-6)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


@pytest.mark.filterwarnings("ignore")  # Keras 2's own, under a TensorFlow that is newer than it
def test_keras_2_loads_the_h5_as_a_whole_model(files, expected):
    import tf_keras

    images, logits = expected
    model = tf_keras.models.load_model(files.path(BEST), compile=False)
    np.testing.assert_allclose(np.asarray(model(images, training=False)), logits, rtol=1e-5, atol=1e-5)


def test_we_read_our_own_file_and_a_killed_write_leaves_nothing(files, trained):
    fresh = build_network("densenet-small", 32)
    load_into(fresh, files.path(BEST))
    for before, after in zip(trained.get_weights(), fresh.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    folder = files.path(BEST).parent
    (folder / ".best.h5.x.tmp").touch()
    files.drop_leftovers()
    assert sorted(path.name for path in folder.iterdir()) == ["best.h5", "best.keras"]


def test_a_layer_that_older_keras_cannot_be_told_of_is_refused():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.1)])
    with pytest.raises(ModelFileError, match="A layer of kind Dropout"):
        model_config(network)


def test_the_fused_batch_norm_trains_as_keras_own_does():
    rng = np.random.default_rng(3)
    images = tf.constant(rng.normal(3, 2, (4, 5, 5, 8)).astype(np.float32))
    from cxr_core.training.batch_norm import FusedBatchNormalization

    found = []
    for kind in (FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9, epsilon=1e-5)
        layer.build(images.shape)
        layer.set_weights([np.linspace(0.5, 2, 8), np.linspace(-1, 1, 8), np.zeros(8), np.ones(8)])
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=True)
            loss = tf.reduce_sum(outputs**3)
        gradients = tape.gradient(loss, [images, layer.gamma.value, layer.beta.value])
        found.append([outputs, *gradients, layer.moving_mean.value, layer.moving_variance.value])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
