"""What an ONNX file must be before it is run: plain operators, one picture in, one row of numbers out.

Only for a process with limits (`onnx_worker`): reading a crafted file may take all its memory, or end it.
"""

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto, helper

from cxr_core.errors import ModelFileError
from cxr_core.models.onnx_card import OnnxCard

LARGEST_BYTES = 2_000_000_000
_MOST_NODES = 100_000
_STANDARD = ("", "ai.onnx")
_NOT_READ = (AttributeProto.TENSORS, AttributeProto.SPARSE_TENSOR, AttributeProto.SPARSE_TENSORS)
_WITHIN_GRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
_LONGEST = 200
_DAMAGED = "it is no ONNX file, or is damaged or nested too deeply. Copy it anew"


def checked_model(path: Path, card: OnnxCard) -> tuple[bytes, int | None]:
    """Return an ONNX file with its weights in it, and the size of the batch that it asks for; None for any.

    Raises:
        ModelFileError: it is damaged or too large, has other operators than the standard ones, graphs within graphs,
            data elsewhere than in its own folder, or another input or output than its card says.
    """
    try:
        content = _content(path, LARGEST_BYTES)
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ModelFileError(_DAMAGED) from error
    _check_texts(model)
    _check_operators(model)
    _load_weights(model, path.parent)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise ModelFileError(f"its graph is not whole: {_first_line(error)}") from error
    batch = _check_input(model.graph, card)
    _check_output(model.graph, card)
    return bytes(model.SerializeToString()), batch


def _content(path: Path, most: int) -> bytes:
    size = path.stat().st_size
    if size > most:
        raise ModelFileError(f"it has {size:,} bytes, more than the {most:,} that are read")
    return path.read_bytes()


def _check_texts(model: Any) -> None:
    """Raise where a name is not UTF-8: protobuf gives its bytes then."""
    texts = [entry.domain for entry in model.opset_import]
    texts += [text for node in model.graph.node for text in (node.op_type, node.domain)]
    if not all(isinstance(text, str) for text in texts):
        raise ModelFileError(_DAMAGED)


def _check_operators(model: Any) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    known = onnx.defs.onnx_opset_version()
    foreign = sorted(set(versions) - set(_STANDARD))
    if foreign or len(model.functions) or len(model.training_info):
        what = f"the domain {foreign[0]!r:.80}" if foreign else "functions or training of its own"
        raise ModelFileError(f"it has {what}, and only ONNX's standard operators are run")
    version = max(versions.values(), default=0)
    if not 0 < version <= known:
        raise ModelFileError(f"its operators are of version {version}, and those of 1 to {known} are known here")
    if len(model.graph.node) > _MOST_NODES:
        raise ModelFileError(f"it has more than {_MOST_NODES:,} nodes")
    for node in model.graph.node:
        if node.domain not in _STANDARD or not _is_known(node.op_type, version):
            name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
            raise ModelFileError(f"it has the operator {name!r:.80}, which is none of ONNX's standard ones")
        if any(attribute.type in _WITHIN_GRAPHS for attribute in node.attribute):
            raise ModelFileError(f"its operator {node.op_type} has a graph of its own, which is not run")


def _is_known(operator: str, version: int) -> bool:
    try:
        return not onnx.defs.get_schema(operator, version, "").deprecated
    except onnx.defs.SchemaError:
        return False


def _load_weights(model: Any, folder: Path) -> None:
    """Check that each tensor holds what it claims, and bring in those of other files of the model's folder."""
    if len(model.graph.sparse_initializer):
        raise ModelFileError("it has sparse weights, which are not read")
    total = 0
    for tensor in _tensors(model.graph):
        count = math.prod(tensor.dims)
        if min(tensor.dims, default=0) < 0:
            raise ModelFileError(f"its tensor {tensor.name!r:.80} has a negative size")
        try:
            size = count * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except (KeyError, TypeError) as error:
            raise ModelFileError(f"its tensor {tensor.name!r:.80} is of no known type") from error
        total += size
        if total > LARGEST_BYTES:
            raise ModelFileError(f"its tensors claim more than the {LARGEST_BYTES:,} bytes that are read")
        if tensor.data_location == TensorProto.EXTERNAL:
            _bring_in(tensor, size, folder)
        elif tensor.HasField("raw_data") and tensor.data_type != TensorProto.STRING and len(tensor.raw_data) != size:
            shorter = f"has {len(tensor.raw_data):,} bytes and claims {size:,}"
            raise ModelFileError(f"its tensor {tensor.name!r:.80} {shorter}. Copy the file anew")


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            elif attribute.type in _NOT_READ:
                raise ModelFileError(f"its operator {node.op_type} has tensors of a kind that is not read")


def _bring_in(tensor: Any, size: int, folder: Path) -> None:
    """Put what stands in another file of the model's own folder into its tensor."""
    told = {entry.key: entry.value for entry in tensor.external_data if isinstance(entry.value, str)}
    name = told.get("location", "")
    if not name or name in (".", "..") or Path(name).name != name or not name.isprintable():
        raise ModelFileError(f"its weights are elsewhere than in its own folder: {name!r:.80}")
    try:
        offset, length = int(told.get("offset", 0)), int(told.get("length", size))
        if offset < 0 or length != size:
            raise ValueError
        tensor.raw_data = _part(folder / name, offset, length)
    except (ValueError, OSError) as error:
        raise ModelFileError(
            f"its weights in the file {name!r:.80} are not there whole. Copy all its files into one folder"
        ) from error
    tensor.data_location = TensorProto.DEFAULT
    del tensor.external_data[:]


def _part(path: Path, offset: int, length: int) -> bytes:
    """Return bytes of a plain file: no link, no device; `ValueError` where it has fewer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size < offset + length:
            raise ValueError
        file.seek(offset)
        return file.read(length)


def _check_input(graph: Any, card: OnnxCard) -> int | None:
    """Return the size of the batch that the graph asks for."""
    weights = {tensor.name for tensor in graph.initializer}
    given = [value for value in graph.input if value.name not in weights]
    if len(given) != 1:
        raise ModelFileError(f"it must have one input, the pictures. It has {len(given)}")
    shape = _shape(given[0])
    batch, *found = shape if len(shape) == 4 else [0]
    wanted = card.picture_shape
    fits = len(found) == 3 and all(one in (None, asked) for one, asked in zip(found, wanted, strict=True))
    if not fits or batch == 0:
        shown = " x ".join("N" if one is None else str(one) for one in shape) or "nothing"
        raise ModelFileError(
            f"its input must be pictures of N x {' x '.join(map(str, wanted))}, as its card says. It is {shown}"
        )
    return batch


def _check_output(graph: Any, card: OnnxCard) -> None:
    if len(graph.output) != 1:
        raise ModelFileError(f"it must have one output, a number for each name of its card. It has {len(graph.output)}")
    _check_count(_shape(graph.output[0]), card)


def _check_count(shape: list[int | None], card: OnnxCard) -> None:
    if len(shape) != 2 or shape[1] not in (None, len(card.outputs)):
        shown = " x ".join("N" if one is None else str(one) for one in shape) or "one number"
        raise ModelFileError(f"its output must be N x {len(card.outputs)}, as its card names them. It is {shown}")


def _shape(value: Any) -> list[int | None]:
    """Return a shape, None where a size is free; [] where none is told."""
    kind = value.type.tensor_type
    if kind.elem_type != TensorProto.FLOAT:
        raise ModelFileError(f"its {value.name!r:.80} must be float32")
    return [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST]
