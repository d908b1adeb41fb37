import pytest
import tensorflow as tf

from cxr_core.training import devices
from cxr_core.training.options import TrainOptions

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ({}, True),
        ({"xla": "on"}, False),
        ({"accelerator": "gpu"}, False),
        ({"accelerator": "gpu", "deterministic": True}, True),
    ],
)
def test_tensorflow_is_asked_for_operations_that_give_the_same_bits(chosen, asked, monkeypatch):
    calls = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: calls.append(chosen))
    monkeypatch.setattr(tf.config.optimizer, "set_experimental_options", lambda options: None)
    monkeypatch.setattr(devices, "strategy_for", lambda name, workers: tf.distribute.get_strategy())
    devices.prepared_strategy(TrainOptions(**chosen))
    assert bool(calls) is asked
