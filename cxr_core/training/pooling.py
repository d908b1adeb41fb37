"""The global pooling before a network's head."""

from typing import Any

import keras

from cxr_core.training.architectures import AVERAGE, MAX

_LAYERS = {MAX: keras.layers.GlobalMaxPooling2D, AVERAGE: keras.layers.GlobalAveragePooling2D}
#: What the functions of `keras.applications` call them.
KERAS_WORDS = {MAX: "max", AVERAGE: "avg"}


def pooled(features: Any, pooling: str) -> Any:
    """Return (batch, h, w, features) pooled over all places."""
    return _LAYERS[pooling](name=f"{KERAS_WORDS[pooling]}_pool")(features)
