"""The models that a run leaves: `best` and `last`, each as `.h5` and as `.keras`.

Both hold the plain network of Keras's own layers in float32, whatever it was trained with, and take pixels / 255, so
that `tf.keras.models.load_model(path, compile=False)` works for whoever has the notebook.
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cxr_core.atomic import drop_leftovers, write_bytes
from cxr_core.training.batch_norm import FusedBatchNormalization
from cxr_core.training.dropout import StepDropout
from cxr_core.training.model_config import can_be_told, model_config
from cxr_core.training.weights_file import ModelInfo, write_weights

BEST, LAST = "best", "last"


class ModelFiles:
    """Writes the models of one run into its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plain: Any = None

    def path(self, name: str) -> Path:
        """Return the `.h5` of `BEST` or `LAST`; the `.keras` lies beside it."""
        return self._folder / f"{name}.h5"

    def drop_leftovers(self) -> None:
        """Remove what a process that was killed while it wrote has left."""
        for name in (BEST, LAST):
            drop_leftovers(self._folder, name)

    def write(self, name: str, network: Any, info: ModelInfo) -> None:
        """Write a network as it is now, in both forms, each atomically."""
        if self._plain is None:
            self._plain = plain_network(network)
        self._plain.set_weights(network.get_weights())
        write_keras(self._plain, self.path(name).with_suffix(".keras"))
        config = model_config(self._plain) if can_be_told(self._plain) else ""
        write_weights(self._plain, self.path(name), info, config=config)


def plain_network(network: Any) -> Any:
    """Return a copy of a network, with weights of its own, of nothing but Keras's own layers in float32."""
    with tf.device("/cpu:0"):
        return keras.models.clone_model(network, clone_function=_plain_layer, recursive=True)


def write_keras(network: Any, path: Path) -> None:
    """Write a network of Keras's own layers as a `.keras` file, atomically."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "model.keras"
        with warnings.catch_warnings():
            # Keras's own way of copying a variable, which NumPy 2 warns of.
            warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
            network.save(made)
        write_bytes(path, made.read_bytes())


def _plain_layer(layer: Any) -> Any:
    if isinstance(layer, StepDropout):
        return keras.layers.Activation("linear", name=layer.name)
    config = layer.get_config()
    if isinstance(layer, keras.layers.Layer):  # what else there is, a sum, has no dtype of its own
        config = config | {"dtype": "float32"}
    if isinstance(layer, FusedBatchNormalization):
        return keras.layers.BatchNormalization.from_config(config | {"synchronized": False})
    return type(layer).from_config(config)
