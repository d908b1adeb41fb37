"""DenseNets of any depth: Huang et al. 2017, "Densely connected convolutional networks"."""

from typing import Any, NamedTuple

import keras

from cxr_core.training.batch_norm import FusedBatchNormalization
from cxr_core.training.pooling import pooled

_GROWTH = 32
_EPSILON = 1.001e-5


def densenet_features(
    inputs: Any, blocks: tuple[int, ...], momentum: float = 0.99, synchronised: bool = False, pooling: str = "max"
) -> Any:
    """Return the pooled features of a DenseNet with so many convolution blocks in each dense block.

    Layer by layer that of `keras.applications`, which offers neither other depths nor another batch norm.
    """
    normalise = _Normalise(momentum, synchronised)
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
    return pooled(x, pooling)


class _Normalise(NamedTuple):
    """How every batch norm of a network is made."""

    momentum: float
    synchronised: bool

    def __call__(self, x: Any, name: str) -> Any:
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
