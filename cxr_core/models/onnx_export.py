"""A Keras network of ours -> an ONNX file for other programs, which predicts the same.

tf2onnx, which Keras's own export to ONNX asks for, knows TensorFlow up to 2.15; so the few kinds of layers that our
networks have are written here one by one, and onnx's checker looks at what came out.
"""

import json
from dataclasses import asdict
from typing import Any

import keras
import onnx

import cxr_core
from cxr_core.models.onnx_graph import Graph
from cxr_core.models.onnx_layers import channels_first, layer_written
from cxr_core.schema import LABELS
from cxr_core.training.weights_file import ModelInfo

PIXELS, LOGITS = "pixels", "logits"


def onnx_bytes(network: Any, info: ModelInfo) -> bytes:
    """Return an ONNX file: `pixels` (batch, size, size, 1), float32 in [0, 1] -> `logits` (batch, 14).

    Its metadata `cxr` is what the network's own file says of itself, `labels` the names of the outputs in their order.

    Args:
        network: of `network.build_network`, with its weights.
        info: what its file says of it.

    Raises:
        ModelFileError: the network has a layer that cannot be written.
    """
    graph = Graph()
    _write(graph, network)
    size = info.image_size
    about = {"cxr": json.dumps(asdict(info)), "labels": json.dumps(LABELS), "version": cxr_core.__version__}
    model = graph.model((PIXELS, ("batch", size, size, 1)), (LOGITS, ("batch", len(LABELS))), about)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _write(graph: Graph, network: Any) -> None:
    """Add the layers of a functional network."""
    names = {id(network.inputs[0]): channels_first(graph, PIXELS)}
    for layer in network.operations:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        (node,) = layer._inbound_nodes
        given, (made,) = node.input_tensors, node.output_tensors
        found = [names[id(tensor)] for tensor in given]
        if isinstance(layer, keras.Sequential):
            names[id(made)] = _chain(graph, layer, found[0])
        else:
            names[id(made)] = layer_written(graph, layer, found, [tuple(tensor.shape) for tensor in given])


def _chain(graph: Graph, layers: Any, name: str) -> str:
    """Add layers that follow each other, and return the name of what the last one makes."""
    for layer in layers.layers:
        name = layer_written(graph, layer, [name], [tuple(layer._inbound_nodes[-1].input_tensors[0].shape)])
    return name
