"""What each kind of Keras layer is in ONNX, for the kinds that the networks of the table are made of.

Images are (batch, channels, height, width) there, and (batch, height, width, channels) in Keras.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_graph import Graph

_TO_FIRST, _TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_IMAGES = 4
#: What Keras calls an activation -> the node; others are put together below.
_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}

#: The graph, the layer, the names of its inputs, and their shapes in Keras -> the name of its output.
_Writer = Callable[[Graph, Any, Sequence[str], Sequence[tuple[Any, ...]]], str]


def channels_first(graph: Graph, name: str) -> str:
    """Return images as ONNX has them, of images as Keras has them."""
    return graph.add("Transpose", name, perm=_TO_FIRST)


def layer_written(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    """Add one layer to a graph, and return the name of its output.

    Args:
        graph: gets the layer's nodes and weights.
        layer: a Keras layer with weights, as it is when it predicts.
        names: of what it is given.
        shapes: of what it is given, as Keras has them; the size of the batch is None.

    Raises:
        ModelFileError: there is no way for this kind of layer, or for what it is set to.
    """
    kind = next((base.__name__ for base in type(layer).__mro__ if base.__name__ in _WRITERS), "")
    if not kind:
        raise _cannot(layer, "kind of layer")
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise _cannot(layer, "order of axes")
    return _WRITERS[kind](graph, layer, names, shapes)


def _cannot(layer: Any, what: str) -> ModelFileError:
    return ModelFileError(
        f"The layer {layer.name} ({type(layer).__name__}) cannot be written as ONNX: its {what} is not known there. "
        "Export a saved-model instead."
    )


def _same(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    """What acts in training alone."""
    return names[0]


def _activated(graph: Graph, layer: Any, name: str) -> str:
    kind = keras.activations.serialize(layer.activation)
    if kind == "linear":
        return name
    if kind == "silu":
        return graph.add("Mul", name, graph.add("Sigmoid", name))
    if kind == "gelu":  # x / 2 (1 + erf(x / sqrt(2))), Hendrycks and Gimpel 2016
        bell = graph.add("Erf", graph.add("Mul", name, graph.constant(np.sqrt(0.5))))
        return graph.add("Mul", graph.add("Mul", name, graph.constant(0.5)), graph.add("Add", bell, graph.constant(1)))
    if kind not in _ACTIVATIONS:
        raise _cannot(layer, "activation")
    return graph.add(_ACTIVATIONS[kind], name)


def _activation(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    return _activated(graph, layer, names[0])


def _by_channel(graph: Graph, values: npt.ArrayLike, shape: Sequence[Any]) -> str:
    """Add a number for each channel, in the form that goes with values of a shape."""
    array = np.asarray(values, np.float32)
    return graph.constant(array.reshape(-1, 1, 1) if len(shape) == _IMAGES else array.reshape(-1))


def _weights(graph: Graph, variable: Any, otherwise: npt.NDArray[np.float32]) -> str:
    """Add the numbers of a variable, or others where the layer has none."""
    return graph.constant(otherwise if variable is None else np.asarray(variable.value))


def _conv(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    """Keras's kernel (h, w, channels / groups, filters) becomes (filters, channels / groups, h, w)."""
    kernel = np.asarray(layer.kernel.value).transpose(3, 2, 0, 1)
    return _convolved(graph, layer, names[0], shapes[0], kernel, layer.groups)


def _depthwise(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    """Keras's kernel (h, w, channels, filters of each) becomes (channels x filters of each, 1, h, w)."""
    kernel = np.asarray(layer.kernel.value).transpose(2, 3, 0, 1)
    kernel = kernel.reshape(-1, 1, *kernel.shape[2:])
    return _convolved(graph, layer, names[0], shapes[0], kernel, shapes[0][-1])


def _convolved(
    graph: Graph, layer: Any, name: str, shape: tuple[Any, ...], kernel: npt.NDArray[Any], groups: int
) -> str:
    inputs = [name, graph.constant(kernel)]
    if layer.use_bias:
        inputs.append(graph.constant(np.asarray(layer.bias.value)))
    dilations = tuple(layer.dilation_rate)
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(layer.kernel_size, dilations, strict=True)]
    pads = _pads(layer, shape, reach)
    strides = list(layer.strides)
    made = graph.add("Conv", *inputs, group=int(groups), dilations=list(dilations), strides=strides, pads=pads)
    return _activated(graph, layer, made)


def _pads(layer: Any, shape: tuple[Any, ...], reach: Sequence[int]) -> list[int]:
    """Return what is put around images above, left, below and right: TensorFlow puts the odd one last."""
    if layer.padding == "valid":
        return [0, 0, 0, 0]
    if layer.padding != "same":
        raise _cannot(layer, "padding")
    totals = [
        max((-(-size // stride) - 1) * stride + wide - size, 0)
        for size, stride, wide in zip(shape[1:3], layer.strides, reach, strict=True)
    ]
    return [*(total // 2 for total in totals), *(total - total // 2 for total in totals)]


def _pooling(kind: str) -> _Writer:
    def written(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
        size = list(layer.pool_size)
        return graph.add(
            kind, names[0], kernel_shape=size, strides=list(layer.strides), pads=_pads(layer, shapes[0], size)
        )

    return written


def _global_pooling(kind: str) -> _Writer:
    def written(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
        made = graph.add(kind, names[0])
        return made if layer.keepdims else graph.add("Flatten", made)

    return written


def _zero_padding(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    (above, below), (left, right) = layer.padding
    return graph.add("Pad", names[0], graph.constant([0, 0, above, left, 0, 0, below, right], np.int64))


def _batch_norm(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    _need_last_axis(layer, shapes[0])
    ones = np.ones(shapes[0][-1], np.float32)
    numbers = [
        _weights(graph, layer.gamma, ones),
        _weights(graph, layer.beta, 0 * ones),
        _weights(graph, layer.moving_mean, 0 * ones),
        _weights(graph, layer.moving_variance, ones),
    ]
    return graph.add("BatchNormalization", names[0], *numbers, epsilon=float(layer.epsilon))


def _layer_norm(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    _need_last_axis(layer, shapes[0])
    ones = np.ones(shapes[0][-1], np.float32)
    numbers = [_weights(graph, layer.gamma, ones), _weights(graph, layer.beta, 0 * ones)]
    is_image = len(shapes[0]) == _IMAGES
    given = graph.add("Transpose", names[0], perm=_TO_LAST) if is_image else names[0]
    made = graph.add("LayerNormalization", given, *numbers, axis=-1, epsilon=float(layer.epsilon))
    return channels_first(graph, made) if is_image else made


def _need_last_axis(layer: Any, shape: Sequence[Any]) -> None:
    axes = np.atleast_1d(layer.axis).tolist()
    if axes not in ([-1], [len(shape) - 1]):
        raise _cannot(layer, "axis")


def _dense(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    kernel = np.asarray(layer.kernel.value)
    bias = _weights(graph, layer.bias if layer.use_bias else None, np.zeros(kernel.shape[1], np.float32))
    if len(shapes[0]) == _IMAGES:  # of each place by itself
        made = graph.add("Conv", names[0], graph.constant(kernel.T[:, :, None, None]), bias)
    else:
        made = graph.add("Gemm", names[0], graph.constant(kernel), bias)
    return _activated(graph, layer, made)


def _layer_scale(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    return graph.add("Mul", names[0], _by_channel(graph, np.asarray(layer.gamma.value), shapes[0]))


def _rescaling(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    bigger = graph.add("Mul", names[0], _by_channel(graph, layer.scale, shapes[0]))
    return graph.add("Add", bigger, _by_channel(graph, layer.offset, shapes[0]))


def _merged(kind: str) -> _Writer:
    def written(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
        made = names[0]
        for other in names[1:]:
            made = graph.add(kind, made, other)
        return made

    return written


def _concatenated(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    _need_last_axis(layer, shapes[0])
    return graph.add("Concat", *names, axis=1)


def _reshaped(graph: Graph, layer: Any, names: Sequence[str], shapes: Sequence[tuple[Any, ...]]) -> str:
    """Features (n) as an image of one place (1, 1, n), which is all that our networks reshape."""
    if tuple(layer.target_shape) != (1, 1, shapes[0][-1]) or len(shapes[0]) == _IMAGES:
        raise _cannot(layer, "shape")
    return graph.add("Reshape", names[0], graph.constant([0, shapes[0][-1], 1, 1], np.int64))


_WRITERS: dict[str, _Writer] = {
    "Activation": _activation,
    "Add": _merged("Add"),
    "AveragePooling2D": _pooling("AveragePool"),
    "BatchNormalization": _batch_norm,
    "Concatenate": _concatenated,
    "Conv2D": _conv,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise,
    "Dropout": _same,
    "GlobalAveragePooling2D": _global_pooling("GlobalAveragePool"),
    "GlobalMaxPooling2D": _global_pooling("GlobalMaxPool"),
    "LayerNormalization": _layer_norm,
    "LayerScale": _layer_scale,
    "MaxPooling2D": _pooling("MaxPool"),
    "Multiply": _merged("Mul"),
    "Rescaling": _rescaling,
    "Reshape": _reshaped,
    "StepDropout": _same,
    "ZeroPadding2D": _zero_padding,
}
