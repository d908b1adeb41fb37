"""A configuration is read as plain JSON, and refuses a file whose network computes something else than ours."""

import json

import pytest

from cxr_core.errors import ModelFileError
from cxr_core.training.keras_config import described


def config(*classes, activation="linear"):
    layers = [{"class_name": name, "config": {}} for name in ("InputLayer", *classes)]
    layers.append({"class_name": "Dense", "config": {"activation": activation}})
    return json.dumps({"class_name": "Functional", "config": {"layers": layers}})


def test_the_last_global_pooling_is_that_of_the_network():
    assert described(config("GlobalAveragePooling2D", "Multiply", "GlobalMaxPooling2D")).pooling == "max"
    assert described(config("Dense", "GlobalAveragePooling2D", "LayerNormalization")).pooling == "average"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (config("Conv2D"), "must end with a global pooling"),
        (config("Lambda", "GlobalMaxPooling2D"), "a layer of the kind 'Lambda', which none of the networks has"),
        (config("GlobalMaxPooling2D", "Dense"), "one dense layer, a linear one"),
        (config("GlobalMaxPooling2D", activation="sigmoid"), "one dense layer, a linear one"),
        ("[]", "not one that Keras writes"),
    ],
)
def test_a_network_that_is_none_of_ours_is_refused(text, said):
    with pytest.raises(ModelFileError, match=said):
        described(text)


@pytest.mark.parametrize(
    ("classes", "channels", "said"),
    [
        (("GlobalAveragePooling2D",), 1, "must end with a global max pooling"),
        (("Add", "GlobalMaxPooling2D"), 1, "a layer of the kind 'Add', which a DenseNet has not"),
        (("Rescaling", "GlobalMaxPooling2D"), 1, "a layer of the kind 'Rescaling', which a DenseNet has not"),
    ],
)
def test_a_densenet_that_pools_or_scales_otherwise_is_refused(classes, channels, said):
    with pytest.raises(ModelFileError, match=said):
        described(config(*classes)).check("max", is_densenet=True, channels=channels)


def test_a_densenet_of_three_channels_scales_them():
    described(config("Rescaling", "Concatenate", "GlobalMaxPooling2D")).check("max", is_densenet=True, channels=3)
