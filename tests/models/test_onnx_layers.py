"""A layer in ONNX computes what Keras computes, by onnxruntime; what has no way there is told."""

import keras
import numpy as np
import onnxruntime
import pytest

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_graph import Graph
from cxr_core.models.onnx_layers import channels_first, layer_written
from cxr_core.training.dropout import StepDropout

pytestmark = pytest.mark.tensorflow
IMAGES = (7, 6, 4)
layers = keras.layers


def by_onnx(layer, values):
    """What ONNX makes of what Keras has as (batch, height, width, channels) or (batch, features)."""
    rank = len(layer(values).shape)
    graph = Graph()
    given = channels_first(graph, "given") if values.ndim == 4 else graph.add("Identity", "given")
    name = layer_written(graph, layer, [given], [(None, *values.shape[1:])])
    graph.add("Transpose", name, perm=(0, 2, 3, 1)) if rank == 4 else graph.add("Identity", name)
    model = graph.model(("given", ["batch", *values.shape[1:]]), ("made", ["batch"] + [None] * (rank - 1)), {})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"given": values})[0]


def random(*shape):
    return np.random.default_rng(len(shape)).normal(size=(2, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(5, 3, strides=2, padding="same"),
        layers.Conv2D(5, (1, 2), dilation_rate=2, activation="relu"),
        layers.Conv2D(8, 3, groups=2, padding="same", use_bias=False),
        layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2),
        layers.Dense(3, activation="sigmoid"),
        layers.Activation("gelu"),
        layers.Activation("silu"),
        layers.Activation("tanh"),
        layers.MaxPooling2D(3, strides=2, padding="same"),
        layers.AveragePooling2D(3, strides=2, padding="same"),
        layers.GlobalAveragePooling2D(keepdims=True),
        layers.GlobalMaxPooling2D(),
        layers.ZeroPadding2D(((1, 2), (3, 0))),
        layers.BatchNormalization(scale=False),
        layers.LayerNormalization(epsilon=1e-6),
        layers.Rescaling([1.0, 2.0, 3.0, 4.0], [0.5, 0, 0, -1.0]),
        layers.Dropout(0.5),
        StepDropout(0.5, by_image=True),
    ],
    ids=lambda layer: layer.name,
)
def test_a_layer_computes_what_keras_computes(layer):
    images = random(*IMAGES)
    layer(images)
    layer.set_weights([0.5 + np.random.default_rng(7).random(weight.shape) for weight in layer.get_weights()])
    np.testing.assert_allclose(by_onnx(layer, images), layer(images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layer", [layers.Dense(3), layers.LayerNormalization(), layers.Reshape((1, 1, 4))])
def test_a_layer_of_features_computes_what_keras_computes(layer):
    features = random(4)
    np.testing.assert_allclose(by_onnx(layer, features), layer(features), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (layers.UpSampling2D(), "UpSampling2D.*kind of layer"),
        (layers.Activation("selu"), "its activation"),
        (layers.Reshape((42, 4)), "its shape"),
        (layers.BatchNormalization(axis=1), "its axis"),
        (layers.Conv2D(2, 1, data_format="channels_first"), "its order of axes"),
    ],
)
def test_what_has_no_way_there_is_told_in_a_sentence(layer, told):
    layer.build((None, *IMAGES))
    with pytest.raises(ModelFileError, match=rf"{told}.*is not known there. Export a saved-model instead."):
        layer_written(Graph(), layer, ["given"], [(None, *IMAGES)])
