"""An index finds each record at once, and is never trusted once its file is another one."""

import os
import random
import shutil

import pytest

from cxr_core.errors import RecordError
from cxr_core.records import index
from cxr_core.records.example import Record, encode
from cxr_core.records.index import build_index, find_record, has_index
from cxr_core.records.index_file import index_place
from cxr_core.records.tfrecord import record_offsets, write_records
from cxr_core.storage import send

BYTES_OF_A_PICTURE = 500


def picture(number, salt=""):
    return random.Random(f"{number}{salt}").randbytes(BYTES_OF_A_PICTURE)


def path_of(number):
    return f"valid/p{number}/s01/view1_frontal.jpg"


def payloads(count, salt=""):
    return [encode(Record(picture(number, salt), {"edema": 3}, path=path_of(number))) for number in range(count)]


@pytest.fixture
def shard(workspace):
    file = workspace / "sources/mine/records/valid/frontal-00000-of-00001"
    write_records(file, payloads(30))
    assert build_index(str(file)).damage == ()
    return file


@pytest.fixture
def forgetful(monkeypatch):
    """What an index of another process knows: only what lies on the disk."""
    monkeypatch.setattr(index, "_kept", {})


@pytest.fixture
def read(monkeypatch):
    """The bytes of each read of a record."""
    lengths = []

    def counted(location, start, length):
        lengths.append(length)
        return real(location, start, length)

    real = index.read_range
    monkeypatch.setattr(index, "read_range", counted)
    return lengths


def jpg(number, file):
    found = find_record(path_of(number), [str(file)])
    return found and found.jpg


def keeping_its_time(file, content):
    before = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_every_record_is_found_with_its_own_bytes_and_nothing_else_is_read(shard, read):
    for number in random.Random(1).sample(range(30), 30):
        assert jpg(number, shard) == picture(number)
    assert len(read) == 30 and sum(read) == shard.stat().st_size
    assert jpg(30, shard) is None and len(read) == 30


def test_the_index_lies_beside_the_products_own_file_and_no_pattern_of_records_finds_it(shard):
    assert index_place(str(shard)) == shard.parent.parent / ".index" / "valid" / "frontal-00000_of_00001"
    assert index_place(str(shard)).is_file()
    assert list(shard.parent.iterdir()) == [shard] == list(shard.parent.parent.rglob("*-of-*"))


def test_the_index_of_a_file_elsewhere_lies_in_the_workspace(workspace, tmp_path):
    file = tmp_path / "theirs" / "frontal"
    write_records(file, payloads(3))
    assert jpg(2, file) == picture(2)
    assert [path.name for path in file.parent.iterdir()] == ["frontal"]
    assert index_place(str(file)).is_file() and index_place(str(file)).is_relative_to(workspace)


def test_an_index_says_nothing_of_the_image(shard):
    content = index_place(str(shard)).read_bytes()
    assert b"p7" not in content and b"frontal" not in content and len(content) < 30 * 40


def test_equal_records_have_equal_indexes(shard, workspace):
    other = workspace / "other" / shard.name
    write_records(other, payloads(30))
    os.utime(other, ns=(1, 1))
    build_index(str(other))
    assert index_place(str(other)).read_bytes() == index_place(str(shard)).read_bytes()


def test_an_index_goes_along_with_a_copy_of_its_file(shard, workspace, forgetful, monkeypatch):
    copy = shutil.copytree(shard.parent.parent, workspace / "sources/copy/records") / "valid" / shard.name
    monkeypatch.setattr(index, "scan_records", lambda _path: pytest.fail("the copy was read through"))
    assert has_index(str(copy)) and jpg(5, copy) == picture(5)


@pytest.mark.parametrize("salt", ["", "other"])
def test_a_file_that_grew_or_was_replaced_is_read_by_a_new_index(shard, forgetful, salt):
    write_records(shard, payloads(40, salt))
    assert not has_index(str(shard))
    assert [jpg(number, shard) for number in (3, 39)] == [picture(3, salt), picture(39, salt)]
    assert has_index(str(shard))


@pytest.mark.parametrize("is_known", [True, False])
def test_a_file_of_the_same_size_and_time_with_other_records_is_told(shard, monkeypatch, is_known):
    if not is_known:
        monkeypatch.setattr(index, "_kept", {})
    size = shard.stat().st_size
    write_records(shard.with_name("other"), payloads(30, "other"))
    keeping_its_time(shard, shard.with_name("other").read_bytes())
    assert shard.stat().st_size == size
    assert [jpg(number, shard) for number in range(30)] == [picture(number, "other") for number in range(30)]


def test_one_record_that_was_replaced_in_place_is_told(shard, forgetful):
    changed = payloads(30)
    changed[11] = payloads(12, "other")[11]
    write_records(shard.with_name("other"), changed)
    keeping_its_time(shard, shard.with_name("other").read_bytes())
    assert jpg(11, shard) == picture(11, "other") and jpg(12, shard) == picture(12)


@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_damaged_record_is_named_and_the_others_are_found(shard, forgetful, keeps_time):
    content = bytearray(shard.read_bytes())
    content[record_offsets(shard)[7] + 100] ^= 1
    keeping_its_time(shard, content) if keeps_time else shard.write_bytes(content)
    with pytest.raises(RecordError, match=f"Record 8 of {shard} is damaged"):
        jpg(7, shard)
    assert all(jpg(number, shard) == picture(number) for number in range(30) if number != 7)


def test_a_file_that_was_cut_is_named_and_what_is_left_is_found(shard, forgetful):
    shard.write_bytes(shard.read_bytes()[:-200])
    with pytest.raises(RecordError, match=f"{shard} is cut off in record 30"):
        jpg(29, shard)
    assert jpg(28, shard) == picture(28)


def test_after_a_damaged_length_nothing_follows(shard):
    content = bytearray(shard.read_bytes())
    content[record_offsets(shard)[5]] ^= 1
    shard.write_bytes(content)
    with pytest.raises(RecordError, match=f"Record 6 of {shard} is damaged: this is no TFRecord there"):
        jpg(6, shard)
    assert jpg(4, shard) == picture(4)


@pytest.mark.parametrize(
    "damage", [lambda c: c[:-9], lambda c: c[:200] + b"?" + c[201:], lambda c: b"", lambda c: b"x"]
)
def test_an_index_that_is_not_as_it_was_written_is_made_anew(shard, forgetful, damage):
    place = index_place(str(shard))
    place.write_bytes(damage(place.read_bytes()))
    assert not has_index(str(shard))
    assert jpg(9, shard) == picture(9) and has_index(str(shard))


def test_where_no_index_can_be_written_it_is_kept_in_memory(shard, forgetful, monkeypatch):
    place = index_place(str(shard))
    place.unlink()
    place.mkdir()
    assert jpg(9, shard) == picture(9) and has_index(str(shard))


def test_a_record_that_tells_neither_path_nor_keys_has_no_place(workspace):
    file = workspace / "frontal"
    write_records(file, [encode(Record(picture(0), {})), *payloads(2)])
    assert len(build_index(str(file)).rows) == 2 and jpg(1, file) == picture(1)


def test_two_records_with_one_path_give_the_first(workspace):
    file = workspace / "frontal"
    write_records(file, [payloads(1)[0], payloads(1, "other")[0]])
    assert jpg(0, file) == picture(0)


def test_of_a_file_on_cloud_storage_only_the_record_is_fetched(workspace, tmp_path, bucket, forgetful, monkeypatch):
    from cxr_core import cloud_storage

    write_records(tmp_path / "frontal", payloads(200))
    place = f"{bucket}/records/frontal"
    send(tmp_path / "frontal", place)
    build_index(place)
    offsets = record_offsets(tmp_path / "frontal")
    expected = offsets[151] - offsets[150] + offsets[4] - offsets[3]
    fetched = fetched_bytes(monkeypatch, cloud_storage.files())
    for number in (150, 3):
        assert jpg(number, place) == picture(number)
    assert len(fetched) == 2 and sum(fetched) == expected


def test_a_file_on_cloud_storage_that_was_replaced_is_read_anew(workspace, tmp_path, bucket):
    place = f"{bucket}/records/frontal"
    for salt in ("", "other"):
        write_records(tmp_path / "frontal", payloads(20, salt))
        send(tmp_path / "frontal", place)
        assert jpg(13, place) == picture(13, salt)


def fetched_bytes(monkeypatch, files):
    """Return a list that gets the bytes of each answer with content that comes from the storage."""
    lengths = []

    async def call(method, path, *arguments, **named):
        answer = await real(method, path, *arguments, **named)
        if not named.get("json_out"):
            lengths.append(len(answer[1]))
        return answer

    real = files._call
    monkeypatch.setattr(files, "_call", call)
    return lengths
