"""What a model file says its network is made of, read as plain JSON and never deserialised.

Deserialising a configuration runs code that the file brings along (Lambda layers, foreign modules), so the network is
always built in code. The configuration only serves to refuse a file whose network is another one: with layers that
ours has not, a head that is not linear, or no global max pooling. Loads no TensorFlow.
"""

import json
from collections.abc import Iterator
from typing import Any

from cxr_core.errors import ModelFileError

#: A DenseNet121's configuration has 300 kB.
LARGEST_CONFIG_BYTES = 16_000_000

#: Class names of TensorFlow 1.13 to Keras 3 of which a DenseNet is made.
_KNOWN = {
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
    "GlobalMaxPooling2D",
    "Dense",
}
_KNOWN_MODULES = ("keras", "tensorflow.python.keras", "tf_keras")
_OTHERS = "For a model of another maker, predict with its own tools and import the predictions."


def check_config(text: str | bytes) -> None:
    """Raise `ModelFileError` unless a configuration is of a DenseNet with max pooling and a linear head.

    Only a file that has a configuration can be checked so; its tensors are checked one by one in any case.
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
    if "GlobalMaxPooling2D" not in classes:
        raise ModelFileError(f"the network must end with a global max pooling. {_OTHERS}")
    heads = [layer for layer in layers if layer["class_name"] == "Dense"]
    if len(heads) != 1 or heads[0]["config"].get("activation") not in ("linear", None):
        raise ModelFileError(f"the network must have one dense layer, a linear one, as its head. {_OTHERS}")


def _layers(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if config["class_name"] not in ("Model", "Functional"):
        raise ModelFileError(f"it must be a functional model, the file has {config['class_name']!r:.60}. {_OTHERS}")
    yield from config["config"]["layers"]


def _check_layer(layer: dict[str, Any]) -> None:
    name = layer["class_name"]
    if name not in _KNOWN:
        raise ModelFileError(f"it has a layer of the kind {name!r:.60}, which a DenseNet has not. {_OTHERS}")
    module = layer.get("module")
    if module is not None and not str(module).startswith(_KNOWN_MODULES):
        raise ModelFileError(f"it has a layer from the foreign module {module!r:.60}, which is not loaded. {_OTHERS}")
