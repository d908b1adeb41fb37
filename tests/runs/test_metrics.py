import json
import math

import pytest

from cxr_core.errors import CxrError
from cxr_core.runs.metrics import append_row, read_rows, tail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_rows_come_back_as_they_were_appended(path):
    rows = [{"step": 1, "loss": 0.1 + 0.2}, {"step": 2, "val_auc": None}]
    for row in rows:
        append_row(path, row)
    assert read_rows(path) == rows
    assert path.read_text().count("\n") == 2


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_figures_that_json_lacks_become_null(path, figure):
    append_row(path, {"loss": figure, "u": [0.5, figure]})
    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {"loss": None, "u": [0.5, None]}


def test_a_torn_last_line_is_left_out(path):
    path.write_text('{"step": 1}\n{"step": 2, "lo')
    assert read_rows(path) == [{"step": 1}]


def test_no_file_holds_no_rows(path):
    assert read_rows(path) == []


def test_the_tail_starts_at_a_line_and_reads_no_more_than_asked(tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("".join(f"line {number}\n" for number in range(1000)))
    assert tail(log, 25) == "line 998\nline 999\n"
    assert tail(log, 10**6) == log.read_text()
    assert tail(tmp_path / "none", 10) == ""


def test_a_full_disk_is_told_in_a_sentence():
    from pathlib import Path

    with pytest.raises(CxrError, match="The disk is full"):
        append_row(Path("/dev/full"), {"step": 1})
