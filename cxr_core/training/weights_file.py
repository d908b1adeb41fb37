"""Model files: the weights of a network in HDF5, in the layout of Keras's own `.h5` files, and what network it is.

Only weights are stored and read, never a configuration: deserialising one runs code that the file brings along. Keras's
`load_weights` reads these files into the same network, and files that Keras or the 2019 notebook wrote are read here.
The root attribute `cxr` (JSON) says which network it is. Loads no TensorFlow.
"""

import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from cxr_core.atomic import write_bytes
from cxr_core.errors import ModelFileError, UsageError
from cxr_core.schema import LABELS, RECORD_IMAGE_SIZE, TRAINING_VIEWS
from cxr_core.training.execution_options import DECODINGS
from cxr_core.training.options import ARCHITECTURES, IMAGE_SIZES
from cxr_core.training.weights_container import LAYERS, Shapes, keras3_names, opened
from cxr_core.uncertainty import Policy, parse_model_name, uniform_policy

_INFO = "cxr"
_ROOT = "model_weights"
#: The version of Keras whose way of describing a model we write; all later ones read it.
_KERAS_VERSION = "2.2.4"
#: HDF5 keeps an attribute in the object header only below 64 KiB, so Keras splits longer lists of names.
_LARGEST_ATTRIBUTE = 64_000
_MOST_NAMES = 10_000
#: What h5py raises on damaged files, depending on where the damage is.
_DAMAGE = (OSError, KeyError, ValueError, TypeError, RuntimeError)
#: What Keras calls a dense layer without a name of its own, and what ours is called.
_HEAD_NAME = re.compile(r"dense(_\d+)?|logits|predictions")
_DEEPEST = 4
#: The arrays of each layer.
Arrays = list[list[npt.NDArray[np.float32]]]
#: Variables of one layer in the order of Keras's `.h5` files: trainable ones first.
LayerWeights = tuple[str, list[tuple[str, npt.NDArray[Any]]]]


@dataclass(frozen=True)
class ModelInfo:
    """Which network a model file holds and how it was trained.

    Attributes:
        view: the view it was trained on, or None where nothing tells.
        policy: `Policy.as_dict()`, or None where nothing tells.
        run: ID of the run that made it; "" where there is none.
        decode: how its images were made smaller (`pixels.PixelFormat`); files that do not tell were trained on "full".
        equalised: whether the histograms of its training images were made flat; None where nothing tells.
        untrained: labels of which no training image had a value, so that their outputs mean nothing.
    """

    architecture: str
    image_size: int
    view: str | None
    policy: dict[str, Any] | None
    labels: tuple[str, ...] = LABELS
    run: str = ""
    decode: str = "full"
    untrained: tuple[str, ...] = ()
    equalised: bool | None = None


def write_weights(network: Any, path: Path, info: ModelInfo, dtype: str = "float32", config: str = "") -> None:
    """Write the weights of a Keras network and `info` to `path`, atomically.

    With `config`, the network's architecture as `model_config` describes it, others load the file as a whole model.

    With dtype "float16" the kernels are stored in half precision, compressed; batch norm statistics and biases stay
    float32, because small variances would vanish.
    """
    layers = [(layer.name, _named_arrays(layer)) for layer in network.layers if layer.weights]
    write_layers(layers, path, info, dtype, config)


def write_layers(
    layers: Sequence[LayerWeights], path: Path, info: ModelInfo, dtype: str = "float32", config: str = ""
) -> None:
    """Write layers, each (name, [(weight name, array)]) in topological order, as `write_weights` does."""
    content = io.BytesIO()
    with h5py.File(content, "w", libver="latest") as file:
        file.attrs[_INFO] = json.dumps(asdict(info))
        root = file.create_group(_ROOT)
        if config:
            for place in (file, root):
                place.attrs["keras_version"], place.attrs["backend"] = _KERAS_VERSION, "tensorflow"
            file.attrs["model_config"] = config
        _write_names(root, "layer_names", [name for name, _ in layers])
        for layer, weights in layers:
            group = root.create_group(layer)
            _write_names(group, "weight_names", [name for name, _ in weights])
            for name, array in weights:
                _write_array(group, name, array, dtype)
    write_bytes(path, content.getvalue())


def read_info(path: Path) -> ModelInfo:
    """Return which network a model file holds; a file without `cxr` is taken as the notebook's DenseNet121 at 320.

    Raises:
        ModelFileError: the file cannot be read, or its `cxr` attribute is not what `write_weights` writes.
    """
    with opened(path) as container:
        file = container.file
        try:
            return _checked_info(json.loads(file.attrs[_INFO])) if _INFO in file.attrs else _info_from_name(path)
        except (*_DAMAGE, UsageError) as error:
            raise ModelFileError(
                f"The model file {path} does not say which network it holds. Copy or write it anew."
            ) from error


def tells_its_network(path: Path) -> bool:
    """Say whether a model file tells of itself which network it holds, as those of this product do."""
    with opened(path) as container:
        return _INFO in container.file.attrs


def read_weights(path: Path, shapes: Sequence[Shapes], names: Sequence[str] = ()) -> Arrays:
    """Return the arrays of each layer that has weights, in topological order, as float32.

    `shapes` are those that must be found, for each layer with weights, trainable variables first; `names` are the
    layers' own. TensorFlow 1 wrote a `/` where Keras now writes `_`, and any name that Keras gives a head will do.

    Raises:
        ModelFileError: the file is damaged, links elsewhere, or holds other layers or shapes.
    """
    with opened(path) as container:
        try:
            if container.keras3:
                return _read_keras3(container.file, shapes)
            return _read_layers(container.file, shapes, names)
        except ModelFileError as error:
            raise ModelFileError(f"The model file {path} does not fit: {error}") from error
        except _DAMAGE as error:
            raise ModelFileError(f"The model file {path} is damaged: {error}. Copy it anew.") from error


def load_into(network: Any, path: Path) -> None:
    """Put the weights of a model file into a Keras network, every shape checked before anything is changed.

    Raises:
        ModelFileError: the file is damaged, or holds another network.
    """
    names = [layer.name for layer in network.layers if layer.weights]
    layers = [_variables(layer) for layer in network.layers if layer.weights]
    shapes = [[tuple(variable.shape) for variable in variables] for variables in layers]
    for variables, arrays in zip(layers, read_weights(path, shapes, names), strict=True):
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)


def _variables(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _named_arrays(layer: Any) -> list[tuple[str, npt.NDArray[Any]]]:
    return [(f"{variable.name}:0", np.asarray(variable.value)) for variable in _variables(layer)]


def _write_array(group: Any, name: str, array: npt.NDArray[Any], dtype: str) -> None:
    if dtype == "float16" and array.ndim > 1:
        group.create_dataset(name, data=array.astype(np.float16), compression="gzip", compression_opts=9, shuffle=True)
    else:
        group.create_dataset(name, data=array.astype(np.float32))


def _write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    encoded = np.array([name.encode() for name in names])
    parts = math.ceil(encoded.nbytes / _LARGEST_ATTRIBUTE)
    if parts <= 1:
        group.attrs[attribute] = encoded
        return
    for number, part in enumerate(np.array_split(encoded, parts)):
        group.attrs[f"{attribute}{number}"] = part


def _info_from_name(path: Path) -> ModelInfo:
    view, u, w = parse_model_name(path.stem)
    policy = None if u is None or w is None else uniform_policy(u, w).as_dict()
    return ModelInfo("densenet121", RECORD_IMAGE_SIZE, view, policy)


def _checked_info(values: dict[str, Any]) -> ModelInfo:
    told = {name: tuple(values.get(name, ())) for name in ("labels", "untrained")}
    info = ModelInfo(**(values | told))
    known = info.architecture in ARCHITECTURES and info.image_size in IMAGE_SIZES and info.labels == LABELS
    known = known and info.decode in DECODINGS and set(info.untrained) <= set(LABELS)
    if not known or info.view not in (None, *TRAINING_VIEWS):
        raise ValueError("unknown architecture, image size, labels or view")
    if info.policy is not None:
        Policy.from_dict(info.policy)
    return info


def _read_keras3(file: Any, shapes: Sequence[Shapes]) -> Arrays:
    """Read the layout of Keras 3, in which no tensor may be left over."""
    expected = keras3_names(shapes)
    known = {name for names in expected for name in names}
    for name in _tensors(_child(file, LAYERS, h5py.Group), LAYERS):
        if name not in known:
            raise ModelFileError(f"the file has the tensor {name}, which the network has not.")
    return [
        [_read_array(file, name, shape) for name, shape in zip(names, layer, strict=True)]
        for names, layer in zip(expected, shapes, strict=True)
    ]


def _tensors(group: Any, path: str, depth: int = 0) -> Iterator[str]:
    """Yield the paths of all datasets below a group; a link to elsewhere is refused."""
    if depth > _DEEPEST or len(group) > _MOST_NAMES:
        raise ModelFileError(f"{path} holds more than a network has.")
    for name in group:
        if isinstance(_child(group, name, (h5py.Group, h5py.Dataset)), h5py.Dataset):
            yield f"{path}/{name}"
        else:
            yield from _tensors(group[name], f"{path}/{name}", depth + 1)


def _read_layers(file: Any, shapes: Sequence[Shapes], expected: Sequence[str]) -> Arrays:
    root = file if "layer_names" in file.attrs or "layer_names0" in file.attrs else _child(file, _ROOT, h5py.Group)
    groups = [_child(root, name, h5py.Group) for name in _names(root, "layer_names")]
    filled = [(group, names) for group in groups if (names := _names(group, "weight_names"))]
    if len(filled) != len(shapes):
        raise ModelFileError(f"the network has {len(shapes)} layers with weights, the file {len(filled)}.")
    if expected:
        _check_layer_names([group.name.rpartition(f"/{_ROOT}/")[2].strip("/") for group, _ in filled], expected)
    return [_read_layer(group, names, expected) for (group, names), expected in zip(filled, shapes, strict=True)]


def _check_layer_names(found: Sequence[str], names: Sequence[str]) -> None:
    for received, name in zip(found[:-1], names[:-1], strict=True):
        if received.replace("/", "_") != name.replace("/", "_"):
            raise ModelFileError(f"the network has a layer {name} where the file has {received!r:.80}.")
    if found and not _HEAD_NAME.fullmatch(found[-1]):
        raise ModelFileError(f"the head must be a layer `dense`, the file has {found[-1]!r:.80}.")


def _read_layer(group: Any, names: list[str], shapes: Sequence[tuple[int, ...]]) -> list[npt.NDArray[np.float32]]:
    if len(names) != len(shapes):
        raise ModelFileError(f"layer {group.name} must have {len(shapes)} weights, the file has {len(names)}.")
    return [_read_array(group, name, shape) for name, shape in zip(names, shapes, strict=True)]


def _read_array(group: Any, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    dataset = _child(group, name, h5py.Dataset)
    # The shape is checked before anything is read: a small file can claim terabytes.
    if dataset.shape != shape or dataset.dtype.kind != "f":
        raise ModelFileError(f"{dataset.name} must be floats of shape {shape}, the file has {dataset.shape}.")
    if dataset.external is not None or dataset.is_virtual:
        raise ModelFileError(f"{dataset.name} is kept in another file, which is not read.")
    array: npt.NDArray[np.float32] = dataset[...].astype(np.float32)
    if not np.isfinite(array).all():
        raise ModelFileError(f"{dataset.name} holds numbers that are not finite.")
    return array


def _child(group: Any, name: str, kind: type | tuple[type, ...]) -> Any:
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
