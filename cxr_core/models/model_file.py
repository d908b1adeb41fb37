"""A model file -> the network it holds. The file's layout, its writer and its checks are `training.weights_file`'s."""

from pathlib import Path
from typing import Any

from cxr_core.training.network import build_network
from cxr_core.training.weights_file import ModelInfo, load_into, read_info


def load_network(path: Path) -> tuple[Any, ModelInfo]:
    """Return the Keras network, built in code and filled with the file's weights, and what the file says of itself.

    Nothing of the file but arrays of the expected shapes is read.

    Raises:
        ModelFileError: the file is damaged, or holds another network than it says.
    """
    info = read_info(path)
    network = build_described(info)
    load_into(network, path)
    return network, info


def build_described(info: ModelInfo) -> Any:
    """Return the network that a file says it holds, with random weights."""
    return build_network(info.architecture, info.image_size, channels=info.channels, pooling=info.pooling)
