"""An ONNX graph as it is put together: nodes in the order in which they compute, and the constants that they use."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper

#: Read by runtimes from 2022 on; nothing later is needed.
OPSET, IR_VERSION = 17, 8


class Graph:
    """Nodes and constants, each named by its number."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of the standard operators with one output, and return the output's name."""
        name = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, dtype: type = np.float32) -> str:
        """Add an array, and return its name."""
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype), name))
        return name

    def model(
        self, given: tuple[str, Sequence[int | str]], made: tuple[str, Sequence[int | str]], about: dict[str, str]
    ) -> ModelProto:
        """Return the model of one float32 input and one float32 output, each a name and a shape.

        Args:
            given: the input; its name stands in the nodes that use it.
            made: the output; the last node's is called so.
            about: what the file says of itself.
        """
        self._nodes[-1].output[0] = made[0]
        graph = helper.make_graph(
            self._nodes,
            "network",
            [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
            [helper.make_tensor_value_info(made[0], TensorProto.FLOAT, made[1])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="CXR Lab")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, about)
        return model
