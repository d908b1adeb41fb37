"""The networks: the notebook's DenseNet121, and a small DenseNet of the same family for the demo.

Both take float images in [0, 1] of shape (batch, size, size, 1) and return 14 logits, through a global max pooling
and one linear layer. Huang et al. 2017, "Densely connected convolutional networks".
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras

from cxr_core.errors import UnknownNameError
from cxr_core.schema import LABELS
from cxr_core.training.batch_norm import FusedBatchNormalization
from cxr_core.training.dropout import StepDropout
from cxr_core.training.options import ARCHITECTURES

_GROWTH = 32
_EPSILON = 1.001e-5
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


class _Shape(NamedTuple):
    """Convolution blocks in each dense block, and how slowly the running averages of batch norm follow."""

    blocks: tuple[int, ...]
    momentum: float


#: An epoch of the demo has some 50 steps. With Keras's .99 the running averages lag behind for five epochs, and the
#: validation AUC stays at chance meanwhile; the notebook's DenseNet121 keeps .99.
_SHAPES = {"densenet121": _Shape((6, 12, 24, 16), 0.99), "densenet-small": _Shape((2, 4, 6, 4), 0.9)}


def build_network(
    architecture: str,
    image_size: int,
    batch_norm: str = "plain",
    precision: str = "float32",
    stock: bool = False,
    dropout: float = 0.0,
) -> Any:
    """Return a Keras model with random weights: (batch, image_size, image_size, 1) in [0, 1] -> (batch, 14) logits.

    Args:
        architecture: densenet121 or densenet-small.
        image_size: pixels along each side.
        batch_norm: "plain", or "synchronised" over the replicas of a `tf.distribute` strategy.
        precision: of the activations: float32, bfloat16 or float16; weights and the last layer stay float32.
        stock: use nothing but Keras's own layers, for a file that others load.
        dropout: share of the features that are dropped in training.
    """
    if architecture not in _SHAPES:
        raise UnknownNameError("architecture", architecture, ARCHITECTURES)
    shape = _SHAPES[architecture]
    with _computing_in(precision):
        inputs = keras.layers.Input((image_size, image_size, 1))
        features = densenet_features(inputs, shape.blocks, shape.momentum, batch_norm == "synchronised", stock)
        if dropout:
            features = StepDropout(dropout, name="dropout")(features)
        logits = keras.layers.Dense(len(LABELS), dtype="float32", name="logits")(features)
        return keras.Model(inputs, logits, name=architecture.replace("-", "_"))


def densenet_features(
    inputs: Any, blocks: tuple[int, ...], momentum: float = 0.99, synchronised: bool = False, stock: bool = False
) -> Any:
    """Return the max-pooled features of a DenseNet with so many convolution blocks in each dense block.

    Layer by layer that of `keras.applications`, which offers neither other depths nor another batch norm.
    """
    normalise = _Normalise(momentum, synchronised, stock)
    x = keras.layers.ZeroPadding2D(3)(inputs)
    x = keras.layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = normalise.activated(x, "conv1")
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate(blocks, start=2):
        for number in range(1, count + 1):
            x = _convolution_block(x, normalise, f"conv{stage}_block{number}")
        if stage < len(blocks) + 1:
            x = _transition(x, normalise, f"pool{stage}")
    x = normalise(x, "bn")
    x = keras.layers.Activation("relu", name="relu")(x)
    return keras.layers.GlobalMaxPooling2D(name="max_pool")(x)


class _Normalise(NamedTuple):
    """How every batch norm of a network is made."""

    momentum: float
    synchronised: bool
    stock: bool

    def __call__(self, x: Any, name: str) -> Any:
        if self.stock:
            return keras.layers.BatchNormalization(momentum=self.momentum, epsilon=_EPSILON, name=name)(x)
        layer = FusedBatchNormalization(
            momentum=self.momentum, epsilon=_EPSILON, synchronized=self.synchronised, name=name
        )
        return layer(x)

    def activated(self, x: Any, name: str) -> Any:
        return keras.layers.Activation("relu", name=f"{name}_relu")(self(x, f"{name}_bn"))


def _convolution_block(x: Any, normalise: _Normalise, name: str) -> Any:
    y = normalise.activated(x, f"{name}_0")
    y = keras.layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = normalise.activated(y, f"{name}_1")
    y = keras.layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return keras.layers.Concatenate(name=f"{name}_concat")([x, y])


def _transition(x: Any, normalise: _Normalise, name: str) -> Any:
    x = normalise.activated(x, name)
    x = keras.layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return keras.layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


@contextlib.contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Make Keras's layers compute in a precision, and leave what was set before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
