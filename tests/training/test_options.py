import json

import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.training.options import TrainOptions, default_options
from cxr_core.uncertainty import named_policy


def test_the_defaults_are_those_of_the_notebooks_form():
    options = default_options(synthetic=False)
    assert (options.view, options.u, options.w, options.accelerator) == ("frontal", 0.4, 0.75, "cpu")
    assert (options.epochs, options.batch_size, options.image_size) == (3, 32, 320)
    assert (options.architecture, options.learning_rate) == ("densenet121", 1e-3)


def test_a_synthetic_source_is_trained_on_with_the_small_network():
    options = default_options(synthetic=True)
    assert (options.architecture, options.image_size, options.epochs) == ("densenet-small", 96, 3)
    assert options.validated() is options


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("u", 1.5, r"u must be a number from 0 to 1\. Received: 1\.5"),
        ("w", -0.1, "w must be a number from 0 to 1"),
        ("view", "other", "Unknown view 'other'"),
        ("accelerator", "npu", "Unknown accelerator 'npu'"),
        ("architecture", "resnet", "Unknown architecture 'resnet'"),
        ("epochs", 0, r"epochs must be a whole number from 1 to 10000\. Received: 0"),
        ("epochs", 1.5, "epochs must be a whole number"),
        ("epochs", True, "epochs must be a whole number"),
        ("batch_size", -1, "batch size must be a whole number from 1"),
        ("image_size", 0, "multiple of 32 from 32 to 320"),
        ("image_size", 100, "multiple of 32 from 32 to 320"),
        ("image_size", 352, "multiple of 32 from 32 to 320"),
        ("learning_rate", 0.0, "learning rate must be above 0"),
        ("learning_rate", float("nan"), "learning rate must be above 0"),
        ("early_stopping", -1, "early stopping must be a whole number from 0"),
        ("seed", -1, "seed must be a whole number from 0"),
        ("name", "../x", "model name must be"),
    ],
)
def test_an_option_out_of_range_is_refused_in_one_sentence(name, value, said):
    with pytest.raises(UsageError, match=said) as raised:
        TrainOptions(**{name: value}).validated()
    assert "\n" not in str(raised.value)


def test_options_survive_json():
    options = TrainOptions(view="lateral", policy=named_policy("hybrid").as_dict(), seed=3)
    again = TrainOptions.from_dict(json.loads(json.dumps(options.as_dict())))
    assert again == options
    assert again.label_policy() == named_policy("hybrid")


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="'dropout'"):
        TrainOptions.from_dict({"dropout": 0.5})
