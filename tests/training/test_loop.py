import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from random_records import random_record, write_random_records
from stopping_reporter import Reporter, timeless
from tiny_network import tiny_network

from cxr_core.errors import CxrError, ModelFileError, RecordError, RunError, UsageError
from cxr_core.records.example import encode
from cxr_core.records.tfrecord import write_records
from cxr_core.schema import LABELS
from cxr_core.training import loop, policy_tables
from cxr_core.training.failures import explained_failures
from cxr_core.training.loop import train
from cxr_core.training.options import TrainOptions
from cxr_core.training.weights_file import read_info

pytestmark = pytest.mark.tensorflow
OPTIONS = TrainOptions(architecture="densenet-small", image_size=32, batch_size=4, epochs=2, seed=5)
N_TRAIN, N_VALID = 22, 10
STEPS_PER_EPOCH = N_TRAIN // 4


@pytest.fixture(autouse=True)
def small_network(monkeypatch):
    monkeypatch.setattr(loop, "build_network", tiny_network)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    valid = write_random_records(folder / "valid", N_VALID, shards=1, first=1000)
    return write_random_records(folder / "train", N_TRAIN, shards=3), valid


@pytest.fixture(scope="module")
def uninterrupted(records, tmp_path_factory):
    """A whole run: its reporter and its result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "build_network", tiny_network)
        run = Reporter(tmp_path_factory.mktemp("runs") / "whole")
        return run, train(OPTIONS, *records, run)


def stored_weights(path):
    with h5py.File(path) as file:
        found = {}
        file["model_weights"].visititems(
            lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None
        )
        return found


def assert_same_weights(one, other):
    first, second = stored_weights(one), stored_weights(other)
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)


def test_a_run_writes_rows_progress_and_both_models(uninterrupted):
    run, result = uninterrupted
    assert (result.status, result.epochs, result.steps, result.stopped_early) == (
        "completed",
        2,
        2 * STEPS_PER_EPOCH,
        False,
    )
    rows = run.rows()
    valid = [row for row in rows if "val_loss" in row]
    losses = [row for row in rows if "loss" in row]
    assert [(row["step"], row["epoch"]) for row in valid] == [(STEPS_PER_EPOCH, 1), (2 * STEPS_PER_EPOCH, 2)]
    told = {"step", "epoch", "time", "loss", "learning_rate", "images_per_second", "data_wait"}
    assert all(set(row) == told and row["learning_rate"] == OPTIONS.learning_rate for row in losses)
    assert [row["step"] for row in losses] == list(range(1, 2 * STEPS_PER_EPOCH + 1))
    assert all(0 <= row["data_wait"] <= 1 for row in losses)
    figures = {"val_loss", "val_loss_certain", "val_auc", "val_auc_guessing", "val_auc_labels"}
    assert {len(row["val_auc_labels"]) for row in valid} == {len(LABELS)}
    assert all(set(row) == {"step", "epoch", "time"} | figures for row in valid)
    assert [row["step"] for row in rows] == sorted(row["step"] for row in rows)
    assert run.progressed[-1] == (2 * STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH)
    assert result.best_val_auc == max(row["val_auc"] for row in valid)
    info = read_info(result.best_model)
    assert (info.run, info.view, info.policy["u"][0], info.image_size) == ("whole", "frontal", 0.4, 32)
    assert len(stored_weights(result.last_model)) == 8
    assert len(list((run.folder / "checkpoints").iterdir())) == 2


def test_the_loss_falls_on_one_batch_that_is_seen_again_and_again(tmp_path):
    paths = write_random_records(tmp_path / "four", 4, shards=1)
    run = Reporter(tmp_path / "run")
    train(replace(OPTIONS, epochs=10, learning_rate=0.03), paths, paths, run)
    losses = run.losses()
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("stop_at", [1, 4, STEPS_PER_EPOCH + 2, STEPS_PER_EPOCH + 6])
def test_a_cancelled_run_that_is_resumed_ends_as_if_it_had_not_been(uninterrupted, records, tmp_path, stop_at):
    """Cancelled before the first step, within an epoch, within the first validation, and within the second epoch."""
    whole, expected = uninterrupted
    run = Reporter(tmp_path / "whole", stop_at)
    stopped = train(OPTIONS, *records, run)
    assert stopped.status == "cancelled"
    assert stopped.last_model.exists()
    resumed = train(OPTIONS, *records, Reporter(run.folder))
    assert (resumed.status, resumed.best_epoch, resumed.best_val_auc) == (
        "completed",
        expected.best_epoch,
        expected.best_val_auc,
    )
    assert_same_weights(resumed.last_model, expected.last_model)
    assert_same_weights(resumed.best_model, expected.best_model)
    assert timeless(run.rows()) == timeless(whole.rows())


def test_a_crash_after_a_checkpoint_leaves_no_row_twice(uninterrupted, records, tmp_path, capsys):
    run = Reporter(tmp_path / "whole", STEPS_PER_EPOCH + 6)
    train(OPTIONS, *records, run)
    newest = max((run.folder / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed = train(OPTIONS, *records, Reporter(run.folder))
    assert_same_weights(resumed.last_model, uninterrupted[1].last_model)
    assert timeless(run.rows()) == timeless(uninterrupted[0].rows())
    assert f"The checkpoint {newest.name} is damaged" in capsys.readouterr().err


def test_a_completed_run_that_is_resumed_does_nothing(uninterrupted, records, tmp_path):
    run, result = uninterrupted
    before = run.rows()
    assert train(OPTIONS, *records, Reporter(run.folder)) == result
    assert run.rows() == before


def test_early_stopping_ends_a_run_whose_auc_does_not_rise(records, tmp_path, monkeypatch):
    figures = loop.ValidationFigures
    aucs = iter([0.6, 0.7, 0.65, 0.7, 0.9])
    monkeypatch.setattr(loop, "validation_figures", lambda *_: figures(1.0, 1.0, {"edema": next(aucs)}))
    options = replace(OPTIONS, epochs=9, early_stopping=2)
    result = train(options, *records, Reporter(tmp_path / "run"))
    assert (result.status, result.epochs, result.best_epoch, result.best_val_auc) == ("completed", 4, 2, 0.7)
    assert result.stopped_early


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_step(records, tmp_path, monkeypatch):
    def explode(targets, weights, logits, codes):
        return tf.reduce_mean(logits) * float("nan")

    monkeypatch.setattr(policy_tables, "weighted_cross_entropy", explode)
    with pytest.raises(
        RunError, match=r"The loss became nan in step 1, batch 1 of epoch 1\. Choose a lower learning rate"
    ):
        train(OPTIONS, *records, Reporter(tmp_path / "run"))
    assert not (tmp_path / "run" / "best.h5").exists()


def test_training_starts_from_given_weights(uninterrupted, records, tmp_path):
    run = Reporter(tmp_path / "run", stop_at=1)
    train(OPTIONS, *records, run, uninterrupted[1].last_model)
    assert_same_weights(run.folder / "last.h5", uninterrupted[1].last_model)


def test_weights_of_another_network_are_refused(uninterrupted, records, tmp_path, monkeypatch):
    monkeypatch.setattr(
        loop, "build_network", lambda *_, **__: keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Dense(14)])
    )
    with pytest.raises(ModelFileError, match="does not fit: none of its tensors is one of sequential"):
        train(OPTIONS, *records, Reporter(tmp_path / "run"), uninterrupted[1].last_model)


def test_tensorboard_logs_are_written_when_asked(records, tmp_path):
    options = replace(OPTIONS, epochs=1, tensorboard=str(tmp_path / "board"))
    train(options, *records, Reporter(tmp_path / "run"))
    (events,) = (tmp_path / "board" / "run").iterdir()
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events)) for value in event.summary.value}
    assert {"loss", "val_loss", "val_auc"} <= tags


def test_a_batch_larger_than_the_data_is_refused(records, tmp_path):
    options = replace(OPTIONS, batch_size=64)
    with pytest.raises(UsageError, match=r"the 22 training images\. Received: 64"):
        train(options, *records, Reporter(tmp_path / "run"))


def test_a_damaged_record_ends_the_run_with_file_and_record(records, tmp_path):
    (path,) = write_random_records(tmp_path / "damaged", 8, shards=1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"Record \d of .*frontal-00000-of-00001 is damaged"):
        train(OPTIONS, [path], records[1], Reporter(tmp_path / "run"))


def test_an_image_of_another_size_ends_the_run_with_file_and_record(records, tmp_path):
    path = tmp_path / "mixed"
    write_records(path, [encode(random_record(seed, size=320 if seed < 6 else 200)) for seed in range(8)])
    with pytest.raises(RecordError, match=r"Record 7 of .*mixed holds a JPEG of 200x200x1"):
        train(OPTIONS, records[0], [path], Reporter(tmp_path / "run"))


def test_a_full_disk_ends_the_run_and_leaves_no_half_file(records, tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    run = Reporter(tmp_path / "run")
    with pytest.raises(CxrError, match="The disk is full"):
        train(OPTIONS, *records, run)
    assert not [path for path in run.folder.rglob("*") if path.suffix in (".h5", ".npz", ".tmp")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "smaller batch size or a smaller image size"),
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"), "smaller batch size"),
        (tf.errors.ResourceExhaustedError(None, None, "log; No space left on device"), "The disk is full"),
        (tf.errors.DataLossError(None, None, "corrupted record at 5"), "corrupted record at 5"),
        (tf.errors.InvalidArgumentError(None, None, "{{node a/b}} Invalid JPEG"), "gs://bucket/a …: Invalid JPEG"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "could not read the 1 TFRecord files"),
        (tf.errors.InternalError(None, None, "first line\nsecond line"), "TensorFlow stopped: first line$"),
    ],
)
def test_tensorflows_errors_become_one_sentence(error, said):
    with pytest.raises(CxrError, match=said) as raised, explained_failures(["gs://bucket/a"]):
        raise error
    assert "\n" not in str(raised.value)


TWO_DEVICES = """
import json, sys
from pathlib import Path
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from cxr_core.training import devices, loop
sys.path.insert(0, sys.argv[2])
from stopping_reporter import Reporter
from test_loop import OPTIONS

def network(architecture, size, *_how, **_kinds):
    inputs = keras.layers.Input((size, size, 1))
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.Conv2D(4, 3, strides=4)(inputs))
    return keras.Model(inputs, keras.layers.Dense(14)(x))

class Descent(loop.Adam):
    def _apply(self, gradients):
        for variable, gradient in zip(self.trained, gradients):
            tf.raw_ops.AssignSubVariableOp(resource=variable.handle, value=0.1 * gradient)

loop.build_network = network
loop.Adam = Descent
folder = Path(sys.argv[1])
files = [sorted((folder / name).iterdir()) for name in ("train", "valid")]
found = []
for count in (1, 2):
    strategy = tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(count)])
    devices.strategy_for = lambda name, workers: strategy
    run = Reporter(folder / f"run{count}")
    result = loop.train(OPTIONS, *files, run)
    found.append([row.get("loss", row.get("val_loss")) for row in run.rows() if row["step"] in (1, 5)])
print(json.dumps(found))
"""


def test_two_devices_share_a_batch_and_do_the_same_steps_as_one(records, tmp_path):
    """Without batch norm and with plain descent, so that nothing but the sharing can make a difference."""
    for name, paths in zip(("train", "valid"), records, strict=True):
        (tmp_path / name).symlink_to(paths[0].parent)
    command = [sys.executable, "-c", TWO_DEVICES, str(tmp_path), str(Path(__file__).parent)]
    root = Path(loop.__file__).parents[2]
    path = os.pathsep.join([str(root), str(root / "tests")])
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = json.loads(done.stdout.splitlines()[-1])
    assert len(one) >= 3
    np.testing.assert_allclose(one, two, rtol=1e-4)
