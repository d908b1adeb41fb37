"""The guides of docs/label-files.md for public data sets, followed word for word on small made-up copies of their layouts."""

import io
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from layouts import chexpert, mimic
from PIL import Image

from cxr_core.sources.registry import get_source
from cxr_core.tasks.evaluate import evaluate

ROOT = Path(__file__).parents[2]
GUIDES = (ROOT / "docs" / "label-files.md").read_text()
README = (ROOT / "README.md").read_text()


def commands(title, page=GUIDES):
    section = page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]
    return [shlex.split(line) for line in block.splitlines()]


def follow(title, cxr, page=GUIDES):
    """Carry out the commands of a guide and return what the last one printed."""
    printed = ""
    for words in commands(title, page):
        assert words[0] == "cxr"
        done = cxr(*words[1:])
        assert done.returncode == 0, (words, done.stderr)
        printed = done.stdout
    return printed


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    Image.fromarray(np.full((40, 30), 128, np.uint8)).save(content, "JPEG")
    path.write_bytes(content.getvalue())


@pytest.fixture
def chexpert_folder(tmp_path):
    for name, rows in (("train", 9), ("valid", 6)):
        frame = chexpert(rows, dataset=name)
        frame["Path"] = frame["Path"].str.replace("CheXpert-v1.0/", "CheXpert-v1.0-small/")
        for path in frame["Path"]:
            draw(tmp_path / path)
        frame.to_csv(tmp_path / "CheXpert-v1.0-small" / f"{name}.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_the_guide_for_chexpert_and_for_predictions(chexpert_folder, cxr):
    printed = follow("CheXpert on a disk", cxr)
    assert "train, frontal" in printed and "valid, frontal" in printed
    source = get_source("chexpert")
    assert len(source.warehouse().labels()) == 15
    assert sorted(file.name for file in source.folder.glob("records/train/*")) == [
        "frontal-00000-of-00001",
        "lateral-00000-of-00001",
    ]
    labels = chexpert(6, dataset="valid")
    labels["Path"] = labels["Path"].str.replace("CheXpert-v1.0/", "CheXpert-v1.0-small/")
    labels[["Path", "Edema"]].fillna(0).to_csv(chexpert_folder / "predictions.csv", index=False)
    assert "edema" in follow("Predictions of your own models, and models of 2019", cxr)
    assert set(evaluate("chexpert", "theirs").labels) == {"edema"}


@pytest.mark.slow
def test_the_two_commands_of_the_readme(chexpert_folder, cxr):
    follow("Your own data", cxr, README)
    source = get_source("chexpert")
    assert len(source.warehouse().labels()) == 15
    assert {file.parent.name for file in source.folder.glob("records/[!.]*/*")} == {"train", "valid"}


@pytest.mark.slow
def test_the_guide_for_mimic_cxr_jpg(tmp_path, cxr):
    _, _, images = mimic(tmp_path, studies=8)
    for image in images.itertuples():
        draw(tmp_path / f"files/p10/p{image.subject_id}/s{image.study_id}/{image.dicom_id}.jpg")
    assert "train, frontal" in follow("MIMIC-CXR-JPG on a disk", cxr)
    source = get_source("mimic")
    assert len(source.warehouse().labels()) == len(images)
    assert list(source.folder.glob("records/test/frontal-*"))
