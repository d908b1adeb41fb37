"""Networks of `keras.applications`, made of the layers that this product trains with.

Batch norm becomes the fused one, and what a network leaves out at random, whole branches of an image's way, is drawn
from the run's seed and step, so that resumed runs and replicas draw the same.
"""

from collections.abc import Callable
from typing import Any

import keras

from cxr_core.training.architectures import Architecture
from cxr_core.training.batch_norm import FusedBatchNormalization
from cxr_core.training.dropout import StepDropout
from cxr_core.training.pooling import KERAS_WORDS

#: Keras numbers what has no name of its own through the whole process, so that a second network is called otherwise.
_UNNAMED = "layer_normalization"


def application_trunk(inputs: Any, pixels: Any, kind: Architecture, pooling: str, synchronised: bool) -> Any:
    """Return a Keras model from `inputs` to the pooled features of a network that sees `pixels`, made of `inputs`."""
    maker = getattr(keras.applications, kind.maker)
    made = maker(
        include_top=False, weights=None, input_tensor=pixels, pooling=KERAS_WORDS[pooling], **dict(kind.arguments)
    )
    whole = keras.Model(inputs, made.output, name=kind.maker)
    return keras.models.clone_model(whole, clone_function=_ours(synchronised), recursive=True)


def _ours(synchronised: bool) -> Callable[[Any], Any]:
    def ours(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            return FusedBatchNormalization.from_config(config | {"synchronized": synchronised})
        if isinstance(layer, keras.layers.Dropout):
            return StepDropout(layer.rate, by_image=True, name=layer.name)
        if layer.name.startswith(_UNNAMED):
            config["name"] = _UNNAMED
        return type(layer).from_config(config)

    return ours
