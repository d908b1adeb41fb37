"""The networks: the notebook's DenseNet121, and a small DenseNet of the same family for the demo.

Both take float images in [0, 1] of shape (batch, size, size, 1) and return 14 logits, through a global max pooling
and one linear layer. Huang et al. 2017, "Densely connected convolutional networks".
"""

from typing import Any

import keras

from cxr_core.errors import UnknownNameError
from cxr_core.schema import LABELS
from cxr_core.training.options import ARCHITECTURES

_SMALL_BLOCKS = (2, 4, 6, 4)
_GROWTH = 32
_EPSILON = 1.001e-5
#: An epoch of the demo has some 50 steps. With Keras's .99 the running averages lag behind for five epochs, and the
#: validation AUC stays at chance meanwhile; the notebook's DenseNet121 keeps .99.
_MOMENTUM = 0.9


def build_network(architecture: str, image_size: int) -> Any:
    """Return a Keras model with random weights: (batch, image_size, image_size, 1) in [0, 1] -> (batch, 14) logits."""
    shape = (image_size, image_size, 1)
    if architecture == "densenet121":
        base = keras.applications.DenseNet121(include_top=False, weights=None, input_shape=shape, pooling="max")
        inputs, features = base.inputs[0], base.outputs[0]
    elif architecture == "densenet-small":
        inputs = keras.layers.Input(shape)
        features = densenet_features(inputs, _SMALL_BLOCKS)
    else:
        raise UnknownNameError("architecture", architecture, ARCHITECTURES)
    logits = keras.layers.Dense(len(LABELS), name="logits")(features)
    return keras.Model(inputs, logits, name=architecture.replace("-", "_"))


def densenet_features(inputs: Any, blocks: tuple[int, ...]) -> Any:
    """Return the max-pooled features of a DenseNet with so many convolution blocks in each dense block.

    Layer by layer that of `keras.applications`, which does not offer other depths in public.
    """
    x = keras.layers.ZeroPadding2D(3)(inputs)
    x = keras.layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _normalised(x, "conv1")
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks, start=2):
        for number in range(1, count + 1):
            x = _convolution_block(x, f"conv{stage}_block{number}")
        if stage < len(blocks) + 1:
            x = _transition(x, f"pool{stage}")
    x = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name="bn")(x)
    x = keras.layers.Activation("relu", name="relu")(x)
    return keras.layers.GlobalMaxPooling2D(name="max_pool")(x)


def _convolution_block(x: Any, name: str) -> Any:
    y = _normalised(x, f"{name}_0")
    y = keras.layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _normalised(y, f"{name}_1")
    y = keras.layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return keras.layers.Concatenate(name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    x = _normalised(x, name)
    x = keras.layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return keras.layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _normalised(x: Any, name: str) -> Any:
    x = keras.layers.BatchNormalization(momentum=_MOMENTUM, epsilon=_EPSILON, name=f"{name}_bn")(x)
    return keras.layers.Activation("relu", name=f"{name}_relu")(x)
