"""The server of the pages opens no model file: a process of its own does, and a crash, a hang or a lie of it is a sentence."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from looping_model import write_looping_model

from cxr_core.errors import ModelFileError
from cxr_core.training import apart, weights_container, weights_file
from cxr_core.training.weights_file import ModelInfo, read_info, tells_its_network, write_layers
from cxr_core.uncertainty import named_policy

INFO = ModelInfo("densenet-small", 96, "frontal", named_policy("hybrid").as_dict(), run="r", untrained=("fracture",))


@pytest.fixture
def foreign(tmp_path):
    """A whole model of Keras's own that is no network of ours."""
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": []}})
        file.create_group("model_weights")
    return tmp_path / "foreign.h5"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A model file, in a process that must not open it."""
    path = tmp_path / "densenet_lateral_u1_0__w0_5.h5"
    write_layers([("a", [("k:0", np.ones(2))])], path, INFO)
    monkeypatch.setattr(apart, "_on", [True])

    def refused(*arguments):
        raise AssertionError("this process opened the file")

    monkeypatch.setattr(weights_file, "opened", refused)
    monkeypatch.setattr(weights_container, "h5py", SimpleNamespace(File=refused))
    return path


def test_what_a_file_says_is_the_same_from_the_other_process(path):
    assert read_info(path) == INFO
    assert tells_its_network(path)


def test_a_damaged_file_is_the_same_sentence(path):
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ModelFileError, match="is no HDF5 file, or is damaged. Copy it anew."):
        read_info(path)
    path.unlink()
    with pytest.raises(ModelFileError, match="does not exist"):
        read_info(path)


def test_a_whole_model_of_another_maker_is_told_as_one_that_does_not_tell_its_network(foreign, path):
    assert not tells_its_network(foreign)
    with pytest.raises(ModelFileError, match="must end with a global pooling"):
        read_info(foreign)


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.kill(os.getpid(), 11)",
        "print('no JSON')",
        "print('[]')",
        "print('{}')",
        "import time; time.sleep(60)",
    ],
    ids=["crash", "words", "list", "nothing", "hang"],
)
def test_a_process_that_crashes_hangs_or_says_nothing_is_a_sentence(path, tmp_path, monkeypatch, code):
    (tmp_path / "probe_that_fails.py").write_text(code)
    monkeypatch.setattr(apart, "MODULE", "probe_that_fails")
    monkeypatch.setattr(apart, "_MOST_SECONDS", 2.0)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelFileError, match="could not be looked at safely"):
        read_info(path)


def test_it_is_asked_once_until_the_file_changes(path, monkeypatch):
    asked = []
    run = apart.subprocess.run
    monkeypatch.setattr(apart.subprocess, "run", lambda *given, **how: asked.append(given) or run(*given, **how))
    assert [read_info(path), read_info(path)] == [INFO, INFO]
    assert len(asked) == 1
    assert asked[0][0] == [sys.executable, "-m", "cxr_core.training.weights_probe", str(path)]
    path.touch()
    read_info(path)
    assert len(asked) == 2


def test_a_file_that_hdf5_never_finishes_is_a_sentence_and_the_others_are_told(path, tmp_path, monkeypatch):
    monkeypatch.setattr(apart, "_MOST_SECONDS", 10.0)
    endless, other = tmp_path / "endless.h5", tmp_path / "other.h5"
    write_looping_model(endless)
    other.write_bytes(path.read_bytes())
    asked = []
    run = apart.subprocess.run
    monkeypatch.setattr(apart.subprocess, "run", lambda *given, **how: asked.append(given) or run(*given, **how))
    apart.look_at([path, endless, other])
    assert [read_info(path), read_info(other)] == [INFO, INFO]
    with pytest.raises(ModelFileError, match=r"endless\.h5 could not be looked at safely"):
        read_info(endless)
    assert [one[0][3:] for one in asked] == [[str(path), str(endless), str(other)], [str(other)]]


def test_the_server_of_the_pages_opens_none():
    assert "open_files_apart()" in (Path(__file__).parents[2] / "dashboard" / "serving.py").read_text()
