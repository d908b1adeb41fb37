"""One fixed batch on one device, on two replicas of one process, or on two workers: run by `test_replicas`.

    python replicas.py OUTPUT one mirrored     (two logical CPU devices)
    python replicas.py OUTPUT workers          (one of two workers, as TF_CONFIG says)

Writes, for each way, the loss and the reduced gradients with batch norm in inference mode and synchronised, and the
weights of every replica after 20 steps.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cxr_core.training.adam import Adam
from cxr_core.training.network import densenet_features
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.steps import Steps
from cxr_core.training.workers import Workers
from cxr_core.uncertainty import uniform_policy

BATCH, SIZE, STEPS = 8, 32, 20


def batch():
    rng = np.random.default_rng(0)
    blurred = rng.integers(0, 256, (BATCH, 8, 8, 1)).repeat(4, 1).repeat(4, 2)
    return blurred.astype(np.uint8), rng.integers(0, 4, (BATCH, 14)).astype(np.int32)


def built(strategy):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        inputs = keras.layers.Input((SIZE, SIZE, 1))
        features = densenet_features(inputs, (1, 2), synchronised=True)
        network = keras.Model(inputs, keras.layers.Dense(14)(features))
        # With every beta at 0, the next batch norm undoes what the first one's gamma does: its gradient is 0 but for noise.
        rng = np.random.default_rng(2)
        for variable in network.trainable_variables:
            if variable.name in ("gamma", "beta"):
                variable.assign(variable + rng.normal(0, 0.2, variable.shape))
        optimizer = Adam(network.trainable_variables, 1e-3)
        return Steps(strategy, network, optimizer, PolicyTables(uniform_policy(0.4, 0.75)))


def distributed_batch(workers):
    images, codes = batch()

    def make(share):
        rows = share.rows(BATCH)
        return share.dealt(tf.data.Dataset.from_tensors((images[rows], codes[rows])), BATCH)

    return next(iter(workers.distributed(make)))


def found(strategy):
    workers, steps = Workers(strategy), built(strategy)
    images, codes = distributed_batch(workers)
    arrays = {}
    for name, training in (("inference", False), ("synchronised", True)):

        @tf.function
        def gradients(images, codes, training=training):
            shares, reduced = strategy.run(steps.reduced_gradients, args=(images, codes, training))
            return strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None), reduced

        loss, reduced = gradients(images, codes)
        arrays[f"{name}-loss"] = loss.numpy()
        for number, gradient in enumerate(reduced):
            arrays[f"{name}-gradient{number:03d}"] = strategy.experimental_local_results(gradient)[0].numpy()
    for _ in range(STEPS):
        steps.train(images, codes)
    for number, variable in enumerate([*steps.network.variables, *steps.optimizer.variables]):
        values = strategy.experimental_local_results(getattr(variable, "_value", variable))
        for replica, value in enumerate(values):
            arrays[f"replica{replica}-{number:03d}"] = np.asarray(value)
    return arrays


def strategy_of(way):
    if way == "workers":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if way == "mirrored":
        return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    return tf.distribute.OneDeviceStrategy("/cpu:0")


if __name__ == "__main__":
    output, ways = Path(sys.argv[1]), sys.argv[2:]
    if "mirrored" in ways:
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
    for way in ways:
        np.savez(output / f"{way}.npz", **found(strategy_of(way)))
