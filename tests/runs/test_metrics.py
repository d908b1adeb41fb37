import json
import math

import pytest

from cxr_core.errors import CxrError
from cxr_core.runs.metrics import append_row, cut_metrics, read_rows, tail


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


def rows(*pairs):
    return [
        {"step": step, "epoch": epoch} | ({"val_loss": 1.0} if valid else {"loss": 1.0}) for step, epoch, valid in pairs
    ]


def test_metric_rows_after_the_checkpoint_are_cut_and_a_half_row_with_them(tmp_path):
    path = tmp_path / "metrics.jsonl"
    all_rows = rows((1, 1, False), (2, 1, False), (2, 1, True), (3, 2, False))
    path.write_text("".join(json.dumps(row) + "\n" for row in all_rows) + '{"step": 4, "lo')
    cut_metrics(path, step=2, epoch=1)
    assert [json.loads(line) for line in path.read_text().splitlines()] == all_rows[:3]


def test_a_validation_row_of_an_epoch_that_the_checkpoint_lacks_is_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows((1, 1, False), (2, 1, False), (2, 1, True))))
    cut_metrics(path, step=2, epoch=0)
    assert len(path.read_text().splitlines()) == 2


def test_an_appender_that_holds_the_file_open_goes_on_after_the_cut(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with path.open("a") as file:
        file.write(json.dumps({"step": 5}) + "\n")
        file.flush()
        cut_metrics(path, step=0, epoch=0)
        file.write(json.dumps({"step": 1}) + "\n")
    assert path.read_text() == '{"step": 1}\n'
    cut_metrics(tmp_path / "absent.jsonl", step=0, epoch=0)


def test_the_validation_of_a_first_stage_is_cut_like_any(path):
    row = {"step": 2, "epoch": 1, "first_stage_val_loss": 1.0, "first_stage_val_loss_certain": 1.0}
    append_row(path, row)
    cut_metrics(path, step=2, epoch=1)
    assert read_rows(path) == [row]
    cut_metrics(path, step=2, epoch=0)
    assert read_rows(path) == []
