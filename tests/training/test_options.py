import json
from dataclasses import fields
from pathlib import Path

import pytest

from cxr_core.errors import UnknownNameError, UsageError
from cxr_core.training.options import OPTIONS, TrainOptions, default_options
from cxr_core.uncertainty import DEFAULT_POLICY, Policy, named_policy, uniform_policy

STORED = Path(__file__).parent / "options_0_2_0.json"


def test_the_defaults_are_those_of_the_notebooks_form():
    options = default_options(synthetic=False)
    assert (options.view, options.accelerator) == ("frontal", "cpu")
    assert (options.policy.u_scalar, options.policy.w_scalar) == (0.4, 0.75)
    assert (options.epochs, options.batch_size, options.image_size) == (3, 32, 320)
    assert (options.architecture, options.learning_rate) == ("densenet121", 1e-3)


def test_a_synthetic_source_is_trained_on_with_the_small_network():
    options = default_options(synthetic=True)
    assert (options.architecture, options.image_size, options.epochs) == ("densenet-small", 96, 3)
    assert options.validated() is options


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("policy", {"name": "mine", "u": [1] * 14, "w": [1] * 14}, "A policy needs a name, 14 numbers u"),
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
        ("device", "gpu:1", "A device can be chosen with the accelerator gpu alone"),
        ("deterministic", 1, "must be true or false"),
        ("workers", 0, "number of workers must be a whole number from 1 to 1024"),
        ("workers", 3, "batch size must be a multiple of the 3 workers. Received: 32"),
        ("restarts", -1, "number of restarts must be a whole number from 0"),
    ],
)
def test_an_option_out_of_range_is_refused_in_one_sentence(name, value, said):
    with pytest.raises(UsageError, match=said) as raised:
        TrainOptions(**{name: value}).validated()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("accelerator", ["tpu", "multi-worker"])
def test_what_is_no_device_of_one_worker_cannot_be_had_by_several(accelerator):
    with pytest.raises(
        UsageError, match=f"Each of several workers can have cpu, .* Received: {accelerator} with 2 workers"
    ):
        TrainOptions(accelerator=accelerator, workers=2).validated()


@pytest.mark.parametrize(
    ("chosen", "repeats"),
    [
        ({}, True),
        ({"xla": "on"}, False),
        ({"accelerator": "gpu"}, False),
        ({"accelerator": "gpu", "deterministic": True}, True),
        ({"accelerator": "multi-gpu", "deterministic": True}, True),
        ({"accelerator": "tpu"}, False),
        ({"workers": 2}, False),
    ],
)
def test_the_same_bits_are_promised_on_a_cpu_and_where_they_are_asked_for(chosen, repeats):
    assert TrainOptions(**chosen).validated().repeats_to_the_bit is repeats


@pytest.mark.parametrize("chosen", [{"xla": "on"}, {"accelerator": "gpu", "xla": "on"}, {"accelerator": "tpu"}])
def test_the_same_bits_cannot_be_asked_of_xla(chosen):
    with pytest.raises(UsageError, match="leave --deterministic out"):
        TrainOptions(**chosen, deterministic=True).validated()


@pytest.mark.parametrize(
    "policy",
    [named_policy("hybrid"), named_policy("learned"), Policy("mine", tuple(n / 20 for n in range(14)), (0.5,) * 14)],
)
def test_options_survive_json(policy):
    options = TrainOptions(view="lateral", policy=policy, seed=3)
    assert TrainOptions.from_dict(json.loads(json.dumps(options.as_dict()))) == options


@pytest.mark.parametrize(
    ("stored", "policy"),
    [
        ({}, uniform_policy(0.7, 0.2)),
        ({"u": 0.5, "w": 0.25}, named_policy("hybrid")),
        ({"policy": {"name": "learned", "u": [0.5] * 14, "w": [0.5] * 14}}, named_policy("learned")),
        (
            {"policy": {"name": "mine", "u": [0.1] * 13 + [1], "w": [1] * 14}},
            Policy("mine", (0.1,) * 13 + (1,), (1,) * 14),
        ),
    ],
)
def test_a_run_that_the_version_before_stored_is_read_with_its_policy(stored, policy):
    before = json.loads(STORED.read_text()) | stored
    options = TrainOptions.from_dict(before)
    assert options.policy == policy
    rest = {name: value for name, value in before.items() if name not in ("u", "w", "policy")}
    assert {name: getattr(options, name) for name in rest} == rest
    assert options.validated() is options


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"u": 1.5}, r"u must be a number from 0 to 1\. Received: 1\.5"),
        ({"w": -0.1}, "w must be a number from 0 to 1"),
        ({"policy": {"name": "mine", "u": [7] * 14, "w": [0] * 14}}, "u must be a number from 0"),
        ({"policy": {"name": "mine"}}, "A policy needs a name"),
    ],
)
def test_a_stored_policy_that_is_none_is_refused(stored, said):
    with pytest.raises(UsageError, match=said):
        TrainOptions.from_dict(stored)


def test_u_alone_leaves_w_to_its_default():
    assert TrainOptions.from_dict({"u": 1}).policy == uniform_policy(1, DEFAULT_POLICY.w[0])


def test_every_option_but_the_policy_is_in_the_table_once():
    assert sorted(option.name for option in OPTIONS) == sorted({one.name for one in fields(TrainOptions)} - {"policy"})
    assert len({option.key for option in OPTIONS}) == len(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_each_option_says_what_it_does_and_takes_its_own_default(option):
    assert option.help.endswith(".")
    assert option.label
    option.check(option.default)
    if option.on_synthetic is not None:
        option.check(option.on_synthetic)
    for offered in option.choices:
        option.check(offered)


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="'momentum'"):
        TrainOptions.from_dict({"momentum": 0.5})
