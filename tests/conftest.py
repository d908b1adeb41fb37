"""What every test may rely on: a workspace of its own, and no settings from outside."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that the settings point to; every CXR_… variable of the caller is gone."""
    for name in [name for name in os.environ if name.startswith("CXR_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "workspace"
    monkeypatch.setenv("CXR_HOME", str(home))
    return home
