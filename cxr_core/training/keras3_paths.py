"""Where Keras 3 keeps the variables of a network in its files: by kind and number, as in `layers/conv2d_1/vars/0`."""

from typing import Any

import keras

from cxr_core.training.weights_container import LAYERS


def keras3_paths(network: Any) -> dict[str, list[str]]:
    """Return the paths of each layer's variables, trainable ones first, by the layer's name."""
    return {name: [*paths] for name, paths in _paths(network.layers, LAYERS).items()}


def _paths(layers: list[Any], group: str) -> dict[str, list[str]]:
    counts: dict[str, int] = {}
    found = {}
    for layer in layers:
        kind = _kind(layer)
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        place = f"{group}/{kind}_{number}" if number else f"{group}/{kind}"
        if isinstance(layer, keras.Sequential):
            inner = _paths(layer.layers, f"{place}/{LAYERS}")
            found[layer.name] = [path for one in layer.layers for path in inner[one.name]]
        else:
            found[layer.name] = [f"{place}/vars/{index}" for index in range(len(layer.weights))]
    return found


def _kind(layer: Any) -> str:
    """Return the word for the layer's class in Keras, also where ours is derived from it."""
    own = next(kind for kind in type(layer).__mro__ if kind.__module__.startswith("keras."))
    return str(keras.src.utils.naming.to_snake_case(own.__name__))
