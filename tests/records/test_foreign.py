import gzip

import numpy as np
import pytest
from google.protobuf.message import Message

from cxr_core.errors import RecordError
from cxr_core.records import example
from cxr_core.records.example import Record, decode, encode
from cxr_core.records.foreign import in_own_form
from cxr_core.records.layout import stated_labels
from cxr_core.records.tfrecord import begins_like_records, read_payloads, write_records
from cxr_core.schema import LABELS


def payloads(count=5, size=300):
    rng = np.random.default_rng(0)
    return [
        encode(Record(rng.bytes(size), {label: (n + place) % 4 for place, label in enumerate(LABELS)}, {"patient": n}))
        for n in range(count)
    ]


def with_floats(payload, **values):
    made: Message = example._Example()
    made.ParseFromString(payload)
    for label, value in values.items():
        del made.features.feature[label]
        made.features.feature[label].float_list.value.append(value)
    return made.SerializeToString()


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_HOME", str(tmp_path / "workspace"))


def test_a_file_of_ours_is_used_as_it_is(tmp_path):
    write_records(tmp_path / "own", payloads())
    assert in_own_form([str(tmp_path / "own"), "gs://bucket/x"]) == [str(tmp_path / "own"), "gs://bucket/x"]
    assert not (tmp_path / "workspace").exists()


def test_a_packed_file_is_unpacked_once_whatever_it_is_called(tmp_path):
    write_records(tmp_path / "own", payloads())
    (tmp_path / "hidden").write_bytes(gzip.compress((tmp_path / "own").read_bytes()))
    (copy,) = in_own_form([str(tmp_path / "hidden")])
    assert list(read_payloads(copy)) == payloads()
    before = (tmp_path / "workspace").stat().st_mtime_ns
    assert in_own_form([str(tmp_path / "hidden")]) == [copy]
    assert (tmp_path / "workspace").stat().st_mtime_ns == before


def test_a_record_whose_length_looks_like_gzips_mark_is_none(tmp_path):
    length = 0x088B1F
    payload = encode(Record(b"x" * length, {"edema": 1}))
    payload = encode(Record(b"x" * (length - (len(payload) - length)), {"edema": 1}))
    assert len(payload) == length
    write_records(tmp_path / "own", [payload])
    start = (tmp_path / "own").read_bytes()[:12]
    assert start[:3] == b"\x1f\x8b\x08" and begins_like_records(start)
    assert in_own_form([str(tmp_path / "own")]) == [str(tmp_path / "own")]


def test_a_packed_file_that_is_cut_or_a_bomb_is_refused(tmp_path):
    write_records(tmp_path / "own", payloads())
    packed = gzip.compress((tmp_path / "own").read_bytes())
    for name, content in (("cut", packed[:-20]), ("bomb", gzip.compress(b"\0" * 30_000_000))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordError, match=name):
            in_own_form([str(tmp_path / name)])
    assert not list((tmp_path / "workspace").rglob("cut")) and not list((tmp_path / "workspace").rglob("bomb"))


def test_labels_that_are_floats_become_whole_numbers_and_nan_is_no_label(tmp_path):
    write_records(tmp_path / "theirs", [with_floats(p, edema=2.0, fracture=float("nan")) for p in payloads()])
    (copy,) = in_own_form([str(tmp_path / "theirs")])
    for payload, own in zip(read_payloads(copy), payloads(), strict=True):
        expected = decode(own, "it").labels | {"edema": 2}
        assert decode(payload, "it").labels == {k: v for k, v in expected.items() if k != "fracture"}
    assert stated_labels([copy]) == tuple(label for label in LABELS if label != "fracture")


def test_a_label_between_whole_numbers_is_refused(tmp_path):
    write_records(tmp_path / "theirs", [payloads()[0], with_floats(payloads()[1], edema=0.5)])
    with pytest.raises(RecordError, match="Record 2 of .* edema"):
        decode(list(read_payloads(tmp_path / "theirs"))[1], "Record 2 of it")
    write_records(tmp_path / "theirs", [with_floats(payloads()[1], edema=0.5)])
    with pytest.raises(RecordError, match=r"Record 1 of .* has edema = \[0.5\]"):
        from cxr_core.records.example import in_whole_numbers

        in_whole_numbers(next(read_payloads(tmp_path / "theirs")), f"Record 1 of {tmp_path}")


def test_labels_are_looked_for_in_all_records_before_they_count_as_lacking(tmp_path):
    few = [encode(Record(b"x", {"edema": 0})) for _ in range(9)]
    write_records(tmp_path / "a", [*few, encode(Record(b"x", {"fracture": 3}))])
    assert stated_labels([str(tmp_path / "a")]) == ("edema", "fracture")
