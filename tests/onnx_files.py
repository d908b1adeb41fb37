"""ONNX models of other makers, small, and their cards."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

#: The outputs of the DenseNet of TorchXRayVision (Cohen et al. 2022), in their order.
XRV = (
    *("Atelectasis", "Consolidation", "Infiltration", "Pneumothorax", "Edema", "Emphysema", "Fibrosis", "Effusion"),
    *("Pneumonia", "Pleural_Thickening", "Cardiomegaly", "Nodule", "Mass", "Hernia", "Lung Lesion", "Fracture"),
    *("Lung Opacity", "Enlarged Cardiomediastinum"),
)
XRV_CARD = f"""
view = "frontal"
size = 224
channels = 1
layout = "channels-first"
range = [-1024, 1024]
scale = "score"
outputs = {list(XRV)}

[labels]
atelectasis = "Atelectasis"
consolidation = "Consolidation"
pneumothorax = "Pneumothorax"
edema = "Edema"
pleural_effusion = "Effusion"
pneumonia = "Pneumonia"
cardiomegaly = "Cardiomegaly"
lung_lesion = "Lung Lesion"
fracture = "Fracture"
airspace_opacity = "Lung Opacity"
enlarged_cardiomediastinum = "Enlarged Cardiomediastinum"
"""


def xrv_weights() -> tuple[np.ndarray, np.ndarray]:
    """What the stand-in below does to the mean of a picture: (1, 18) and (18)."""
    random = np.random.default_rng(18)
    return random.normal(size=(1, 18)).astype(np.float32) / 1000, random.normal(size=18).astype(np.float32)


def xrv_model(nodes=None, shape=("batch", 1, 224, 224), outputs=18, weights=(), opsets=(("", 17),)):
    """A made-up stand-in of its form: the sigmoid of 18 numbers that are linear in a picture's mean."""
    scale, offset = xrv_weights()
    constants = [numpy_helper.from_array(scale, "scale"), numpy_helper.from_array(offset, "offset"), *weights]
    usual = [
        helper.make_node("GlobalAveragePool", ["pictures"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "scale", "offset"], ["sums"]),
        helper.make_node("Sigmoid", ["sums"], ["made"]),
    ]
    graph = helper.make_graph(
        usual if nodes is None else nodes,
        "stand-in",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("made", TensorProto.FLOAT, ["batch", outputs])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*one) for one in opsets])
    model.ir_version = 8
    return model


def written(folder: Path, model, card: str = XRV_CARD) -> Path:
    """Write a model and its card, and return the model's file."""
    file = folder / "xrv.onnx"
    file.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    file.with_suffix(".toml").write_text(card)
    return file
