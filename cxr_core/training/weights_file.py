"""Model files: the weights of a network in HDF5, in the layout of Keras's own `.h5` files, and what network it is.

Only weights are stored and read, never a configuration: deserialising one runs code that the file brings along. Keras's
`load_weights` reads these files into the same network, and files that Keras or the 2019 notebook wrote are read here.
The root attribute `cxr` (JSON) says which network it is. Loads no TensorFlow.
"""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from cxr_core.atomic import write_bytes
from cxr_core.errors import ModelFileError, UsageError
from cxr_core.model_names import parse_model_name
from cxr_core.schema import LABELS, RECORD_IMAGE_SIZE, TRAINING_VIEWS
from cxr_core.training import apart
from cxr_core.training.architectures import ARCHITECTURES, CHANNELS, MAX, POOLINGS
from cxr_core.training.execution_options import DECODINGS
from cxr_core.training.layer_arrays import ROOT, Arrays, read_keras3, read_layers
from cxr_core.training.options import IMAGE_SIZES, TrainOptions
from cxr_core.training.weights_container import Container, Shapes, opened
from cxr_core.training.weights_digest import ATTRIBUTE, check_info, check_weights, digests
from cxr_core.uncertainty import Policy, uniform_policy

_INFO = "cxr"
#: The version of Keras whose way of describing a model we write; all later ones read it.
_KERAS_VERSION = "2.2.4"
#: HDF5 keeps an attribute in the object header only below 64 KiB, so Keras splits longer lists of names.
_LARGEST_ATTRIBUTE = 64_000
#: What h5py raises on damaged files, depending on where the damage is.
_DAMAGE = (OSError, KeyError, ValueError, TypeError, RuntimeError)
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
        channels: 1, or 3 where it sees the grey three times (`network.build_network`).
        pooling: "max" or "average".
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
    channels: int = 1
    pooling: str = MAX

    @classmethod
    def of(cls, options: TrainOptions, policy: Policy) -> "ModelInfo":
        """Return what the options of a training say of its network, and how it was trained."""
        form = (options.architecture, options.image_size, options.view, policy.as_dict())
        return cls(*form, decode=options.decode, channels=options.channels, pooling=options.pooled_by)


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
        told = json.dumps(asdict(info))
        file.attrs[_INFO] = told
        file.attrs[ATTRIBUTE] = digests(
            told, ([_stored(array, dtype) for _, array in each] for _, each in layers if each)
        )
        root = file.create_group(ROOT)
        if config:
            for place in (file, root):
                place.attrs["keras_version"], place.attrs["backend"] = _KERAS_VERSION, "tensorflow"
            file.attrs["model_config"] = config
        _write_names(root, "layer_names", [name for name, _ in layers])
        for layer, weights in layers:
            group = root.create_group(layer)
            _write_names(group, "weight_names", [name for name, _ in weights])
            for name, array in weights:
                _write_array(group, name, _stored(array, dtype))
    write_bytes(path, content.getvalue())


def read_info(path: Path) -> ModelInfo:
    """Return which network a model file holds; a file without `cxr` is taken as the notebook's DenseNet121 at 320.

    Raises:
        ModelFileError: the file cannot be read, its `cxr` attribute is not what `write_weights` writes, or its
            configuration is of another network.
    """
    if apart.is_on():
        return told_info(path)
    with opened(path) as container:
        info = _info_in(container, path)
        try:
            if (told := container.described()) is not None:
                told.check(info.pooling, bool(ARCHITECTURES[info.architecture].blocks), info.channels)
        except ModelFileError as error:
            raise ModelFileError(f"The model file {path} does not fit: {error}") from error
        return info


def told_info(path: Path) -> ModelInfo:
    """Return what `read_info` does, or raise it, without opening the file in this process."""
    return _info_of(apart.told(path, "info"))


def tells_its_network(path: Path) -> bool:
    """Say whether a model file tells of itself which network it holds, as those of this product do."""
    if apart.is_on():
        return bool(apart.told(path, "tells"))
    with opened(path) as container:
        return _INFO in container.file.attrs


def read_weights(path: Path, shapes: Sequence[Shapes], names: Sequence[str] = ()) -> Arrays:
    """Return the arrays of each layer that has weights, in topological order, as float32.

    `shapes` are those that must be found, for each layer with weights, trainable variables first; `names` are the
    layers' own. TensorFlow 1 wrote a `/` where Keras now writes `_`, and any name that Keras gives a head will do.

    Raises:
        ModelFileError: the file is damaged, links elsewhere, holds other layers or shapes, or other weights than were
            written into it.
    """
    with opened(path) as container:
        try:
            container.described()
            if container.keras3:
                return read_keras3(container.file, shapes)
            arrays = read_layers(container.file, shapes, names)
            check_weights(container.file.attrs, arrays)
            return arrays
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


def _stored(array: npt.NDArray[Any], dtype: str) -> npt.NDArray[Any]:
    return array.astype(np.float16 if dtype == "float16" and array.ndim > 1 else np.float32)


def _write_array(group: Any, name: str, array: npt.NDArray[Any]) -> None:
    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if array.dtype == np.float16 else {}
    group.create_dataset(name, data=array, **packed)


def _write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    encoded = np.array([name.encode() for name in names])
    parts = math.ceil(encoded.nbytes / _LARGEST_ATTRIBUTE)
    if parts <= 1:
        group.attrs[attribute] = encoded
        return
    for number, part in enumerate(np.array_split(encoded, parts)):
        group.attrs[f"{attribute}{number}"] = part


def _info_in(container: Container, path: Path) -> ModelInfo:
    file = container.file
    try:
        if not {_INFO, ATTRIBUTE} & {*file.attrs}:
            return _info_from_name(path)
        info = _checked_info(json.loads(file.attrs[_INFO]))
        check_info(file.attrs, file.attrs[_INFO])
        return info
    except ModelFileError as error:
        raise ModelFileError(f"The model file {path} is damaged: {error}. Copy it anew.") from error
    except (*_DAMAGE, UsageError) as error:
        raise ModelFileError(
            f"The model file {path} does not say which network it holds. Copy or write it anew."
        ) from error


def _info_from_name(path: Path) -> ModelInfo:
    view, u, w = parse_model_name(path.stem)
    policy = None if u is None or w is None else uniform_policy(u, w).as_dict()
    return ModelInfo("densenet121", RECORD_IMAGE_SIZE, view, policy)


def _info_of(values: dict[str, Any]) -> ModelInfo:
    told = {name: tuple(values.get(name, ())) for name in ("labels", "untrained")}
    return ModelInfo(**(values | told))


def _checked_info(values: dict[str, Any]) -> ModelInfo:
    info = _info_of(values)
    known = info.architecture in ARCHITECTURES and info.image_size in IMAGE_SIZES and info.labels == LABELS
    known = known and info.channels in CHANNELS and info.pooling in POOLINGS
    known = known and info.decode in DECODINGS and set(info.untrained) <= set(LABELS)
    if not known or info.view not in (None, *TRAINING_VIEWS):
        raise ValueError("unknown architecture, image size, labels or view")
    if info.policy is not None:
        Policy.from_dict(info.policy)
    return info
