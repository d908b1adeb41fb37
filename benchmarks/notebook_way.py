"""The 2019 notebook's own input pipeline and training, written out as they stand there, as far as TensorFlow 2 allows.

Run as a program it is a script as the notebook would be, which prints when each loss came.

    python benchmarks/notebook_way.py RECORDS_GLOB ARCHITECTURE IMAGE_SIZE BATCH_SIZE STEPS
"""

import multiprocessing
import sys
import time

import tensorflow as tf

LABELS = (
    *("no_finding", "enlarged_cardiomediastinum", "cardiomegaly", "airspace_opacity", "lung_lesion", "edema"),
    *("consolidation", "pneumonia", "atelectasis", "pneumothorax", "pleural_effusion", "pleural_other", "fracture"),
    "support_devices",
)
INPUT_HWC = (320, 320, 1)
U_VALUE, W_VALUE = 0.4, 0.75

probabs_lookup = tf.constant([0.0, 0.0, U_VALUE, 1.0])
weights_lookup = tf.constant([1.0, 1.0, W_VALUE, 1.0])
feature_description = {"jpg_bytes": tf.io.FixedLenFeature([], tf.string)}
for name in LABELS:
    feature_description[name] = tf.io.FixedLenFeature([], tf.int64)


def parse_function(example):
    """The notebook's, word for word but for the names of the labels."""
    parsed = tf.io.parse_single_example(example, feature_description)
    image = tf.io.decode_jpeg(parsed["jpg_bytes"], channels=1)
    image = tf.reshape(image, INPUT_HWC)
    scaled_image = (1.0 / 255.0) * tf.cast(image, tf.float32)
    labels = tf.stack([parsed[name] for name in LABELS], axis=0)
    probs = tf.gather(probabs_lookup, labels)
    weights = tf.gather(weights_lookup, labels)
    return scaled_image, tf.stack([probs, weights], axis=0)


def get_dataset(tf_records, batch_size, image_size=320):
    """The notebook's training pipeline; a smaller image size, which it does not know, is made from its pixels."""
    n_cpu = multiprocessing.cpu_count()
    dataset = tf.data.TFRecordDataset(
        tf.io.gfile.glob(tf_records), buffer_size=16 * 1024 * 1024, num_parallel_reads=n_cpu
    )
    dataset = dataset.shuffle(256)
    dataset = dataset.repeat()
    dataset = dataset.map(parse_function, num_parallel_calls=n_cpu)
    if image_size != INPUT_HWC[0]:
        size = (image_size, image_size)
        dataset = dataset.map(lambda x, y: (tf.image.resize(x, size, method="area"), y), num_parallel_calls=n_cpu)
    dataset = dataset.batch(batch_size, drop_remainder=True)
    return dataset.prefetch(tf.data.experimental.AUTOTUNE)


def weighted_binary_crossentropy(prob_weight_y_true, y_pred):
    """The notebook's loss."""
    prob_weight_y_true = tf.reshape(prob_weight_y_true, (-1, 2, len(LABELS)))
    return tf.compat.v1.losses.sigmoid_cross_entropy(
        prob_weight_y_true[:, 0],
        y_pred,
        prob_weight_y_true[:, 1],
        reduction=tf.compat.v1.losses.Reduction.SUM_OVER_BATCH_SIZE,
    )


def get_model(architecture, image_size):
    """The notebook's DenseNet121; the demo's smaller one of the same layers; both of Keras's own layers, compiled."""
    shape = (image_size, image_size, 1)
    if architecture == "densenet121":
        base_model = tf.keras.applications.densenet.DenseNet121(
            include_top=False, weights=None, input_shape=shape, pooling="max"
        )
        predictions = tf.keras.layers.Dense(len(LABELS), activation="linear")(base_model.output)
        model = tf.keras.Model(inputs=base_model.input, outputs=predictions)
    else:
        model = small_densenet(shape)
    model.compile(optimizer=tf.keras.optimizers.Adam(epsilon=1e-8), loss=weighted_binary_crossentropy)
    return model


def small_densenet(shape):
    """A DenseNet of blocks (2, 4, 6, 4) by the function with which Keras builds its own."""
    from keras.src.applications.densenet import DenseNet

    base_model = DenseNet(blocks=[2, 4, 6, 4], include_top=False, weights=None, input_shape=shape, pooling="max")
    predictions = tf.keras.layers.Dense(len(LABELS), activation="linear")(base_model.output)
    return tf.keras.Model(inputs=base_model.input, outputs=predictions)


class Losses(tf.keras.callbacks.Callback):
    """Prints when each loss came, in seconds since 1970."""

    def on_train_batch_end(self, batch, logs=None):
        print("loss", time.time(), logs["loss"], flush=True)


if __name__ == "__main__":
    records, architecture = sys.argv[1:3]
    image_size, batch_size, steps = map(int, sys.argv[3:])
    model = get_model(architecture, image_size)
    dataset = get_dataset(records, batch_size, image_size)
    model.fit(dataset, epochs=1, steps_per_epoch=steps, verbose=0, callbacks=[Losses()])
