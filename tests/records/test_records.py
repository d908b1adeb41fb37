import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxr_core.errors import RecordError, UsageError
from cxr_core.records import layout
from cxr_core.records.example import Record, decode, encode
from cxr_core.records.layout import check_records, find_records, locate_damage
from cxr_core.records.tfrecord import count_records, read_payloads, write_records, write_shards
from cxr_core.schema import INTEGER_KEYS, LABELS


def jpeg(width=320, height=320, mode="L"):
    file = io.BytesIO()
    Image.fromarray(np.full((height, width), 90, np.uint8)).convert(mode).save(file, "JPEG")
    return file.getvalue()


def record(jpg=None, view=0, **labels):
    keys = dict.fromkeys(INTEGER_KEYS, 1) | {"view": view}
    return Record(jpg or jpeg(), dict.fromkeys(LABELS, 0) | labels, keys, "train/p1/s01/view1_frontal.jpg")


@settings(deadline=None)
@given(
    st.binary(min_size=1, max_size=200),
    st.lists(st.integers(0, 3), min_size=14, max_size=14),
    st.none() | st.text(min_size=1, max_size=30),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=5, max_size=5),
)
def test_what_is_encoded_comes_back(jpg, values, path, keys):
    made = Record(jpg, dict(zip(LABELS, values, strict=True)), dict(zip(INTEGER_KEYS, keys, strict=True)), path)
    assert decode(encode(made), "it") == made


def test_records_of_the_notebook_have_neither_path_nor_keys():
    made = Record(b"x", dict.fromkeys(LABELS, 2))
    assert decode(encode(made), "it") == made


def test_shards_hold_every_payload_once(tmp_path):
    payloads = [bytes([number]) * 10 for number in range(11)]
    paths = write_shards(tmp_path, "frontal", payloads, 3)
    assert [path.name for path in paths] == [f"frontal-0000{i}-of-00003" for i in range(3)]
    assert sorted(payload for path in paths for payload in read_payloads(path)) == payloads
    assert sum(map(count_records, paths)) == 11


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.01])
def test_a_file_that_was_cut_is_named_with_its_record(tmp_path, keep):
    path = tmp_path / "frontal-00000-of-00001"
    write_records(path, [encode(record())] * 3)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    for read in (count_records, lambda file: list(read_payloads(file)), lambda file: check_records([file], None)):
        with pytest.raises(RecordError, match=r"frontal-00000-of-00001 is cut off in record \d"):
            read(path)


def test_a_flipped_bit_is_found_by_the_full_scan(tmp_path):
    path = tmp_path / "frontal-00000-of-00001"
    write_records(path, [encode(record())] * 9)
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    assert check_records([path], "frontal").images == 9
    assert "Record 9" in locate_damage([path])
    assert "checksum" in locate_damage([path])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (record(jpg=jpeg(300, 320)), "JPEG of 300x320x1"),
        (record(jpg=jpeg(mode="RGB")), "JPEG of 320x320x3"),
        (record(jpg=b"no picture"), "no readable JPEG"),
        (record(view=1), "is a lateral view, but frontal was chosen"),
        (record(edema=4), "edema = 4"),
    ],
)
def test_wrong_content_is_refused_with_file_and_record(tmp_path, made, words):
    path = tmp_path / "shard"
    write_records(path, [encode(record()), encode(made)])
    with pytest.raises(RecordError, match=words) as raised:
        check_records([path], "frontal")
    assert f"Record 2 of {path}" in str(raised.value)


def test_a_label_that_a_record_lacks_is_not_there_and_a_record_without_any_is_no_use_for_training(tmp_path):
    made = Record(jpeg(), {"edema": 3}, dict.fromkeys(("patient", "study", "image", "dataset"), 1) | {"view": 0})
    assert decode(encode(made), "it").labels == {"edema": 3}
    path = tmp_path / "shard"
    write_records(path, [encode(Record(made.jpg, {}, made.keys))])
    with pytest.raises(RecordError, match=r"Record 1 of .* has no label. Training needs one at least"):
        check_records([path], "frontal")
    assert check_records([path], "frontal", with_keys=True).images == 1


def test_a_payload_that_is_no_example_is_named():
    with pytest.raises(RecordError, match="no tf.train.Example"):
        decode(b"\xff\xff\xff", "it")


def test_a_path_that_is_no_text_is_named():
    payload = encode(Record(b"x", dict.fromkeys(LABELS, 0), path="train/p1/s01/view1_frontal.jpg"))
    with pytest.raises(RecordError, match="path of it must be UTF-8"):
        decode(payload.replace(b"train/p1", b"train\xff\xfe1"), "it")


def test_records_without_keys_are_refused_where_keys_are_needed(tmp_path):
    path = tmp_path / "shard"
    write_records(path, [encode(Record(jpeg(), dict.fromkeys(LABELS, 0), {"patient": 1}))])
    assert check_records([path], "frontal").images == 1
    with pytest.raises(RecordError, match="Record 1 of .* lacks study, image, view, dataset"):
        check_records([path], "frontal", with_keys=True)


def test_the_full_scan_finds_a_jpeg_that_was_cut(tmp_path):
    path = tmp_path / "shard"
    write_records(path, [encode(record()), encode(record(jpg=jpeg()[:600]))])
    assert check_records([path], "frontal").images == 2
    assert f"Record 2 of {path} holds a damaged JPEG" in locate_damage([path])


def test_text_is_no_tfrecord(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("path,edema\n" * 50)
    with pytest.raises(RecordError, match="no TFRecord"):
        count_records(path)


def test_patterns_are_filled_and_an_empty_match_says_what_was_looked_for(tmp_path):
    write_records(tmp_path / "valid" / "lateral-00000-of-00001", [b"x"])
    pattern = str(tmp_path / "{dataset}" / "{view}-*")
    assert [Path(path).name for path in find_records(pattern, "valid", "lateral")] == ["lateral-00000-of-00001"]
    with pytest.raises(UsageError, match=r"No TFRecords match .*/train/frontal-\*"):
        find_records(pattern, "train", "frontal")


def test_a_failed_write_leaves_what_stood_before(tmp_path):
    path = tmp_path / "shard"
    write_records(path, [b"old"])

    def payloads():
        yield b"new"
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_records(path, payloads())
    assert list(read_payloads(path)) == [b"old"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_read_again_only_after_it_has_changed(tmp_path, monkeypatch):
    path = tmp_path / "shard"
    read = []
    monkeypatch.setattr(layout, "count_records", lambda path: read.append(path) or count_records(path))
    write_records(path, [encode(record())])
    assert [check_records([path], "frontal").images for _ in range(3)] == [1, 1, 1]
    assert read == [path]
    write_records(path, [encode(record())] * 2)
    assert check_records([path], "frontal").images == 2
    path.unlink()
    with pytest.raises(RecordError, match="cannot be read"):
        check_records([path], "frontal")


def test_records_written_in_place_are_checked_anew_though_size_and_inode_are_as_before(tmp_path):
    (path,) = write_shards(tmp_path, "frontal", [encode(record(edema=1))], 1)
    assert check_records([str(path)], "frontal").images == 1
    inode, size = path.stat().st_ino, path.stat().st_size
    (other,) = write_shards(tmp_path / "other", "frontal", [encode(record(view=1, edema=1))], 1)
    with path.open("r+b") as file:
        file.write(other.read_bytes())
    assert (path.stat().st_ino, path.stat().st_size) == (inode, size)
    with pytest.raises(RecordError, match="is a lateral view"):
        check_records([str(path)], "frontal")
