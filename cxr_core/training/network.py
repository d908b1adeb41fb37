"""The networks of the table `architectures`: the notebook's DenseNet121 and others, behind one input and one head.

All take float images in [0, 1] of shape (batch, size, size, 1) and return 14 logits, through a global pooling and one
linear layer; what stands before the first convolution or between pooling and head belongs to the network.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from cxr_core.errors import UnknownNameError
from cxr_core.schema import LABELS
from cxr_core.training.application import application_trunk
from cxr_core.training.architectures import ARCHITECTURES, MAX, Architecture
from cxr_core.training.densenet import densenet_features
from cxr_core.training.dropout import StepDropout

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def build_network(
    architecture: str,
    image_size: int,
    batch_norm: str = "plain",
    precision: str = "float32",
    dropout: float = 0.0,
    channels: int = 1,
    pooling: str = MAX,
) -> Any:
    """Return a Keras model with random weights: (batch, image_size, image_size, 1) in [0, 1] -> (batch, 14) logits.

    Args:
        architecture: a row of `ARCHITECTURES`.
        image_size: pixels along each side.
        batch_norm: "plain", or "synchronised" over the replicas of a `tf.distribute` strategy.
        precision: of the activations: float32, bfloat16 or float16; weights and the last layer stay float32.
        dropout: share of the features that are dropped in training.
        channels: 1, or 3 to see the grey three times, normalised as the network's public weights expect.
        pooling: "max" or "average", of the last feature maps.
    """
    if architecture not in ARCHITECTURES:
        raise UnknownNameError("architecture", architecture, tuple(ARCHITECTURES))
    kind = ARCHITECTURES[architecture]
    with _computing_in(precision):
        inputs = keras.layers.Input((image_size, image_size, 1))
        pixels = inputs if channels == 1 else _normalised(inputs, kind)
        inputs, features = _trunk(inputs, pixels, kind, pooling, batch_norm == "synchronised")
        if dropout:
            features = StepDropout(dropout, name="dropout")(features)
        logits = keras.layers.Dense(len(LABELS), dtype="float32", name="logits")(features)
        return keras.Model(inputs, logits, name=architecture.replace("-", "_"))


def _normalised(inputs: Any, kind: Architecture) -> Any:
    """Return the grey as three channels, in float32 whatever the precision: half of it would lose grey levels."""
    grey = keras.layers.Concatenate(name="grey_as_colours", dtype="float32")([inputs] * 3)
    scale, offset = (list(numbers) for numbers in (kind.normalisation.scale, kind.normalisation.offset))
    return keras.layers.Rescaling(scale, offset, name="normalised", dtype="float32")(grey)


def _trunk(inputs: Any, pixels: Any, kind: Architecture, pooling: str, synchronised: bool) -> tuple[Any, Any]:
    """Return the input and the pooled features."""
    if kind.maker:
        trunk = application_trunk(inputs, pixels, kind, pooling, synchronised)
        return trunk.inputs[0], trunk.outputs[0]
    return inputs, densenet_features(pixels, kind.blocks, kind.momentum, synchronised, pooling)


@contextlib.contextmanager
def _computing_in(precision: str) -> Iterator[None]:
    """Make Keras's layers compute in a precision, and leave what was set before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
