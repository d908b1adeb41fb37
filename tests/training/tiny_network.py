"""A network that is built in a moment, for tests of what goes on around it."""

import keras


def tiny_network(_architecture, image_size, **_kinds):
    inputs = keras.layers.Input((image_size, image_size, 1))
    x = keras.layers.Conv2D(4, 3, strides=4, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="bn")(x)
    return keras.Model(inputs, keras.layers.Dense(14, name="logits")(keras.layers.GlobalMaxPooling2D()(x)))
