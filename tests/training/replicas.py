"""One fixed batch on one device, on two replicas of one process, or on two workers: run by `test_replicas`.

    python replicas.py '[[JOB, …], …]'         (the jobs of a group at a time, each in a process of its own)

A job is [TF_CONFIG, OUTPUT, WAY, …]:

    "", OUTPUT, one, mirrored                  (two logical CPU devices)
    TF_CONFIG, OUTPUT, workers                 (one of two workers, as TF_CONFIG says)
    TF_CONFIG, FOLDER, run, STOP_AT            (a run of one of two workers; the second is cancelled at that step)

TensorFlow is imported once, which takes as long as the rest; no device is touched before the processes part.
Writes, for each way, the loss and the reduced gradients with batch norm in inference mode and synchronised, and the
weights of every replica after 20 steps.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from killed_runs import Reporter
from tiny_network import tiny_network

from cxr_core.training import loop
from cxr_core.training.adam import Adam
from cxr_core.training.cluster import task_of
from cxr_core.training.densenet import densenet_features
from cxr_core.training.options import TrainOptions
from cxr_core.training.policy_tables import PolicyTables
from cxr_core.training.steps import Steps
from cxr_core.training.workers import Workers
from cxr_core.uncertainty import uniform_policy

BATCH, SIZE, STEPS = 8, 32, 20


def batch():
    rng = np.random.default_rng(0)
    blurred = rng.integers(0, 256, (BATCH, 8, 8, 1)).repeat(4, 1).repeat(4, 2)
    return blurred.astype(np.uint8), rng.integers(0, 4, (BATCH, 14)).astype(np.int32)


def built(strategy, synchronised=True):
    keras.utils.set_random_seed(1)
    with strategy.scope():
        inputs = keras.layers.Input((SIZE, SIZE, 1))
        features = densenet_features(inputs, (1, 2), synchronised=synchronised)
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
    for kind, trained in (("synchronised", steps), ("plain", built(strategy, synchronised=False))):
        for _ in range(STEPS):
            trained.train(images, codes)
        for number, variable in enumerate([*trained.network.variables, *trained.optimizer.variables]):
            values = strategy.experimental_local_results(getattr(variable, "_value", variable))
            for replica, value in enumerate(values):
                arrays[f"replica{replica}-{kind}-{number:03d}"] = np.asarray(value)
    return arrays


def strategy_of(way):
    if way == "workers":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if way == "mirrored":
        return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    return tf.distribute.OneDeviceStrategy("/cpu:0")


def run_worker(folder, stop_at):
    """Train with a tiny network; each worker's command has drawn a seed of its own."""
    index = task_of(os.environ["TF_CONFIG"]).number
    loop.build_network = tiny_network

    class Stopping(Reporter):
        asked = 0

        def cancelled(self):
            self.asked += 1
            return index == 1 and self.asked == stop_at

    options = TrainOptions(
        architecture="densenet-small", image_size=32, batch_size=4, epochs=2, seed=5 + index, accelerator="multi-worker"
    )
    files = [sorted((folder / name).iterdir()) for name in ("train", "valid")]
    loop.train(options, *files, Stopping(folder / f"run{index}"))


def work(config, output, *ways):
    if config:
        os.environ["TF_CONFIG"] = config
    if ways[0] == "run":
        run_worker(Path(output), int(ways[1]))
        return
    if "mirrored" in ways:
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two)
    for way in ways:
        np.savez(Path(output) / f"{way}.npz", **found(strategy_of(way)))


def forked(job):
    """Start a process for a job and return its number."""
    if child := os.fork():
        return child
    try:
        work(*job)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    for group in json.loads(sys.argv[1]):
        children = [forked(job) for job in group]
        if any(os.waitpid(child, 0)[1] for child in children):
            sys.exit(1)
