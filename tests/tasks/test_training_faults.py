"""What goes wrong inside TensorFlow, in real trainings at once: memory, a loss that is no number, a damaged record."""

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import record_source
from record_source import NAME, write_source

from cxr_core.runs import service
from cxr_core.tasks.train import start_training
from cxr_core.tasks.training_plan import training_defaults

FAKE_KINDS = Path(__file__).parents[1] / "runs" / "fake_kinds"
TRAIN = 80
#: Name of the model, which tells `fake_kinds` what is to go wrong, and what the reason must say.
FAULTS = {
    "nan-at-7": "The loss became nan in step 7",
    "too-large": "memory",
    "damaged": r"Record \d+ of .*frontal-00001-of-00002 is damaged",
}


@pytest.mark.tensorflow
def test_a_training_that_fails_says_why_and_leaves_no_model(workspace, monkeypatch):
    monkeypatch.setitem(record_source.IMAGES, "train", TRAIN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKE_KINDS), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("CXR_RUNS_PER_DEVICE", str(len(FAULTS)))
    folder = write_source(workspace, views=("frontal",))
    shutil.copytree(folder / "records", folder / "damaged")
    damage_in_the_middle(folder / "damaged" / "train" / "frontal-00001-of-00002")
    options = replace(training_defaults(NAME), batch_size=8, image_size=32, epochs=1, seed=3)
    records = {"damaged": f"{folder}/damaged/{{dataset}}/{{view}}*"}
    runs = {name: start_training(NAME, replace(options, records=records.get(name, "")), name).run for name in FAULTS}
    for name, reason in FAULTS.items():
        run = service.wait(runs[name], timeout=200)
        assert (run.status, bool(re.search(reason, run.reason))) == ("failed", True), (
            f"{name} {run.status}: {run.reason}"
        )
    assert list((folder / "models").glob("*")) == []
    assert list(workspace.rglob("*.tmp")) == []


def damage_in_the_middle(shard):
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
