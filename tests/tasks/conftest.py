"""Tasks that are given files anywhere; where a page may read is the matter of test_allowed_places.py."""

import pytest


@pytest.fixture(autouse=True)
def every_folder_may_be_read(workspace, monkeypatch):
    monkeypatch.setenv("CXR_INPUT_FOLDERS", "/")
