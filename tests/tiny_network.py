"""A network that is built in a moment, for tests of what goes on around it."""

import keras

from cxr_core.training.dropout import StepDropout


def tiny_network(_architecture, image_size, _batch_norm="plain", _precision="float32", dropout=0.0, *_form, **_named):
    inputs = keras.layers.Input((image_size, image_size, 1))
    x = keras.layers.Conv2D(4, 3, strides=4, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.GlobalMaxPooling2D()(x)
    if dropout:
        x = StepDropout(dropout, name="dropout")(x)
    return keras.Model(inputs, keras.layers.Dense(14, name="logits")(x))
