"""The event files must be what TensorBoard's own reader understands."""

import json

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.errors import OutOfRangeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

from cxr_core.runs import service
from cxr_core.tasks.tensorboard import tensorboard_command, write_event_files

ROWS = [
    {"step": 1, "epoch": 1, "time": 1000.5, "loss": 0.5, "images_per_second": 10.0},
    {"step": 2, "epoch": 1, "time": 1001.5, "val_loss": 0.25, "val_auc": None},
]


@pytest.fixture
def run(workspace, monkeypatch):
    monkeypatch.setattr(service, "_launch", lambda store, run: run)
    run = service.submit("train", "mine", "demo", {})
    content = "".join(json.dumps(row) + "\n" for row in ROWS)
    (service.folder_of(run.run) / "metrics.jsonl").write_text(content)
    return run.run


def read(folder):
    """Every scalar of the one event file in a folder, by TensorBoard's own record reader, which checks the checksums."""
    (path,) = folder.iterdir()
    reader, events = PyRecordReader_New(str(path)), []
    with pytest.raises(OutOfRangeError):
        while True:
            reader.GetNext()
            events.append(Event.FromString(reader.record()))
    assert events[0].file_version == "brain.Event:2"
    return [(e.step, e.wall_time, v.tag, v.simple_value) for e in events[1:] for v in e.summary.value]


def test_every_figure_of_every_row_is_a_scalar_at_its_step_and_time(run):
    expected = [(1, 1000.5, "loss", 0.5), (1, 1000.5, "images_per_second", 10.0), (2, 1001.5, "val_loss", 0.25)]
    assert sorted(read(write_event_files(run))) == sorted(expected)


def test_written_again_there_is_one_file_with_the_new_rows(run):
    write_event_files(run)
    with (service.folder_of(run) / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "time": 1002.5, "loss": 0.125}\n')
    assert read(write_event_files(run))[-1] == (3, 1002.5, "loss", 0.125)


def test_the_command_listens_on_this_machine_only_and_quotes_the_folder(tmp_path):
    command = tensorboard_command(tmp_path / "a folder; rm")
    assert "--host 127.0.0.1" in command
    assert f"'{tmp_path}/a folder; rm'" in command
