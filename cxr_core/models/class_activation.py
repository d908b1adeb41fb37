"""Where a network looks, for all labels at once: Grad-CAM (Selvaraju et al. 2017) of its last feature maps.

With global max pooling and one linear layer, the head of the notebook's network, the gradient of a label's logit by a
feature is the head's weight, at the place of the feature's maximum: Grad-CAM *is* head weights times feature maps over
the number of places, so one forward pass gives the maps of all labels. Any other head is asked for its gradients.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cxr_core.errors import ModelFileError, RecordError
from cxr_core.models.activation_maps import ActivationMaps
from cxr_core.schema import RECORD_IMAGE_SIZE
from cxr_core.training.pixels import PixelFormat, scaled
from cxr_core.training.weights_file import ModelInfo


class ClassActivation:
    """Computes the maps of one network; the first image takes seconds more than later ones, for TensorFlow's graph.

    Args:
        network: a functional Keras network, images (1, size, size, 1) in [0, 1] -> logits (1, 14); each of its layers
            is called once in it.
        info: which network it is, so that images are decoded as it was trained.
    """

    def __init__(self, network: Any, info: ModelInfo) -> None:
        self._pixels = PixelFormat(info.image_size, info.decode)
        self._trunk, self._head = _parted(network.operations)
        self._linear = self._head[1] if _pools_and_is_linear(self._head) else None
        # A graph, because Keras's own call of 430 layers one by one is five times as slow; TensorFlow's rewriting of
        # it costs seconds and gains nothing (`training.devices`).
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        self._arrays = tf.function(self._compute, autograph=False)

    def of_jpeg(self, jpg: bytes) -> ActivationMaps:
        """Return the maps of an image as the TFRecords have it.

        Raises:
            RecordError: it is no JPEG of 320x320 pixels.
        """
        try:
            pixels = scaled(self._pixels.decoded(tf.constant([jpg])))
        except tf.errors.InvalidArgumentError as error:
            side = RECORD_IMAGE_SIZE
            raise RecordError(f"The image is no JPEG of {side}x{side} pixels, so there is no map of it.") from error
        return self.of_pixels(pixels)

    def of_pixels(self, pixels: Any) -> ActivationMaps:
        """Return the maps of one image (1, size, size, 1) in [0, 1]."""
        maps, shares, logits = (array.numpy() for array in self._arrays(tf.convert_to_tensor(pixels, tf.float32)))
        return ActivationMaps(np.maximum(maps, 0), shares, logits)

    def _compute(self, pixels: Any) -> tuple[Any, Any, Any]:
        features = _called(self._trunk, self._trunk[0].output, pixels)
        if self._linear is None:
            return self._by_gradient(features)
        return _by_weights(features, self._linear)

    def _by_gradient(self, features: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(features)
            logits = _called(self._head, self._trunk[-1].output, features)
            each = tf.unstack(logits[0])
        gradients = tf.concat([tape.gradient(logit, features) for logit in each], axis=0)
        maps = tf.einsum("lhwc,lc->lhw", tf.broadcast_to(features, gradients.shape), _mean_over_places(gradients))
        return maps, tf.reduce_sum(gradients * features, axis=3), logits[0]


def _by_weights(features: Any, linear: Any) -> tuple[Any, Any, Any]:
    weights, pooled = linear.kernel, tf.reduce_max(features, axis=(1, 2))
    places = tf.cast(tf.size(features[0, :, :, 0]), tf.float32)
    maps = tf.einsum("hwc,cl->lhw", features[0], weights) / places
    # A maximum that several places share is dealt to all of them, as TensorFlow's gradient does.
    at_most = tf.cast(features[0] == pooled[0], tf.float32)
    at_most /= tf.reduce_sum(at_most, axis=(0, 1))
    shares = tf.einsum("hwc,cl->lhw", at_most * features[0], weights)
    return maps, shares, (tf.matmul(pooled, weights) + linear.bias)[0]


def _mean_over_places(gradients: Any) -> Any:
    return tf.reduce_mean(gradients, axis=(1, 2))


def _parted(operations: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return layers, and what is added up between them, to the last feature maps (1, h, w, features), and the head."""
    spatial = [number for number, operation in enumerate(operations) if len(operation.output.shape) == 4]
    if not spatial or spatial[-1] == len(operations) - 1:
        raise ModelFileError("The network has no feature maps before its head, so there is no map of where it looks.")
    return list(operations[: spatial[-1] + 1]), list(operations[spatial[-1] + 1 :])


def _pools_and_is_linear(head: Sequence[Any]) -> bool:
    kinds = [type(layer) for layer in head]
    if kinds != [keras.layers.GlobalMaxPooling2D, keras.layers.Dense]:
        return False
    return bool(head[1].activation is keras.activations.linear and head[1].use_bias)


def _called(operations: Sequence[Any], first: Any, value: Any) -> Any:
    """Return what operations in topological order make of `value`, which stands for the Keras tensor `first`.

    Each layer's own arithmetic, without what Keras does around it: the graph is built in half the time.
    """
    made = {id(first): value}
    for operation in operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        (node,) = operation._inbound_nodes
        given, named = node.arguments.fill_in(made)
        if "training" in inspect.signature(operation.call).parameters:
            named = {**named, "training": False}
        made[id(operation.output)] = operation.call(*given, **named)
    return made[id(operations[-1].output)]
