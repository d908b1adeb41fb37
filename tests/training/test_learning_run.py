"""A whole run that learns its policy: what it writes, and that a stopped and resumed one ends the same to the bit."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from random_records import write_random_records
from stopping_reporter import Reporter, timeless

from cxr_core.errors import UsageError
from cxr_core.training import loop
from cxr_core.training.batch_norm import FusedBatchNormalization
from cxr_core.training.options import TrainOptions
from cxr_core.training.weights_file import read_info
from cxr_core.uncertainty import named_policy

pytestmark = pytest.mark.tensorflow
OPTIONS = TrainOptions(architecture="densenet-small", image_size=32, batch_size=6, epochs=3, seed=5)
OPTIONS = replace(OPTIONS, policy=named_policy("learned"))
STEPS = 12


def tiny_network(_architecture, image_size, *_how, **_kinds):
    inputs = keras.layers.Input((image_size, image_size, 1))
    x = keras.layers.Conv2D(4, 3, strides=4, name="conv")(inputs)
    x = FusedBatchNormalization(name="bn")(x)
    return keras.Model(inputs, keras.layers.Dense(14, name="logits")(keras.layers.GlobalMaxPooling2D()(x)))


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    valid = write_random_records(folder / "valid", 10, shards=1, first=1000)
    return write_random_records(folder / "train", 25, shards=2), valid


@pytest.fixture(scope="module")
def run(records, tmp_path_factory):
    """Train in a folder of that name, and return the reporter and the result."""
    folder = tmp_path_factory.mktemp("runs")

    def started(name, stop_at=None):
        reporter = Reporter(folder / name, stop_at)
        return reporter, loop.train(OPTIONS, *records, reporter)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build_network", tiny_network)
        yield started


@pytest.fixture(scope="module")
def whole(run):
    return run("whole")


def test_a_run_that_learns_logs_its_way_and_leaves_what_it_learned_in_the_model(whole):
    reporter, result = whole
    rows = timeless(reporter.rows())
    steps = [row for row in rows if "loss" in row]
    assert [row["step"] for row in steps] == list(range(1, STEPS + 1))
    assert all(len(row["u"]) == len(row["w"]) == 14 for row in rows)
    us, ws = np.array([row["u"] for row in steps]), np.array([row["w"] for row in steps])
    # A quarter of 12 steps at rest, then a look-ahead before every second step, w at the ends of epochs.
    assert (us[:4] == 0.5).all()
    assert (us[4] != 0.5).any()
    moved = [(us[n] != us[n - 1]).any() for n in range(5, STEPS)]
    assert moved == [n % 2 == 0 for n in range(5, STEPS)]
    assert [bool((ws[n] != ws[n - 1]).any()) for n in range(1, STEPS)] == [n == 8 for n in range(1, STEPS)]
    assert ((us >= 0) & (us <= 1) & (ws >= 0) & (ws <= 1)).all()
    policy = read_info(result.last_model).policy
    assert policy["name"] == "learned"
    assert (policy["u"], policy["w"]) == (rows[-1]["u"], rows[-1]["w"])


@pytest.mark.parametrize(
    "stop_at",
    [pytest.param(8, marks=pytest.mark.whole), 12],
    ids=["between steps", "in a validation, after w has moved"],
)
def test_a_run_that_learns_goes_on_to_the_bit(run, whole, stop_at):
    name = f"stopped at {stop_at}"
    stopped, first = run(name, stop_at)
    assert first.status == "cancelled"
    _, again = run(name)
    assert again.status == "completed"
    resumed = Reporter(stopped.folder)
    assert timeless(resumed.rows()) == timeless(whole[0].rows())
    assert read_info(again.last_model).policy == read_info(whole[1].last_model).policy
    newest = [sorted((reporter.folder / "checkpoints").iterdir())[-1] for reporter in (whole[0], stopped)]
    one, other = (np.load(path) for path in newest)
    assert all(np.array_equal(one[name], other[name]) for name in one.files)
    assert {name for name in one.files if name.startswith("policy_")} >= {"policy_u", "policy_w", "policy_mean"}


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"precision": "bfloat16"}, "needs float32 and a batch size of 2 or more"),
        ({"batch_size": 1}, "needs float32 and a batch size of 2 or more"),
        ({"batch_norm": "synchronised"}, "Choose plain batch norm"),
    ],
)
def test_what_a_look_ahead_cannot_do_is_refused_before_it_starts(chosen, sentence):
    with pytest.raises(UsageError, match=sentence):
        replace(OPTIONS, **chosen).validated()
