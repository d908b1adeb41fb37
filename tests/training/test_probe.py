import json
import subprocess

import pytest

from cxr_core.errors import RunError
from cxr_core.training import probe as probing
from cxr_core.training.probe import Accelerator, cached, probe

ANSWER = [
    {"name": "cpu", "available": True, "reason": "", "devices": ["CPU"]},
    {"name": "gpu", "available": False, "reason": "This machine has no NVIDIA GPU.", "devices": []},
]


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def run(command, **_):
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, json.dumps(ANSWER), "")

    monkeypatch.setattr(probing.subprocess, "run", run)
    return calls


def test_the_answer_is_kept_until_something_changes(asked, tmp_path, monkeypatch):
    assert cached(tmp_path) is None
    found = probe(tmp_path)
    assert found[1] == Accelerator("gpu", False, "This machine has no NVIDIA GPU.")
    assert probe(tmp_path) == cached(tmp_path) == found
    assert len(asked) == 1
    monkeypatch.setenv("TPU_NAME", "mine")
    assert cached(tmp_path) is None
    probe(tmp_path)
    assert len(asked) == 2
    probe(tmp_path, refresh=True)
    assert len(asked) == 3


def test_a_damaged_cache_is_asked_again(asked, tmp_path):
    probe(tmp_path)
    for file in tmp_path.iterdir():
        file.write_text("{")
    assert len(probe(tmp_path)) == 2
    assert len(asked) == 2


def test_a_probe_that_dies_gives_its_last_line(monkeypatch, tmp_path):
    def run(command, **_):
        raise subprocess.CalledProcessError(1, command, "", "Traceback\nImportError: no tensorflow\n")

    monkeypatch.setattr(probing.subprocess, "run", run)
    with pytest.raises(RunError, match="ImportError: no tensorflow"):
        probe(tmp_path)
    assert list(tmp_path.iterdir()) == []
