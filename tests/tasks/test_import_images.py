import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from layouts import chexpert
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from cxr_core.errors import DataError, ExistsError, RecordError, UsageError
from cxr_core.records.example import decode, encode
from cxr_core.records.layout import equalised
from cxr_core.records.tfrecord import read_payloads, write_records
from cxr_core.runs import service
from cxr_core.sources.importing.matching import match_paths
from cxr_core.sources.importing.pictures import record_jpeg
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_images import SKIPPED_FILE, list_skipped, start_image_import
from cxr_core.tasks.import_labels import ImportChoices, import_labels


def packed(picture, kind="JPEG", **options):
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def pixels(jpeg):
    picture = Image.open(io.BytesIO(jpeg))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (320, 320), "L")
    return np.asarray(picture).astype(int)


def ramp(height=400, width=600):
    """A grey wedge, dark on the left."""
    return np.tile(np.linspace(0, 255, width), (height, 1))


def dicom(values, photometric="MONOCHROME2"):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["a"])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.Rows, dataset.Columns = values.shape
    dataset.SamplesPerPixel, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 16, 12, 11
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, photometric
    dataset.PixelData = values.astype("<u2").tobytes()
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()


wedge = ramp().astype(np.uint8)
SIXTEEN = Image.fromarray((ramp() * 257).astype(np.uint16))
RGBA = Image.fromarray(np.dstack([wedge, wedge, wedge, np.full_like(wedge, 255)]))


@pytest.mark.parametrize(
    "content",
    [
        packed(Image.fromarray(wedge)),
        packed(Image.fromarray(wedge), "PNG"),
        packed(Image.fromarray(wedge).convert("RGB")),
        packed(Image.fromarray(wedge).convert("P"), "PNG"),
        packed(RGBA, "PNG"),
        packed(SIXTEEN, "PNG"),
        dicom(ramp() * 16),
        dicom(4095 - ramp() * 4095 / 255, "MONOCHROME1"),
    ],
    ids=["jpeg", "png", "rgb", "palette", "rgba", "16-bit", "dicom", "monochrome1"],
)
def test_every_kind_of_picture_becomes_the_same_grey_wedge(content):
    found = pixels(record_jpeg(content, "stretch"))
    expected = np.tile((np.arange(320) + 0.5) / 320 * 255, (320, 1))
    assert np.abs(found - expected).mean() < 2.5
    assert np.abs(found - expected)[:, 4:-4].max() < 12


def test_the_aspect_is_padded_cropped_or_stretched_as_chosen():
    white = packed(Image.new("L", (640, 320), 255))
    assert pixels(record_jpeg(white, "pad"))[[20, 160, 300]].mean(axis=1).round(-1).tolist() == [0, 260, 0]
    assert pixels(record_jpeg(white, "crop")).min() > 250
    assert pixels(record_jpeg(white, "stretch")).min() > 250


def test_a_320_pixel_grey_jpeg_is_kept_byte_for_byte():
    content = packed(Image.fromarray(np.arange(320 * 320).reshape(320, 320).astype(np.uint8)), quality=70)
    assert record_jpeg(content) == content


@pytest.mark.parametrize("content", [b"", b"no picture", packed(Image.fromarray(wedge))[:3000], b"\0" * 128 + b"DICM"])
def test_what_is_no_picture_is_said_in_words(content):
    with pytest.raises(DataError):
        record_jpeg(content)


def test_files_and_labels_match_whichever_folder_was_given_and_whatever_the_ending():
    paths = ["set/train/p1/s1/view1_frontal.jpg", "set/train/p1/s2/view1_frontal.jpg", "set/valid/p2/s1/x.jpg"]
    names = ["p1/s1/view1_frontal.png", "data/set/train/p1/s2/view1_frontal.jpg", "x.dcm", "view1_frontal.jpg", "y.jpg"]
    assert match_paths(names, paths).rows.tolist() == [0, 1, 2, -1, -1]


def test_a_tail_that_two_names_or_two_rows_share_tells_nothing():
    assert match_paths(["a/s1/x.png", "b/s1/x.png"], ["set/s1/x.jpg"]).rows.tolist() == [-1, -1]
    assert match_paths(["s1/x.png"], ["one/s1/x.jpg", "two/s1/x.jpg"]).rows.tolist() == [-1]
    assert match_paths(["A\\s1\\X.png", "a/s1/x.png"], ["set/a/s1/x.jpg"]).rows.tolist() == [0, 0]


def test_another_root_is_believed_of_several_files_and_of_folders_that_name_no_person():
    ours = ["old/a/x.jpg", "old/b/y.jpg", "set/p1/only.jpg"]
    assert match_paths(["new/a/x.jpg", "new/b/y.jpg"], ours).rows.tolist() == [0, 1]
    assert match_paths(["new/a/x.jpg"], ours).rows.tolist() == [-1]
    persons = ["d/p1/v1.jpg", "d/p1/v2.jpg"]
    assert match_paths(["d/p2/v1.jpg", "d/p2/v2.jpg"], persons).rows.tolist() == [-1, -1]


@pytest.fixture
def pictures(tmp_path):
    """90 small pictures in the folders of CheXpert, their labels imported into the source `mine`."""
    frame = chexpert(90)
    rng = np.random.default_rng(0)
    for path in frame["Path"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(packed(Image.fromarray(rng.integers(0, 256, (60, 80), np.uint8))))
    frame.to_csv(tmp_path / "train.csv", index=False)
    import_labels("mine", [tmp_path / "train.csv"], ImportChoices())
    return frame


def records(source="mine"):
    folder = get_source(source).folder / "records"
    files = sorted(file for file in folder.glob("*/*") if file.is_file())
    return [decode(payload, str(file)) for file in files for payload in read_payloads(file)]


def finished(run):
    ended = service.wait(run.run, timeout=120)
    assert ended.status == "completed", ended.reason
    return ended.result


@pytest.mark.slow
def test_pictures_become_records_with_the_labels_and_keys_of_the_table(pictures, tmp_path):
    told = finished(start_image_import("mine", str(tmp_path / "CheXpert-v1.0")))
    assert (told["written"], told["skipped"], told["unmatched"], told["missing"]) == (90, 0, 0, 0)
    labels = get_source("mine").warehouse().labels().set_index("path")
    found = records()
    assert sorted(record.path for record in found) == sorted(pictures["Path"])
    for record in found:
        row = labels.loc[record.path]
        assert record.keys == {name: row[name] for name in record.keys}
        assert record.labels == {name: row[name] for name in record.labels}
        pixels(record.jpg)
    with pytest.raises(ExistsError, match="--replace"):
        start_image_import("mine", str(tmp_path / "CheXpert-v1.0"))


@pytest.mark.slow
def test_bad_pictures_are_listed_and_skipped_up_to_the_limit_from_a_tar(pictures, tmp_path):
    for path in pictures["Path"][:3]:
        (tmp_path / path).write_bytes(b"\xff\xd8 broken")
    (tmp_path / "CheXpert-v1.0" / "stray.jpg").write_bytes(b"x")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(tmp_path / "CheXpert-v1.0", "CheXpert-v1.0")
    failed = service.wait(start_image_import("mine", str(tmp_path / "all.tar"), most_skipped=2).run, timeout=120)
    assert failed.status == "failed" and "More than 2 images are bad, the first CheXpert-v1.0/" in failed.reason
    assert not list((get_source("mine").folder / "records").glob("train/*"))
    run = start_image_import("mine", str(tmp_path / "all.tar"), most_skipped=3)
    told = finished(run)
    assert (told["written"], told["skipped"], told["unmatched"]) == (87, 3, 1)
    assert sorted(pd.read_csv(told["list_of_skipped"])["image"]) == sorted(pictures["Path"][:3])
    assert len(records()) == 87


def test_the_list_of_skipped_pictures_carries_no_formula(tmp_path):
    list_skipped(tmp_path, [("=cmd|'/c calc'!A0.jpg", "@no picture"), ("good.jpg", "it is cut")])
    table = pd.read_csv(tmp_path / SKIPPED_FILE)
    assert table.to_numpy().tolist() == [["'=cmd|'/c calc'!A0.jpg", "'@no picture"], ["good.jpg", "it is cut"]]


@pytest.mark.slow
def test_an_import_that_was_killed_goes_on_and_ends_with_each_record_once(pictures, tmp_path):
    run = start_image_import("mine", str(tmp_path / "CheXpert-v1.0"))
    staging = get_source("mine").folder / "records"
    deadline = time.monotonic() + 60
    while not list(staging.glob(".importing-*/train-*[0-9]")) and time.monotonic() < deadline:
        time.sleep(0.01)
    step = service.get(run.run).process
    if step is not None:
        os.kill(step.pid, signal.SIGKILL)
    ended = service.wait(run.run, timeout=60)
    if ended.status != "completed":
        assert ended.status == "failed"
        service.resume(run.run)
    assert finished(run)["written"] == 90
    assert sorted(record.path for record in records()) == sorted(pictures["Path"])
    assert not list(staging.glob(".importing-*"))


def test_what_cannot_be_imported_is_refused_at_once(pictures, tmp_path):
    (tmp_path / "empty").mkdir()
    for place, said in (("nowhere", "There is nothing of that name"), ("empty", "has no image files"),
                        ("train.csv", "uncompressed tar")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            start_image_import("mine", str(tmp_path / place))
    (tmp_path / "empty" / "other.jpg").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"is in the label table \(1 file, "):
        start_image_import("mine", str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="demo"):
        start_image_import("demo", str(tmp_path / "empty"))
    assert service.list_runs() == []


@pytest.mark.slow
def test_the_command_prints_what_was_written(pictures, tmp_path):
    command = [sys.executable, "-m", "cxr_core", "import", "images", "CheXpert-v1.0", "--source", "mine"]
    done = subprocess.run(
        [*command, "--view", "lateral", "--json"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["written"], told["skipped"]) == (30, 0)
    assert all(Path(record.path).stem.endswith("lateral") for record in records())


@pytest.mark.slow
def test_images_of_another_root_are_matched_by_the_end_of_their_path_and_strangers_are_shown(pictures, tmp_path):
    (tmp_path / "moved").mkdir()
    (tmp_path / "CheXpert-v1.0" / "train").rename(tmp_path / "moved" / "TRAINING")
    stranger = tmp_path / "moved" / "TRAINING" / "patient99999" / "study1" / "view9_frontal.jpg"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(packed(Image.new("L", (30, 30))))
    told = finished(start_image_import("mine", str(tmp_path / "moved"), confined=False))
    assert (told["written"], told["unmatched"]) == (90, 1)
    assert told["matched"] == {"path": 0, "tail": 90, "dicom": 0, "study": 0}
    assert told["unmatched_examples"] == ["TRAINING/patient99999/study1/view9_frontal.jpg"]
    assert "90 by the end of their path" in told["notes"][0]


@pytest.mark.slow
def test_a_label_that_the_table_lacks_is_not_in_the_record(tmp_path):
    folder = tmp_path / "set" / "train" / "patient00001" / "study1"
    folder.mkdir(parents=True)
    (folder / "view1_frontal.jpg").write_bytes(packed(Image.new("L", (30, 30), 99)))
    (tmp_path / "train.csv").write_text("Path,Edema,Fracture\nset/train/patient00001/study1/view1_frontal.jpg,,1\n")
    import_labels("mine", [tmp_path / "train.csv"], ImportChoices())
    finished(start_image_import("mine", str(tmp_path / "set"), confined=False))
    assert [record.labels for record in records()] == [{"edema": 0, "fracture": 3}]


@pytest.mark.slow
def test_equalised_records_say_so_and_are_not_mixed_with_others(pictures, tmp_path):
    told = finished(start_image_import("mine", str(tmp_path / "CheXpert-v1.0"), confined=False, equalise=True))
    assert told["written"] == 90 and all(record.equalised for record in records())
    files = [str(file) for file in (get_source("mine").folder / "records").glob("train/*")]
    assert equalised(files)
    plain = tmp_path / "plain"
    write_records(plain, [encode(replace(records()[0], equalised=False))])
    with pytest.raises(RecordError, match="are equalised, those of"):
        equalised([*files, str(plain)])
