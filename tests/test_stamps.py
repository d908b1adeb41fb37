"""A stamp changes whenever a file's content may have."""

import os

from cxr_core.stamps import changed_at, file_stamp, looked, one_look


def test_a_file_written_in_place_has_another_stamp_though_size_inode_and_even_time_are_as_before(tmp_path):
    path = tmp_path / "table"
    path.write_bytes(b"one")
    before = file_stamp(path)
    with path.open("r+b") as file:
        file.write(b"two")
    assert file_stamp(path) != before
    times = (before[3], before[3])
    path.write_bytes(b"one")
    os.utime(path, ns=times)
    assert file_stamp(path) != before
    assert changed_at(file_stamp(path)) == changed_at(before)


def test_writes_faster_than_the_clock_ticks_are_told_apart(tmp_path):
    path = tmp_path / "table"
    seen = set()
    for number in range(20):
        path.write_bytes(bytes([number]))
        seen.add(file_stamp(path))
    assert len(seen) == 20


def test_what_is_not_there_has_no_stamp(tmp_path):
    assert file_stamp(tmp_path / "none") == ()
    assert file_stamp("a\0b") == ()
    assert changed_at(()) is None


def test_within_one_look_each_thing_is_looked_at_once():
    looks = []

    def look():
        looks.append(1)
        return len(looks)

    assert [looked("a", look), looked("a", look)] == [1, 2]
    with one_look():
        assert [looked("a", look), looked("a", look)] == [3, 3]
        with one_look():
            assert looked("a", look) == 3
        assert looked("b", look) == 4
    assert looked("a", look) == 5
