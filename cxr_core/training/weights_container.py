"""The three containers of Keras's weights, opened as HDF5 without running anything of theirs.

`.h5` (TensorFlow 1.13 to today), `.weights.h5` (Keras 3) and `.keras` (Keras 3: a zip with the latter in it). What a
file claims is checked before memory is taken. Loads no TensorFlow.
"""

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from cxr_core.errors import ModelFileError
from cxr_core.training.keras_config import LARGEST_CONFIG_BYTES, Described, described

_WEIGHTS, _CONFIG = "model.weights.h5", "config.json"
_MEMBERS = {_WEIGHTS, _CONFIG, "metadata.json"}
#: DenseNet121 has 28 MB of weights, with Adam's two moments 84 MB.
_LARGEST_WEIGHTS_BYTES = 400_000_000
_CONFIG_ATTRIBUTE = "model_config"
#: The group of a Keras 3 weights file that holds the layers.
LAYERS = "layers"

Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Container:
    """An open weights file.

    Attributes:
        keras3: its layers lie in Keras 3's way, by kind and number.
        config: its configuration, None where it has none.
    """

    file: Any
    keras3: bool
    config: str | bytes | None

    def described(self) -> Described | None:
        """Return what the configuration says of the network; `ModelFileError` when that is none like ours."""
        return None if self.config is None else described(self.config)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Container]:
    """Yield a model file opened for reading.

    Raises:
        ModelFileError: the file is missing, damaged, or no model file.
    """
    if not path.is_file():
        raise ModelFileError(f"The model file {path} does not exist.")
    content: Path | io.BytesIO = path
    config: str | bytes | None = None
    if zipfile.is_zipfile(path):
        config, content = _from_archive(path)
    try:
        file = h5py.File(content, "r")
    except OSError as error:
        raise ModelFileError(f"The model file {path} is no HDF5 file, or is damaged. Copy it anew.") from error
    with file:
        yield _checked(file, path, config)


def _checked(file: Any, path: Path, config: str | bytes | None) -> Container:
    try:
        return Container(file, _is_keras3(file), config or _config_attribute(file))
    except ModelFileError as error:
        raise ModelFileError(f"The model file {path} does not fit: {error}") from error
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise ModelFileError(f"The model file {path} is damaged: {error}. Copy it anew.") from error


def keras3_names(shapes: Sequence[Shapes]) -> list[list[str]]:
    """Return where Keras 3 keeps the variables of each layer, which it counts by kind: `layers/conv2d_1/vars/0`."""
    counts: dict[str, int] = {}
    names = []
    for layer in shapes:
        kind = _kind(layer)
        number = counts.get(kind, 0)
        counts[kind] = number + 1
        group = f"{LAYERS}/{kind}_{number}" if number else f"{LAYERS}/{kind}"
        names.append([f"{group}/vars/{index}" for index in range(len(layer))])
    return names


def _kind(layer: Shapes) -> str:
    ranks = [len(shape) for shape in layer]
    if 4 in ranks:
        return "conv2d"
    return "dense" if 2 in ranks else "batch_normalization"


def _is_keras3(file: Any) -> bool:
    link = file.get(LAYERS, getlink=True)
    return "layer_names" not in file.attrs and "model_weights" not in file and isinstance(link, h5py.HardLink)


def _from_archive(path: Path) -> tuple[bytes, io.BytesIO]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {item.filename: item.file_size for item in archive.infolist()}
            _check_members(sizes)
            config = _member(archive, _CONFIG, LARGEST_CONFIG_BYTES)
            return config, io.BytesIO(_member(archive, _WEIGHTS, _LARGEST_WEIGHTS_BYTES))
    except ModelFileError as error:
        raise ModelFileError(f"The model file {path} does not fit: {error}") from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"The model file {path} is a damaged archive. Copy it anew.") from error


def _check_members(sizes: dict[str, int]) -> None:
    missing = {_WEIGHTS, _CONFIG} - set(sizes)
    if missing:
        raise ModelFileError(f"it is an archive without {min(missing)}, so no `.keras` file.")
    unknown = {name for name in sizes if name not in _MEMBERS and not name.startswith("assets")}
    if unknown:
        raise ModelFileError(f"the archive has {min(unknown)!r:.80}, which Keras does not write.")


def _member(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    """Return a member's content, read no further than it may be long whatever its header claims."""
    with archive.open(name) as member:
        content = member.read(largest + 1)
    if len(content) > largest:
        raise ModelFileError(f"{name} is larger than {largest:,} bytes, more than the network has.")
    return content


def _config_attribute(file: Any) -> str | bytes | None:
    if _CONFIG_ATTRIBUTE not in file.attrs:
        return None
    if file.attrs.get_id(_CONFIG_ATTRIBUTE).shape not in ((), (1,)):
        raise ModelFileError("its configuration is not one that Keras writes.")
    config = file.attrs[_CONFIG_ATTRIBUTE]
    return config if isinstance(config, (str, bytes)) else str(config)
