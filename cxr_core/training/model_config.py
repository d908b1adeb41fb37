"""A Keras network's architecture as Keras 2 described it in `.h5` files, which Keras 3 reads as well.

Keras 3 writes its own words (`batch_shape`, a dtype policy as an object), which no earlier Keras understands. The users
of the 2019 notebook load with whatever they have, so the description is kept to what all of them know.
"""

import json
from typing import Any

from cxr_core.errors import ModelFileError

#: What of a layer's configuration makes a difference in the networks of this product; the rest are Keras's defaults.
_KEPT = {
    "InputLayer": (),
    "ZeroPadding2D": ("padding",),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
    "BatchNormalization": ("axis", "momentum", "epsilon"),
    "Activation": ("activation",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "Concatenate": ("axis",),
    "GlobalMaxPooling2D": (),
    "GlobalAveragePooling2D": (),
    "Add": (),
    "Rescaling": ("scale", "offset"),
    "Dense": ("units",),
}


def can_be_told(network: Any) -> bool:
    """Say whether a network is made of the layers above alone; others are told to Keras 3 only, by their `.keras`."""
    return all(_known(type(operation)) for operation in network.operations)


def model_config(network: Any) -> str:
    """Return the JSON that describes a functional Keras network of the layers above, one input and one output.

    Raises:
        ModelFileError: the network has another kind of layer.
    """
    layers = [_layer(layer) for layer in network.layers]
    config = {
        "name": network.name,
        "layers": layers,
        "input_layers": [[network.inputs[0]._keras_history.operation.name, 0, 0]],
        "output_layers": [[network.outputs[0]._keras_history.operation.name, 0, 0]],
    }
    return json.dumps({"class_name": "Model", "config": config})


def _layer(layer: Any) -> dict[str, Any]:
    kind = _kind(layer)
    own = layer.get_config()
    config = {"name": layer.name} | {name: own[name] for name in _KEPT[kind]}
    if kind == "InputLayer":
        config |= {"batch_input_shape": list(layer.batch_shape), "dtype": "float32"}
    return {"class_name": kind, "name": layer.name, "config": config, "inbound_nodes": _inbound(layer)}


def _kind(layer: Any) -> str:
    """Return the name of the layer's class in Keras, also where ours is derived from it."""
    known = _known(type(layer))
    if not known:
        raise ModelFileError(f"A layer of kind {type(layer).__name__} cannot be described for other versions of Keras.")
    return known


def _known(kind: type) -> str:
    return next((base.__name__ for base in kind.__mro__ if base.__name__ in _KEPT), "")


def _inbound(layer: Any) -> list[Any]:
    """Return the layers that this one is fed by, in the nested lists of Keras 2."""
    (node,) = layer._inbound_nodes
    sources = [tensor._keras_history.operation.name for tensor in node.input_tensors]
    return [[[name, 0, 0, {}] for name in sources]] if sources else []
