"""The learning rates, against Keras's own schedules."""

import keras
import numpy as np
import pytest

from cxr_core.errors import UsageError
from cxr_core.training.options import TrainOptions
from cxr_core.training.schedule import schedule_of
from cxr_core.uncertainty import named_policy

STEPS_PER_EPOCH = 10


def rates(cuts=0, **chosen):
    schedule = schedule_of(TrainOptions(learning_rate=0.004, epochs=4, **chosen).validated(), STEPS_PER_EPOCH)
    return [schedule.rate(step, cuts) for step in range(4 * STEPS_PER_EPOCH)]


def test_a_constant_rate_is_the_learning_rate_itself_and_needs_no_variable():
    assert set(rates()) == {0.004}
    assert not schedule_of(TrainOptions(), STEPS_PER_EPOCH).changes


@pytest.mark.tensorflow
@pytest.mark.parametrize("warm_up", [0.0, 0.5, 1.0])
def test_the_cosine_is_that_of_keras(warm_up):
    warm = round(warm_up * STEPS_PER_EPOCH)
    steps = 4 * STEPS_PER_EPOCH - warm
    theirs = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=0.004, warmup_steps=warm)
    if not warm:
        theirs = keras.optimizers.schedules.CosineDecay(0.004, steps)
    expected = [float(theirs(step)) for step in range(4 * STEPS_PER_EPOCH)]
    np.testing.assert_allclose(rates(schedule="cosine", warm_up=warm_up), expected, rtol=1e-5, atol=1e-9)


def test_a_warm_up_rises_evenly_before_a_constant_rate():
    found = rates(warm_up=0.5)
    np.testing.assert_allclose(found[:6], np.array([0, 1, 2, 3, 4, 5]) / 5 * 0.004)
    assert set(found[5:]) == {0.004}


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("patience", [1, 2, 3])
def test_a_plateau_cuts_where_keras_does(patience):
    aucs = [0.5, 0.6, 0.6, 0.55, 0.59, 0.61, 0.61, 0.6, 0.6, 0.6, 0.6, 0.7]
    options = TrainOptions(schedule="plateau", plateau_epochs=patience, plateau_factor=0.5, learning_rate=1.0)
    schedule = schedule_of(options, STEPS_PER_EPOCH)
    reference = keras.callbacks.ReduceLROnPlateau("auc", 0.5, patience, mode="max", min_delta=0.0)
    reference.set_model(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
    reference.model.compile(keras.optimizers.SGD(1.0), "mse")
    stale, cuts, best = 0, 0, -1.0
    for epoch, auc in enumerate(aucs):
        reference.on_epoch_end(epoch, {"auc": auc})
        stale, cuts = schedule.after_epoch(stale, cuts, auc > best)
        best = max(best, auc)
        assert schedule.rate(0, cuts) == float(reference.model.optimizer.learning_rate)
    assert cuts > 0


def test_a_warm_up_that_never_ends_is_refused():
    with pytest.raises(UsageError, match=r"Received: 3 of 3 epochs"):
        TrainOptions(schedule="cosine", warm_up=3.0).validated()
    with pytest.raises(UsageError, match="learned policy"):
        TrainOptions(policy=named_policy("learned"), class_weights="balanced").validated()
