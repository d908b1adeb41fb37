"""Write a model file with a genuine TensorFlow 1.13 from the notebook's code, and what it predicts.

Run with Python 3.7: pip install tensorflow==1.13.2 "h5py<3" "protobuf<3.21" "numpy<1.17"
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

base = tf.keras.applications.densenet.DenseNet121(
    include_top=False, weights=None, input_shape=(320, 320, 1), pooling="max"
)
predictions = tf.keras.layers.Dense(14, activation="linear")(base.output)
model = tf.keras.Model(inputs=base.input, outputs=predictions)
model.compile(optimizer=tf.train.AdamOptimizer(), loss="mse")
# Few different values, so that the file packs well; every tensor differs from every other, so that a swap shows.
rng = np.random.RandomState(0)
weights = []
variables = [variable for layer in model.layers for variable in layer.weights]
arrays = [array for layer in model.layers for array in layer.get_weights()]
for name, w in zip([variable.name for variable in variables], arrays):  # noqa: B905 (Python 3.7)
    levels = rng.randint(-3, 4, size=w.shape) if w.ndim > 1 else rng.randint(-7, 8, size=w.shape)
    if "moving_variance" in name or "gamma" in name:
        weights.append((1 + 0.05 * levels).astype(np.float32))
    elif w.ndim > 1:
        fan_in = np.prod(w.shape[:-1])
        weights.append((levels * (1.0 / np.sqrt(fan_in)) * 0.4).astype(np.float32))
    else:
        weights.append((0.02 * levels).astype(np.float32))
model.set_weights(weights)
model.save(sys.argv[1])
# Plain waves, which any NumPy draws alike.
y, x = np.mgrid[0:320, 0:320] / 320.0
waves = [np.sin(2 * np.pi * (f * x + g * y)) for f, g in ((1, 0), (2, 5), (9, 3))]
images = np.round(127.5 + np.stack(waves)[..., None] * np.array([120, 60, 30]).reshape(3, 1, 1, 1)).astype(np.float32)
predicted = model.predict((1.0 / 255.0) * images)
told = {"tensorflow": tf.__version__, "keras": tf.keras.__version__, "predictions": predicted.tolist()}
Path(sys.argv[2]).write_text(json.dumps(told))
