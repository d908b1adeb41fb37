"""The arrays of each layer out of an open weights file, in any layout of Keras; no link and no size is trusted."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from cxr_core.errors import ModelFileError
from cxr_core.training.weights_container import LAYERS, Shapes, keras3_names

ROOT = "model_weights"
_MOST_NAMES = 10_000
#: What Keras calls a dense layer without a name of its own, and what ours is called.
HEAD_NAME = re.compile(r"dense(_\d+)?|logits|predictions")
_DEEPEST = 4
#: The arrays of each layer.
Arrays = list[list[npt.NDArray[np.float32]]]


def read_keras3(file: Any, shapes: Sequence[Shapes]) -> Arrays:
    """Read the layout of Keras 3, in which no tensor may be left over."""
    expected = keras3_names(shapes)
    known = {name for names in expected for name in names}
    for name in tensor_names(child(file, LAYERS, h5py.Group), LAYERS):
        if name not in known:
            raise ModelFileError(f"the file has the tensor {name}, which the network has not.")
    return [
        [read_array(file, name, shape) for name, shape in zip(names, layer, strict=True)]
        for names, layer in zip(expected, shapes, strict=True)
    ]


def tensor_names(group: Any, path: str, depth: int = 0) -> Iterator[str]:
    """Yield the paths of all datasets below a group; a link to elsewhere is refused."""
    if depth > _DEEPEST or len(group) > _MOST_NAMES:
        raise ModelFileError(f"{path} holds more than a network has.")
    for name in group:
        if isinstance(child(group, name, (h5py.Group, h5py.Dataset)), h5py.Dataset):
            yield f"{path}/{name}"
        else:
            yield from tensor_names(group[name], f"{path}/{name}", depth + 1)


def read_layers(file: Any, shapes: Sequence[Shapes], expected: Sequence[str]) -> Arrays:
    """Read the layout of Keras's `.h5` files; `expected` are the names of the layers, or none."""
    filled = layer_groups(file)
    if len(filled) != len(shapes):
        raise ModelFileError(f"the network has {len(shapes)} layers with weights, the file {len(filled)}.")
    if expected:
        _check_layer_names([name for name, _, _ in filled], expected)
    return [_read_layer(group, names, expected) for (_, group, names), expected in zip(filled, shapes, strict=True)]


def layer_groups(file: Any) -> list[tuple[str, Any, list[str]]]:
    """Return each layer with weights of an `.h5` file: its name, its group, and the names of its tensors in that."""
    root = file if "layer_names" in file.attrs or "layer_names0" in file.attrs else child(file, ROOT, h5py.Group)
    groups = [(name, child(root, name, h5py.Group)) for name in _names(root, "layer_names")]
    return [(name, group, names) for name, group in groups if (names := _names(group, "weight_names"))]


def _check_layer_names(found: Sequence[str], names: Sequence[str]) -> None:
    for received, name in zip(found[:-1], names[:-1], strict=True):
        if received.replace("/", "_") != name.replace("/", "_"):
            raise ModelFileError(f"the network has a layer {name} where the file has {received!r:.80}.")
    if found and not HEAD_NAME.fullmatch(found[-1]):
        raise ModelFileError(f"the head must be a layer `dense`, the file has {found[-1]!r:.80}.")


def _read_layer(group: Any, names: list[str], shapes: Sequence[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
    if len(names) != len(shapes):
        raise ModelFileError(f"layer {group.name} must have {len(shapes)} weights, the file has {len(names)}.")
    return [read_array(group, name, shape) for name, shape in zip(names, shapes, strict=True)]


def read_array(group: Any, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a tensor of that shape; no link, no other file and nothing but finite floats is read."""
    dataset = child(group, name, h5py.Dataset)
    # The shape is checked before anything is read: a small file can claim terabytes.
    if dataset.shape != shape or dataset.dtype.kind != "f":
        raise ModelFileError(f"{dataset.name} must be floats of shape {shape}, the file has {dataset.shape}.")
    if dataset.external is not None or dataset.is_virtual:
        raise ModelFileError(f"{dataset.name} is kept in another file, which is not read.")
    array: npt.NDArray[np.float32] = dataset[...].astype(np.float32)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{dataset.name} holds numbers that are not finite.")
    return array


def child(group: Any, name: str, kind: type | tuple[type, ...]) -> Any:
    """Return a member of a group by its path, refusing soft and external links on the way."""
    for part in _parts(name):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(f"{name} is missing or only a link.")
        group = group[part]
    if not isinstance(group, kind):
        raise ModelFileError(f"{name} is not what Keras keeps there.")
    return group


def _parts(name: str) -> Iterator[str]:
    return (part for part in name.split("/") if part not in ("", "."))


def _names(group: Any, attribute: str) -> list[str]:
    if attribute in group.attrs:
        return _name_list(group, attribute)
    found: list[str] = []
    number = 0
    while f"{attribute}{number}" in group.attrs and len(found) <= _MOST_NAMES:
        found += _name_list(group, f"{attribute}{number}")
        number += 1
    return found


def _name_list(group: Any, attribute: str) -> list[str]:
    shape = group.attrs.get_id(attribute).shape
    if len(shape) != 1 or shape[0] > _MOST_NAMES:
        raise ModelFileError(f"the list {attribute} of {group.name} is not one that Keras writes.")
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]
