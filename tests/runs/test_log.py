import pytest

from cxr_core.runs import log as log_module
from cxr_core.runs.log import cut, last_words


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


def test_last_words_are_those_of_the_work_in_its_last_attempt(log):
    log.write_text("a\n1 [run] started process 7\nfirst\n2 [run] started process 8\nb\n\nc  \nd\ne\n3 [run] failed\n")
    assert last_words(log) == ["c", "d", "e"]
    log.write_text("1 [run] started process 7\nfirst\n2 [run] started process 8\n")
    assert last_words(log) == []
    assert last_words(log.parent / "none") == []


def test_an_endless_line_is_clipped(log):
    log.write_text("x" * 100_000)
    assert [len(line) for line in last_words(log)] == [300]


def test_a_log_beyond_its_limit_keeps_its_beginning_and_end_and_its_writers_go_on(log, monkeypatch):
    monkeypatch.setattr(log_module, "_KEPT_HEAD_BYTES", 10)
    monkeypatch.setattr(log_module, "_KEPT_TAIL_BYTES", 10)
    with log.open("ab", buffering=0) as writer:
        writer.write(b"0123456789" + b"x" * 1000 + b"abcdefghij")
        cut(log, most_bytes=2000)
        assert log.stat().st_size == 1020
        cut(log, most_bytes=1000)
        writer.write(b"more\n")
    assert log.read_text() == "0123456789\n[run] 1,000 bytes of the log were left out here\nabcdefghijmore\n"
