"""The columns must be what Python's own JSON parser finds, whichever way and in however many looks they were read."""

import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxr_core.runs import columns as module
from cxr_core.runs.columns import ColumnReader, parse_columns
from cxr_core.runs.metrics import append_row

NUMBERS = st.one_of(st.none(), st.integers(-(10**6), 10**6), st.floats(allow_nan=False, allow_infinity=False, width=32))
ROWS = st.lists(
    st.fixed_dictionaries(
        {"step": st.integers(0, 10**6)},
        optional={
            "loss": NUMBERS,
            "val_auc": NUMBERS,
            "per_label": st.fixed_dictionaries({}, optional={"edema": NUMBERS, "fracture": NUMBERS}),
            "u": st.lists(st.floats(0, 1), min_size=0, max_size=3),
            "phase": st.sampled_from(["a", "b"]),
        },
    ),
    min_size=1,
    max_size=30,
)


def lines(rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def expected(rows, name):
    """A column by hand: the value at a dotted name, NaN where a row has no number there."""
    found = []
    for row in rows:
        value = row
        for part in name.split("."):
            if isinstance(value, list):
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        found.append(value if isinstance(value, (int, float)) else np.nan)
    return np.array(found, float)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_both_parsers_find_every_number_of_every_row(monkeypatch, rows):
    names = ["step", "loss", "val_auc", "per_label.edema", "per_label.fracture", "u.0", "u.1", "u.2"]
    for small in (0, 10**9):
        monkeypatch.setattr(module, "_SMALL_BYTES", small)
        read = parse_columns(lines(rows))
        assert read.n_rows == len(rows)
        assert set(read.columns) <= set(names)
        for name in names:
            np.testing.assert_array_equal(read.column(name), expected(rows, name), err_msg=name)


@pytest.fixture
def counted(monkeypatch):
    """The bytes that each look parses."""
    parsed = []
    real = module.parse_columns
    monkeypatch.setattr(module, "parse_columns", lambda content: parsed.append(len(content)) or real(content))
    return parsed


def test_a_later_look_parses_only_what_was_added(tmp_path, counted):
    path, reader = tmp_path / "metrics.jsonl", ColumnReader()
    path.write_bytes(lines({"step": n, "time": 1e9 + n, "loss": 1 / n} for n in range(1, 5001)))
    first = path.stat().st_size
    assert reader.read(path).n_rows == 5000
    assert reader.read(path).n_rows == 5000
    append_row(path, {"step": 5001, "time": 2e9, "val_auc": 0.8})
    read = reader.read(path)
    assert (read.n_rows, read.latest("step"), read.latest("val_auc"), read.latest("loss")) == (
        5001,
        5001,
        0.8,
        1 / 5000,
    )
    assert counted == [first, path.stat().st_size - first]


def test_a_line_that_is_still_being_written_comes_with_the_next_look(tmp_path):
    path, reader = tmp_path / "metrics.jsonl", ColumnReader()
    path.write_bytes(b'{"step": 1}\n{"step": 2, "lo')
    assert list(reader.read(path).column("step")) == [1]
    path.write_bytes(b'{"step": 1}\n{"step": 2, "loss": 0.5}\n')
    assert list(reader.read(path).column("step")) == [1, 2]


def test_a_file_that_was_cut_and_goes_on_is_read_anew(tmp_path):
    path, reader = tmp_path / "metrics.jsonl", ColumnReader()
    path.write_bytes(lines({"step": n, "time": n, "loss": 1.0} for n in range(1, 101)))
    reader.read(path)
    os.truncate(path, len(lines({"step": n, "time": n, "loss": 1.0} for n in range(1, 51))))
    assert reader.read(path).n_rows == 50
    with path.open("ab") as file:  # longer than before, so that the size alone tells nothing
        file.write(lines({"step": n, "time": 1000 + n, "loss": 2.0} for n in range(51, 201)))
    read = reader.read(path)
    assert list(read.column("step")) == list(range(1, 201))
    assert list(read.column("loss")) == [1.0] * 50 + [2.0] * 150


def test_damaged_lines_in_a_long_file_cost_only_themselves(tmp_path):
    content = lines({"step": n, "loss": 0.5} for n in range(3000))
    read = parse_columns(content + b'{"step": 1, "los\n[1, 2]\n\x00\xff\n' + content)
    assert read.n_rows == 6000


def test_a_name_with_values_of_two_kinds_keeps_its_numbers():
    rows = [{"step": n, "note": "x" if n == 2999 else n} for n in range(3000)]
    assert parse_columns(lines(rows)).latest("note") == 2998


def test_best_is_the_first_of_the_highest_and_none_without_figures():
    read = parse_columns(lines([{"val_auc": None}, {"val_auc": 0.7}, {"val_auc": 0.9}, {"val_auc": 0.9}]))
    assert read.best("val_auc") == 2
    assert read.best("loss") is None
    assert read.latest("loss") is None


def test_no_file_has_no_rows_and_many_files_do_not_fill_the_memory(tmp_path):
    reader = ColumnReader(most_numbers=250)
    assert reader.read(tmp_path / "none").n_rows == 0
    paths = [tmp_path / f"{n}.jsonl" for n in range(5)]
    for path in paths:
        path.write_bytes(lines({"step": n} for n in range(100)))
        assert reader.read(path).n_rows == 100
    assert list(reader._files) == paths[-2:]
