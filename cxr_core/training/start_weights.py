"""Weights of another model as the start of a training: a file's tensors into a network, every one accounted for.

The file may be of an earlier run, of `keras.applications` (`.h5`, as its public weights are, `.weights.h5` or
`.keras`), with a head of its own or without one. All tensors before the head must be there with their shapes; a head
of another shape stays random. Weights of a first convolution that saw three channels serve one that sees the grey:
they are summed over the channels, which is what it would see of three equal ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cxr_core.errors import ModelFileError
from cxr_core.training.file_tensors import FileTensors, Tensor, tensors_of
from cxr_core.training.keras3_paths import keras3_paths
from cxr_core.training.weights_container import opened
from cxr_core.training.weights_digest import check_weights
from cxr_core.words import counted

_COLOURS = 3
_MOST_NAMED = 4
#: What h5py raises on damaged files, depending on where the damage is.
_DAMAGE = (OSError, KeyError, ValueError, TypeError, RuntimeError)


@dataclass(frozen=True)
class Taken:
    """What a network got of a file.

    Attributes:
        file: its name.
        taken, all: tensors of the network that come from the file, of how many it has.
        summed: those of them that were summed over three channels.
        random: layers that the file does not serve.
        left: tensors of the file that were not taken.
    """

    file: str
    taken: int
    all: int
    summed: tuple[str, ...]
    random: tuple[str, ...]
    left: tuple[str, ...]

    def words(self) -> str:
        """Return it in sentences."""
        said = [f"{self.taken} of {counted(self.all, 'tensor')} taken from {self.file}"]
        if self.summed:
            said.append(f"summed over its three channels: {_listed(self.summed)}")
        if self.random:
            said.append(f"random, as the file has none that fit: {_listed(self.random)}")
        if self.left:
            said.append(f"in the file and not taken: {_listed(self.left)}")
        return "; ".join(said)


def start_from(network: Any, path: Path) -> Taken:
    """Put the weights of a file into a network, every shape checked before anything is changed.

    Raises:
        ModelFileError: the file is damaged, or is of another network: a tensor before the head is missing or has
            another shape.
    """
    with opened(path) as container:
        try:
            found = tensors_of(container)
            layers = ([tensor.read() for tensor in layer] for layer in found.by_layer.values())
            check_weights(container.file.attrs, layers)
            chosen = list(_chosen(network, found))
            if not any(tensor for _, _, tensor, _ in chosen):
                raise ModelFileError(f"none of its tensors is one of {network.name}.")
            arrays = [None if tensor is None else _fitting(tensor, shape) for _, _, tensor, shape in chosen]
        except ModelFileError as error:
            raise ModelFileError(f"The model file {path} does not fit: {error}") from error
        except _DAMAGE as error:
            raise ModelFileError(f"The model file {path} is damaged: {error}. Copy it anew.") from error
    for (_, variable, _, _), array in zip(chosen, arrays, strict=True):
        if array is not None:
            variable.assign(array)
    used = {id(tensor) for _, _, tensor, _ in chosen}
    return Taken(
        file=path.name,
        taken=sum(tensor is not None for _, _, tensor, _ in chosen),
        all=len(chosen),
        summed=tuple(tensor.name for _, _, tensor, shape in chosen if tensor is not None and tensor.shape != shape),
        random=tuple(dict.fromkeys(layer for layer, _, tensor, _ in chosen if tensor is None)),
        left=tuple(tensor.name for tensor in found.all() if id(tensor) not in used) + found.others,
    )


#: A layer's name, one of its variables, the tensor of the file for it, and the variable's shape.
_Choice = tuple[str, Any, Tensor | None, tuple[int, ...]]


def _chosen(network: Any, found: FileTensors) -> Iterator[_Choice]:
    """Yield each variable of a network with the tensor of the file for it; the head may have none."""
    layers = [layer for layer in network.layers if layer.weights]
    paths = keras3_paths(network)
    for number, layer in enumerate(layers):
        variables = [*layer.trainable_weights, *layer.non_trainable_weights]
        shapes = [tuple(variable.shape) for variable in variables]
        is_head = layer is network.layers[-1]
        tensors = found.of_head(paths[layer.name]) if is_head else found.of_layer(layer.name, paths[layer.name])
        may_sum = number == 0
        fits = len(tensors) == len(shapes) and all(
            tensor.shape == shape or (may_sum and _sums_to(tensor.shape, shape))
            for tensor, shape in zip(tensors, shapes, strict=True)
        )
        if not fits and not is_head:
            had = f"it has {[tensor.shape for tensor in tensors]}" if tensors else "it has none"
            raise ModelFileError(f"the layer {layer.name} of {network.name} needs tensors of {shapes}, {had}.")
        serving: list[Tensor | None] = [*tensors] if fits else [None] * len(shapes)
        for variable, tensor, shape in zip(variables, serving, shapes, strict=True):
            yield layer.name, variable, tensor, shape


def _sums_to(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Say whether a kernel (h, w, 3, filters) is for three channels where one for the grey is wanted."""
    return len(found) == len(wanted) == 4 and found[2] == _COLOURS and (*found[:2], 1, found[3]) == wanted


def _fitting(tensor: Tensor, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    array = tensor.read()
    return array if array.shape == shape else array.sum(axis=2, keepdims=True)


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
