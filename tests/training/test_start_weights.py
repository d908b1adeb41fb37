"""Weights that Keras itself wrote start a training: what the network then computes is what Keras's own computes."""

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import densenet
from keras.src.legacy.saving import legacy_h5_format

from cxr_core.errors import ModelFileError
from cxr_core.training.network import build_network
from cxr_core.training.start_weights import start_from
from cxr_core.training.weights_file import ModelInfo, write_weights

# The second is Keras's own way of copying a variable, which NumPy 2 warns of.
pytestmark = [pytest.mark.tensorflow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
SIZE, CLASSES = 32, 10
BLOCKS = (2, 4, 6, 4)


def random_densenet(blocks=BLOCKS, **form):
    """A network of keras.applications whose weights, running averages too, are all different."""
    options = {"weights": None, "input_shape": (SIZE, SIZE, 3)} | form
    network = densenet.DenseNet(blocks, **options)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0.1, 0.05, w.shape) ** 2 for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def keras_own():
    return random_densenet(classes=CLASSES)


def as_published(network, path):
    """As the public weights of keras.applications lie: in the layout of Keras 2, without a configuration."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


WRITERS = {
    "public.h5": as_published,
    "mine.weights.h5": lambda network, path: network.save_weights(path),
    "mine.keras": lambda network, path: network.save(path),
    "model.h5": legacy_h5_format.save_model_to_hdf5,
}


def features(network, pixels):
    return np.asarray(keras.Model(network.inputs, network.layers[-1].input)([pixels]))


@pytest.mark.parametrize("name", WRITERS)
def test_the_features_are_those_of_keras_own_network_and_all_tensors_are_told(keras_own, tmp_path, name):
    WRITERS[name](keras_own, tmp_path / name)
    network = build_network("densenet-small", SIZE, channels=3, pooling="average")
    head = network.layers[-1].get_weights()
    taken = start_from(network, tmp_path / name)
    grey = np.random.default_rng(1).random((2, SIZE, SIZE, 1)).astype(np.float32)
    colours = keras.applications.densenet.preprocess_input(np.repeat(grey * 255, 3, axis=3))
    np.testing.assert_allclose(features(network, grey), features(keras_own, colours), rtol=1e-4, atol=1e-5)
    assert (taken.taken, taken.all) == (len(keras_own.weights) - 2, len(network.weights))
    assert (taken.random, len(taken.left), taken.summed) == (("logits",), 2, ())
    for before, after in zip(head, network.layers[-1].get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert f"tensors taken from {name}; random, as the file has none that fit: logits; in the file" in taken.words()


def test_one_channel_gets_the_sum_of_three(keras_own, tmp_path):
    as_published(keras_own, tmp_path / "public.h5")
    network = build_network("densenet-small", SIZE)
    taken = start_from(network, tmp_path / "public.h5")
    kernel = keras_own.get_layer("conv1_conv").get_weights()[0]
    expected = kernel[:, :, 0] + kernel[:, :, 1] + kernel[:, :, 2]
    np.testing.assert_allclose(network.get_layer("conv1_conv").get_weights()[0][:, :, 0], expected, rtol=1e-6)
    assert taken.summed == ("conv1_conv/kernel",)
    assert "summed over its three channels: conv1_conv/kernel" in taken.words()


def test_weights_without_a_head_serve(tmp_path):
    own = random_densenet(include_top=False)
    own.save_weights(tmp_path / "notop.weights.h5")
    taken = start_from(build_network("densenet-small", SIZE, channels=3), tmp_path / "notop.weights.h5")
    assert (taken.taken, taken.random, taken.left) == (len(own.weights), ("logits",), ())


def test_an_earlier_run_gives_its_head_too(tmp_path):
    former, network = build_network("densenet-small", SIZE), build_network("densenet-small", SIZE)
    write_weights(former, tmp_path / "former.h5", ModelInfo("densenet-small", SIZE, "frontal", None))
    taken = start_from(network, tmp_path / "former.h5")
    assert taken.words() == f"{len(former.weights)} of {len(former.weights)} tensors taken from former.h5"
    for before, after in zip(former.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_weight_that_a_copy_changed_is_told(tmp_path):
    network = build_network("densenet-small", SIZE)
    write_weights(network, tmp_path / "former.h5", ModelInfo("densenet-small", SIZE, "frontal", None))
    with h5py.File(tmp_path / "former.h5", "a") as file:
        file["model_weights/bn/gamma:0"][3] = 0.5
    with pytest.raises(ModelFileError, match="its weights were changed after it was written"):
        start_from(network, tmp_path / "former.h5")


def test_layers_within_layers_are_found(tmp_path):
    own = keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg")
    own.save_weights(tmp_path / "convnext.weights.h5")
    network = build_network("convnext-tiny", SIZE, channels=3, pooling="average")
    taken = start_from(network, tmp_path / "convnext.weights.h5")
    assert (taken.taken, taken.random, taken.left) == (len(own.weights), ("logits",), ())
    for expected, found in zip(own.get_weights(), network.get_weights(), strict=False):
        np.testing.assert_array_equal(expected, found)


@pytest.mark.parametrize("name", ["public.h5", pytest.param("mine.weights.h5", marks=pytest.mark.whole)])
def test_weights_of_another_network_are_refused_and_change_nothing(tmp_path, name):
    WRITERS[name](random_densenet((2, 4, 5, 4)), tmp_path / name)
    network = build_network("densenet-small", SIZE, channels=3)
    before = network.get_weights()
    with pytest.raises(ModelFileError, match=r"the layer .* of densenet_small needs tensors of .*, it has") as refused:
        start_from(network, tmp_path / name)
    assert "\n" not in str(refused.value)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_three_channels_do_not_come_out_of_one(tmp_path):
    random_densenet(input_shape=(SIZE, SIZE, 1), include_top=False).save_weights(tmp_path / "grey.weights.h5")
    with pytest.raises(ModelFileError, match=r"conv1_conv of densenet_small needs tensors of \[\(7, 7, 3, 64\)\]"):
        start_from(build_network("densenet-small", SIZE, channels=3), tmp_path / "grey.weights.h5")


def test_links_numbers_that_are_none_and_damaged_files_are_refused(keras_own, tmp_path):
    network = build_network("densenet-small", SIZE, channels=3)
    path = tmp_path / "public.h5"

    def replaced(make):
        as_published(keras_own, path)
        with h5py.File(path, "a") as file:
            group = file["conv1_conv/conv1_conv"] if "conv1_conv/conv1_conv" in file else file["conv1_conv"]
            del group["kernel"]
            make(group)

    replaced(lambda group: group.__setitem__("kernel", h5py.ExternalLink("/etc/passwd", "/")))
    with pytest.raises(ModelFileError, match="only a link"):
        start_from(network, path)
    replaced(lambda group: group.create_dataset("kernel", data=np.full((7, 7, 3, 64), np.nan, np.float32)))
    with pytest.raises(ModelFileError, match="not finite"):
        start_from(network, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelFileError, match=r"public\.h5"):
        start_from(network, path)
