"""Every network of the table trains, is saved, read again, predicts, is exported and shows where it looks.

Keras's own is the judge, of what is exported our own prediction. What they are is a matter of their blocks, not of how
often each comes: the tests take them with few, `--whole` as they are.
"""

import copy
import sys

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from random_records import write_random_records
from stopping_reporter import Reporter

from cxr_core.models.class_activation import ClassActivation
from cxr_core.models.model_file import load_network
from cxr_core.models.onnx_export import onnx_bytes
from cxr_core.models.predict import predict_records
from cxr_core.policy_kinds import THREE_CLASS
from cxr_core.schema import LABELS
from cxr_core.training.architectures import ARCHITECTURES
from cxr_core.training.loop import train
from cxr_core.training.network import build_network
from cxr_core.training.options import TrainOptions
from cxr_core.training.weights_file import ModelInfo
from cxr_core.uncertainty import DEFAULT_POLICY, kind_policy

pytestmark = pytest.mark.tensorflow
SIZE = 32
#: Each with one or three channels and another pooling than its usual one. Of the DenseNets, which differ in depth alone,
#: the smallest stands for all.
FORMS = {
    "resnet50": (3, "max"),
    "efficientnetv2-s": (1, "average"),
    "convnext-tiny": (3, "average"),
    "densenet-small": (3, "average"),
}
#: The smallest has heads of three classes besides, which leave 14 outputs.
THREE_CLASSES = "densenet-small"
#: Those whose parameters are counted without `--whole` too.
COUNTED = ("resnet50", "densenet-small")


@pytest.fixture(scope="module", autouse=True)
def depth(pytestconfig):
    """Two blocks in the first stage of a network, one in each other, unless all are asked for."""
    with pytest.MonkeyPatch.context() as patch:
        if not pytestconfig.getoption("whole"):
            resnet, efficient, convnext = (
                sys.modules[getattr(keras.applications, name).__module__]
                for name in ("ResNet50", "EfficientNetV2S", "ConvNeXtTiny")
            )
            stack = resnet.stack_residual_blocks_v1
            patch.setattr(
                resnet,
                "stack_residual_blocks_v1",
                lambda x, filters, _blocks, **named: stack(x, filters, 2 if filters == 64 else 1, **named),
            )
            blocks = copy.deepcopy(efficient.DEFAULT_BLOCKS_ARGS["efficientnetv2-s"])
            few = [stage | {"num_repeat": 1 if number else 2} for number, stage in enumerate(blocks)]
            patch.setitem(efficient.DEFAULT_BLOCKS_ARGS, "efficientnetv2-s", few)
            patch.setitem(convnext.MODEL_CONFIGS["tiny"], "depths", [2, 1, 1, 1])
        yield patch


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    valid = write_random_records(folder / "valid", 2, shards=1, first=1000)
    return write_random_records(folder / "train", 4, shards=1), valid


@pytest.fixture(scope="module", params=sorted(FORMS))
def trained(request, records, tmp_path_factory):
    """The name of a network, and the `.h5` of two steps of training."""
    channels, pooling = FORMS[request.param]
    options = TrainOptions(
        architecture=request.param,
        channels=channels,
        pooling=pooling,
        image_size=SIZE,
        batch_size=2,
        epochs=1,
        seed=1,
        learning_rate=0.01,
        policy=kind_policy(THREE_CLASS) if request.param == THREE_CLASSES else DEFAULT_POLICY,
    )
    result = train(options, *records, Reporter(tmp_path_factory.mktemp("run")))
    assert (result.status, result.steps) == ("completed", 2)
    return request.param, result.last_model


@pytest.fixture(scope="module")
def read_again(trained):
    """The network as it is read from that file, and what the file says of it."""
    return load_network(trained[1])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_what_is_trained_is_read_again_and_predicts_as_keras_reads_it(trained, read_again, records):
    name, path = trained
    network, info = read_again
    assert (info.architecture, info.channels, info.pooling) == (name, *FORMS[name])
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 1), np.float32)
    stock = keras.models.load_model(path.with_suffix(".keras"), compile=False)
    expected = np.asarray(stock(images, training=False))
    np.testing.assert_allclose(np.asarray(network(images, training=False)), expected, rtol=1e-4, atol=1e-4)
    assert not np.allclose(expected[0], expected[1])
    table = predict_records(path, records[1])
    assert len(table) == 2 and np.isfinite(table[list(LABELS)].to_numpy()).all()


@pytest.fixture
def decided(read_again):
    """The same network with a last layer that weighs every feature."""
    network, info = read_again
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([np.random.default_rng(3).normal(0, 0.3, kernel.shape), bias])
    yield network, info
    network.layers[-1].set_weights([kernel, bias])


def test_it_shows_where_it_looks_as_plain_gradients_do(decided):
    network, info = decided
    pixels = np.random.default_rng(0).random((1, SIZE, SIZE, 1)).astype(np.float32)
    found = ClassActivation(network, info).of_pixels(pixels)
    maps = [operation.output for operation in network.operations if len(operation.output.shape) == 4][-1]
    features, logits = keras.Model(network.inputs, [maps, network.output])([pixels])
    np.testing.assert_allclose(found.logits, logits[0], rtol=1e-4, atol=1e-4)
    behind = keras.Model(maps, network.output)
    with tf.GradientTape() as tape:
        tape.watch(features)
        score = behind(features)[0, 5]
    gradient = tape.gradient(score, features)[0].numpy()
    expected = np.maximum((gradient.mean(axis=(0, 1)) * features[0].numpy()).sum(axis=2), 0)
    np.testing.assert_allclose(found.maps[5], expected, rtol=1e-3, atol=1e-4 * max(1, np.abs(expected).max()))


def test_what_is_exported_predicts_the_same(trained):
    _, path = trained
    check_exported(*load_network(path))


@pytest.mark.whole  # the smallest DenseNet stands for the others
@pytest.mark.parametrize("name", ["densenet121", "densenet169"])
def test_the_deep_densenets_are_exported_with_the_same_logits(name):
    network = build_network(name, SIZE)
    # Statistics of data, as of a trained network: those of a new one leave the maps almost empty.
    network(np.random.default_rng(1).random((8, SIZE, SIZE, 1), np.float32), training=True)
    check_exported(network, ModelInfo(name, SIZE, "frontal", None))


def check_exported(network, info):
    """Judged by the same network in float64: Keras's own float32 is further from it than 1e-4 where two steps left sums
    of large numbers that nearly cancel, as in EfficientNetV2-S."""
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 1), np.float32)
    exact = in_float64(network)(images.astype(np.float64), training=False).numpy()
    # Two steps leave logits of any size; of a trained network they are of the size of 1.
    largest = np.abs(exact).max()
    network.layers[-1].set_weights([weights / largest for weights in network.layers[-1].get_weights()])
    session = onnxruntime.InferenceSession(onnx_bytes(network, info), providers=["CPUExecutionProvider"])
    made = session.run(["logits"], {"pixels": images})[0]
    assert exact.dtype == np.float64
    np.testing.assert_allclose(made, exact / largest, rtol=0, atol=1e-4)
    assert made.shape == (2, len(LABELS)) and not np.allclose(made[0], made[1])


def in_float64(network):
    """Return the same network with the same weights, which computes in float64."""
    kinds = {kind.__name__: kind for kind in map(type, network.operations)}
    exact = keras.models.model_from_json(network.to_json().replace('"float32"', '"float64"'), custom_objects=kinds)
    exact.set_weights([weights.astype(np.float64) for weights in network.get_weights()])
    return exact


def keras_own_pixels(name, colours):
    """What Keras's own network gives its first convolution of (batch, size, size, 3) from 0 to 255."""
    if name == "efficientnetv2-s":
        own = keras.applications.EfficientNetV2S(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
        return keras.Model(own.inputs, own.get_layer("stem_conv").input)([colours])
    if name == "convnext-tiny":
        own = keras.applications.ConvNeXtTiny(include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
        return keras.Model(own.inputs, own.get_layer("convnext_tiny_stem").input)([colours])
    prepared = keras.applications.resnet50 if name == "resnet50" else keras.applications.densenet
    return prepared.preprocess_input(colours)


@pytest.mark.parametrize(
    "name",
    [*FORMS, *(pytest.param(name, marks=pytest.mark.whole) for name in ("densenet121", "densenet169"))],
)
def test_three_channels_are_what_public_weights_expect(name):
    grey = np.random.default_rng(0).random((1, SIZE, SIZE, 1)).astype(np.float32)
    network = build_network(name, SIZE, channels=3)
    found = keras.Model(network.inputs, network.get_layer("normalised").output)([grey])
    expected = keras_own_pixels(name, np.repeat(grey * 255, 3, axis=3))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_table_counts_the_parameters(name, depth, pytestconfig):
    if name not in COUNTED and not pytestconfig.getoption("whole"):
        pytest.skip("of the smaller ones alone; make prove counts all")
    depth.undo()
    assert build_network(name, SIZE).count_params() == ARCHITECTURES[name].parameters
