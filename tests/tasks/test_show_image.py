import gzip
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from record_source import NAME, record, write_source

from cxr_core.cli import main
from cxr_core.errors import ExistsError, RecordError, UsageError
from cxr_core.records.example import decode, encode
from cxr_core.records.tfrecord import read_payloads, record_offsets, write_records
from cxr_core.tasks.image_facts import image_facts
from cxr_core.tasks.show import show

PATH = record("valid", "lateral", 7).path


def grey(file):
    with Image.open(file) as image:
        return image.format, np.asarray(image)


def wanted(dataset="valid", view="lateral", number=7):
    with Image.open(io.BytesIO(record(dataset, view, number).jpg)) as image:
        return np.asarray(image)


@pytest.mark.parametrize("with_path", [True, False])
def test_the_picture_is_that_of_the_record_whether_it_tells_its_path_or_only_its_keys(workspace, tmp_path, with_path):
    write_source(workspace, with_path=with_path)
    for dataset, view, number in (("valid", "lateral", 7), ("train", "frontal", 23), ("test", "lateral", 0)):
        path, file = record(dataset, view, number).path, tmp_path / f"{dataset}.png"
        assert show(NAME, path, str(file), confined=False).as_json() == {"path": path, "file": str(file)}
        kind, pixels = grey(file)
        assert kind == "PNG"
        np.testing.assert_array_equal(pixels, wanted(dataset, view, number))


def test_a_path_that_tells_neither_data_set_nor_view_is_found(workspace, tmp_path):
    folder = write_source(workspace)
    odd = record("train", "frontal", 3)
    write_records(folder / "records/test/frontal-own", [encode(type(odd)(odd.jpg, odd.labels, odd.keys, "a.jpg"))])
    show(NAME, "a.jpg", str(tmp_path / "a.PNG"), confined=False)
    np.testing.assert_array_equal(grey(tmp_path / "a.PNG")[1], wanted("train", "frontal", 3))


def test_packed_records_are_read(workspace, tmp_path):
    folder = write_source(workspace)
    for file in (folder / "records/valid").iterdir():
        file.write_bytes(gzip.compress(file.read_bytes()))
    show(NAME, PATH, str(tmp_path / "x.png"), confined=False)
    np.testing.assert_array_equal(grey(tmp_path / "x.png")[1], wanted())


def test_a_file_that_is_there_stays_unless_it_may_be_replaced(workspace, tmp_path):
    write_source(workspace)
    file = tmp_path / "x.png"
    file.write_bytes(b"mine")
    with pytest.raises(ExistsError, match="--replace"):
        show(NAME, PATH, str(file), confined=False)
    assert file.read_bytes() == b"mine"
    show(NAME, PATH, str(file), replace=True, confined=False)
    assert grey(file)[0] == "PNG"


@pytest.mark.parametrize(
    ("path", "to", "sentence"),
    [
        ("valid/p1/s01/view1_lateral.jpg", "x.png", "No TFRecord of the source tiny holds"),
        ("", "x.png", "No TFRecord of the source tiny holds"),
        (PATH, "x.jpg", "ends in .png"),
        (PATH, "gs://bucket/x.png", "ends in .png"),
        (PATH, "folder.png", "is a folder"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence_and_nothing_is_written(workspace, tmp_path, path, to, sentence):
    write_source(workspace)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=sentence):
        show(NAME, path, to, replace=True, confined=False)
    assert not (tmp_path / "x.png").exists()


def test_a_source_without_records_says_so(workspace, tmp_path):
    shutil.rmtree(write_source(workspace) / "records")
    with pytest.raises(UsageError, match="has no TFRecords"):
        show(NAME, PATH, str(tmp_path / "x.png"), confined=False)


def test_damage_is_named_where_it_hides_the_image_and_no_other_image_suffers(workspace, tmp_path):
    folder = write_source(workspace)
    files = sorted((folder / "records/valid").glob("lateral*"))
    holder = next(file for file in files if any(PATH.encode() in one for one in read_payloads(file)))
    paths = [decode(one, "").path for one in read_payloads(holder)]
    own, content = paths.index(PATH), bytearray(holder.read_bytes())
    content[record_offsets(holder)[own] + 40] ^= 0xFF
    holder.write_bytes(content)
    with pytest.raises(RecordError, match=f"Record {own + 1} of {holder} is damaged"):
        show(NAME, PATH, str(tmp_path / "y.png"), confined=False)
    assert not (tmp_path / "y.png").exists()
    for number, path in enumerate(path for path in paths if path != PATH):
        show(NAME, path, str(tmp_path / f"{number}.png"), confined=False)


def test_a_damaged_picture_is_named(workspace, tmp_path):
    folder = write_source(workspace)
    whole = record("valid", "lateral", 7)
    for number, jpg in enumerate((b"no picture", whole.jpg[:700])):
        broken = type(whole)(jpg, whole.labels, whole.keys, f"broken{number}")
        write_records(folder / f"records/valid/lateral-own{number}", [encode(broken)])
        with pytest.raises(RecordError, match=f"Record 1 of .*lateral-own{number} holds no readable JPEG"):
            show(NAME, f"broken{number}", str(tmp_path / "x.png"), confined=False)
    assert not (tmp_path / "x.png").exists()


def test_a_page_writes_only_where_pages_may(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_OUTPUT_FOLDERS", str(tmp_path / "copies"))
    write_source(workspace)
    with pytest.raises(UsageError, match="must lie in one of the folders"):
        show(NAME, PATH, str(tmp_path / "x.png"))
    assert show(NAME, PATH, str(workspace / "x.png")).file == str(workspace / "x.png")


def test_the_command_writes_where_it_stands_and_prints_where(workspace, tmp_path, capsys):
    write_source(workspace)
    assert main(["show", PATH, "--source", NAME, "--to", "x.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": PATH, "file": str(tmp_path / "x.png")}
    assert main(["show", PATH, "--source", NAME, "--to", "x.png"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_without_a_file_the_command_tells_what_is_said_of_the_image(workspace, capsys):
    write_source(workspace)
    assert main(["show", PATH, "--source", NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    facts = image_facts(NAME, PATH)
    assert (told["path"], told["dataset"], told["view"]) == (PATH, facts.dataset, facts.view)
    assert told["report"] == facts.values and told["truth"] is None and told["models"] == {}
    assert main(["show", PATH, "--source", NAME]) == 0
    assert "label" in capsys.readouterr().out
    for options in (["--saliency"], ["--label", "edema"], ["--replace"], ["--model", "nobody"]):
        assert main(["show", PATH, "--source", NAME, *options]) == 2
        assert capsys.readouterr().err.count("\n") == 1
