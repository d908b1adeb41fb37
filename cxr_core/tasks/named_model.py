"""A model that somebody names: one of the source's, or a weights file by its path."""

from pathlib import Path

from cxr_core.config_text import home_path
from cxr_core.errors import ModelFileError, UsageError
from cxr_core.locations import check_location, is_remote
from cxr_core.models.listing import find_weights
from cxr_core.sources.source import Source
from cxr_core.storage import local_copy
from cxr_core.training import apart
from cxr_core.training.options import TrainOptions
from cxr_core.training.weights_file import read_info, tells_its_network

#: The longest ending first: `name_of` takes off one of them.
_SUFFIXES = (".weights.h5", ".h5", ".keras", ".onnx")


def absolute(path: str) -> str:
    """Return a local path made absolute; an empty one and one on gs:// stay as they are.

    Raises:
        UsageError: it begins with the `~` of a user that there is not, or is no legal location.
    """
    if not path or is_remote(check_location(path)):
        return path
    return str(home_path(path).absolute())


def located(model: str) -> str:
    """Return a model with its path made absolute; the name of one stays as it is."""
    return absolute(model) if is_path(model) else model


def name_of(model: str) -> str:
    """Return the name of a model, which of a file is that of the file without its ending."""
    if not is_path(model):
        return model
    file = Path(model).name
    ending = next((suffix for suffix in _SUFFIXES if file.endswith(suffix)), "")
    return file.removesuffix(ending)


def weights_of(source: Source, model: str) -> Path:
    """Return the weights file of a model of the source, or the .h5, .keras or .onnx file of that path.

    What is no ONNX file is looked at by a process of its own first: HDF5 can be made to loop without end.

    Raises:
        UnknownNameError: the source has no such model.
        ModelFileError: there is no such file, or it cannot be opened.
    """
    path = local_copy(absolute(model)) if is_path(model) else find_weights(source.models, model)
    if not path.is_file():
        raise ModelFileError(f"The model file {path} does not exist. Name a model of the source, or another file.")
    if path.suffix != ".onnx":
        apart.told(path, "tells")
    return path


def check_start_model(source: Source, options: TrainOptions) -> None:
    """Raise unless training may start from the model that the options name, as far as its file tells.

    Every tensor is accounted for when the weights are loaded (`training.start_weights`); a file of Keras's own does
    not say before which network it holds.
    """
    if not options.init_from:
        return
    path = weights_of(source, options.init_from)
    if not tells_its_network(path):
        return
    info = read_info(path)
    if info.channels < options.channels:
        raise UsageError(
            f"The model {options.init_from} sees {info.channels} channel, so training from it needs "
            f"--channels {info.channels}. Received: {options.channels}."
        )
    if info.architecture != options.architecture:
        raise UsageError(
            f"The model {options.init_from} is a {info.architecture}, so training from it needs "
            f"--architecture {info.architecture}. Received: {options.architecture}."
        )


def is_path(model: str) -> bool:
    """Say whether a model is named by its file rather than by its name."""
    return bool(model) and (Path(model).name != model or Path(model).suffix in _SUFFIXES)
