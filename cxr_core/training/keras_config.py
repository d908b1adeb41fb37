"""What a model file says its network is made of, read as plain JSON and never deserialised.

Deserialising a configuration runs code that the file brings along (Lambda layers, foreign modules), so the network is
always built in code. The configuration only serves to refuse a file whose network is another one: with layers that
none of ours has, a head that is not linear, or another global pooling. Loads no TensorFlow.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cxr_core.errors import ModelFileError
from cxr_core.training.architectures import AVERAGE, MAX

#: A DenseNet121's configuration has 300 kB.
LARGEST_CONFIG_BYTES = 16_000_000

_POOLING = {"GlobalMaxPooling2D": MAX, "GlobalAveragePooling2D": AVERAGE}
#: Class names of TensorFlow 1.13 to Keras 3 of which a DenseNet is made, and the other networks besides.
_OF_DENSENETS = {
    "InputLayer",
    "ZeroPadding2D",
    "Conv2D",
    "BatchNormalization",
    "BatchNormalizationV1",
    "BatchNormalizationV2",
    "Activation",
    "ReLU",
    "MaxPooling2D",
    "AveragePooling2D",
    "Concatenate",
    "Dense",
    *_POOLING,
}
_OF_OTHERS = {
    "Add",
    "Multiply",
    "Reshape",
    "Rescaling",
    "Dropout",
    "DepthwiseConv2D",
    "LayerNormalization",
    "LayerScale",
    "Sequential",
}
_KNOWN_MODULES = ("keras", "tensorflow.python.keras", "tf_keras")
_OTHERS = "For a model of another maker, predict with its own tools and import the predictions."


class Described(NamedTuple):
    """What a configuration says of a network: its global pooling, "max" or "average", and the classes of its layers."""

    pooling: str
    classes: frozenset[str]

    def check(self, pooling: str, is_densenet: bool, channels: int) -> None:
        """Raise `ModelFileError` unless this is a network that pools so and is of that family."""
        if self.pooling != pooling:
            raise ModelFileError(f"the network must end with a global {pooling} pooling. {_OTHERS}")
        known = _OF_DENSENETS | ({"Rescaling"} if channels > 1 else set())
        foreign = self.classes - known
        if is_densenet and foreign:
            raise ModelFileError(f"it has a layer of the kind {min(foreign)!r}, which a DenseNet has not. {_OTHERS}")


def described(text: str | bytes) -> Described:
    """Return what a configuration says, once it is seen to be of a network like ours.

    Only a file that has a configuration can be checked so; its tensors are checked one by one in any case.

    Raises:
        ModelFileError: it is of no network like ours, with a global pooling and a linear head.
    """
    if len(text) > LARGEST_CONFIG_BYTES:
        raise ModelFileError(f"its configuration is larger than {LARGEST_CONFIG_BYTES:,} bytes.")
    try:
        layers = list(_layers(json.loads(text)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError("its configuration is not one that Keras writes.") from error
    for layer in layers:
        _check_layer(layer)
    classes = [layer["class_name"] for layer in layers]
    pooled = max((place for place, name in enumerate(classes) if name in _POOLING), default=None)
    if pooled is None:
        raise ModelFileError(f"the network must end with a global pooling. {_OTHERS}")
    heads = [layer for layer in layers[pooled:] if layer["class_name"] == "Dense"]
    if len(heads) != 1 or heads[0]["config"].get("activation") not in ("linear", None):
        raise ModelFileError(f"the network must have one dense layer, a linear one, as its head. {_OTHERS}")
    return Described(_POOLING[classes[pooled]], frozenset(classes))


def _layers(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if config["class_name"] not in ("Model", "Functional"):
        raise ModelFileError(f"it must be a functional model, the file has {config['class_name']!r:.60}. {_OTHERS}")
    yield from config["config"]["layers"]


def _check_layer(layer: dict[str, Any]) -> None:
    name = layer["class_name"]
    if name not in _OF_DENSENETS | _OF_OTHERS:
        raise ModelFileError(f"it has a layer of the kind {name!r:.60}, which none of the networks has. {_OTHERS}")
    module = layer.get("module")
    if module is not None and not str(module).startswith(_KNOWN_MODULES):
        raise ModelFileError(f"it has a layer from the foreign module {module!r:.60}, which is not loaded. {_OTHERS}")
