"""The button on Evaluate and Compare that makes the pack of what is judged there."""

import io
import json
import zipfile

import pytest

from dashboard.shared import downloads
from dashboard.shared.pack_button import pack_button

MODELS = ["densenet_frontal_u0_0__w0_0", "densenet_frontal_u1_0__w1_0"]


def labels_of(app):
    return [button.proto.label for button in app.get("download_button")]


@pytest.mark.parametrize("name", ["evaluate", "compare"])
def test_both_pages_offer_one_pack_unless_downloads_are_off(small_demo, page, name, monkeypatch):
    assert labels_of(page(name)).count("Download for a paper") == 1
    monkeypatch.setenv("CXR_DOWNLOADS", "false")
    assert not labels_of(page(name))


def test_the_pack_is_of_what_is_judged(small_demo, monkeypatch):
    offered = {}
    monkeypatch.setattr(
        downloads.st, "download_button", lambda label, made, name, *a, **k: offered.update({name: made})
    )
    monkeypatch.setattr("cxr_core.pack.files.drawn", lambda make: {"svg": b"<svg/>", "pdf": b"%PDF-"})
    pack_button("demo", MODELS[:1], "test", "frontal", "truth")
    ((name, made),) = offered.items()
    with zipfile.ZipFile(io.BytesIO(made())) as archive:
        folder = name.removesuffix(".zip")
        document = json.loads(archive.read(f"{folder}/pack.json"))
        assert b"<h1>" in archive.read(f"{folder}/index.html")
    judged = (document["dataset"], document["view"], document["judge"], [model["name"] for model in document["models"]])
    assert judged == ("test", "frontal", "truth", MODELS[:1])
