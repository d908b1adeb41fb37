"""All tensors of a weights file, listed before anything is read: what a start from foreign weights chooses from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from cxr_core.training.layer_arrays import HEAD_NAME, child, layer_groups, read_array, tensor_names
from cxr_core.training.weights_container import LAYERS, Container

_OPTIMIZER = "optimizer_weights"


@dataclass(frozen=True)
class Tensor:
    """A tensor in an open file: `name` as people know it, by layer, and its shape."""

    name: str
    shape: tuple[int, ...]
    group: Any = field(repr=False)
    path: str = ""

    def read(self) -> npt.NDArray[np.float32]:
        """Return the numbers; `ModelFileError` where they are no finite floats of this shape or lie elsewhere."""
        return read_array(self.group, self.path, self.shape)


@dataclass(frozen=True)
class FileTensors:
    """The tensors of a file by layer (`.h5`) or by path (Keras 3); `others` names what is no weight of a layer."""

    by_layer: dict[str, list[Tensor]]
    by_path: dict[str, Tensor]
    others: tuple[str, ...] = ()

    def all(self) -> list[Tensor]:
        """Return all, in the order of the file."""
        return [tensor for layer in self.by_layer.values() for tensor in layer] + list(self.by_path.values())

    def of_layer(self, name: str, paths: Sequence[str]) -> list[Tensor]:
        """Return the tensors of a layer: by its name where the file has names, else where Keras 3 keeps them."""
        if self.by_layer:
            return self.by_layer.get(_plain(name), [])
        return [self.by_path[path] for path in paths if path in self.by_path]

    def of_head(self, paths: Sequence[str]) -> list[Tensor]:
        """Return the tensors of the file's head, if it has one."""
        if not self.by_layer:
            return self.of_layer("", paths)
        last = list(self.by_layer)[-1]
        return self.by_layer[last] if HEAD_NAME.fullmatch(last) else []


def tensors_of(container: Container) -> FileTensors:
    """Return the tensors of an open file; links to elsewhere are refused.

    Raises:
        ModelFileError: a link, or more than a network has.
    """
    file = container.file
    if container.keras3:
        paths = tensor_names(file[LAYERS], LAYERS)
        return FileTensors({}, {path: Tensor(path, file[path].shape, file, path) for path in paths}, _optimizer(file))
    layers = {
        _plain(layer): [
            Tensor(f"{layer}/{_last(name)}", child(group, name, h5py.Dataset).shape, group, name) for name in names
        ]
        for layer, group, names in layer_groups(file)
    }
    return FileTensors(layers, {}, _optimizer(file))


def _optimizer(file: Any) -> tuple[str, ...]:
    return ("the state of its optimizer",) if isinstance(file.get(_OPTIMIZER, getlink=True), h5py.HardLink) else ()


def _plain(name: str) -> str:
    """Return a layer's name as Keras writes it now: TensorFlow 1 wrote a `/` where there is a `_`."""
    return name.replace("/", "_")


def _last(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(":0")
