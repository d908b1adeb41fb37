"""Which weights a training starts from: those of a model of the source, or a file that is named by its path."""

from pathlib import Path

from cxr_core.errors import ModelFileError, UsageError
from cxr_core.models.registry import find_weights
from cxr_core.sources.source import Source
from cxr_core.storage import check_location, is_remote, local_copy
from cxr_core.training.options import TrainOptions
from cxr_core.training.weights_file import read_info, tells_its_network

_SUFFIXES = (".h5", ".keras")


def absolute(path: str) -> str:
    """Return a local path made absolute; an empty one and one on gs:// stay as they are."""
    return path if not path or is_remote(check_location(path)) else str(Path(path).expanduser().absolute())


def located(init_from: str) -> str:
    """Return `init_from` with a local path made absolute; the name of a model stays as it is."""
    return absolute(init_from) if _is_path(init_from) else init_from


def start_weights(source: Source, init_from: str) -> Path:
    """Return the weights file of a model of the source, or the .h5 or .keras file of that path.

    Raises:
        UnknownNameError: the source has no such model.
        ModelFileError: there is no such file.
    """
    if not _is_path(init_from):
        return find_weights(source.models, init_from)
    path = local_copy(absolute(init_from))
    if not path.is_file():
        raise ModelFileError(f"The model file {path} does not exist. Name a model of the source, or another file.")
    return path


def check_start_model(source: Source, options: TrainOptions) -> None:
    """Raise unless training may start from the model that the options name, as far as its file tells.

    Every layer and shape is checked when the weights are loaded; a file of Keras's own does not say before which
    network it holds.
    """
    if not options.init_from:
        return
    path = start_weights(source, options.init_from)
    info = read_info(path)
    if tells_its_network(path) and info.architecture != options.architecture:
        raise UsageError(
            f"The model {options.init_from} is a {info.architecture}, so training from it needs "
            f"--architecture {info.architecture}. Received: {options.architecture}."
        )


def _is_path(init_from: str) -> bool:
    return bool(init_from) and (Path(init_from).name != init_from or Path(init_from).suffix in _SUFFIXES)
