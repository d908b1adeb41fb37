"""Small files that unpack to huge ones: refused, or looked at, within a memory that the unpacked file would not fit."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huge_files import BOMBS, HEADER, MB

from cxr_core.errors import TableError
from cxr_core.sources.importing.text_table import read_first_rows, read_text_table
from cxr_core.sources.importing.unpacked import row_ends, unpacked
from cxr_core.tasks.import_labels import ImportChoices, import_labels
from cxr_core.tasks.import_predictions import import_predictions

ROW = b"train/patient00001/study1/view1_frontal.jpg,1.0\n"

#: Looks at each file, then reads it, in a process of its own; prints how much that took at most, in MB, and what it said.
READING = """
import json, resource, sys
from pathlib import Path
from cxr_core.errors import CxrError
from cxr_core.sources.importing.text_table import read_first_rows, read_text_table
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
found = {}
for how in (read_first_rows, read_text_table):
    for path in map(Path, sys.argv[1:]):
        before, said = peak(), ""
        try:
            how(path)
        except CxrError as error:
            said = str(error)
        found[f"{how.__name__} {path.name}"] = [peak() - before, said]
print(json.dumps(found))
"""


@pytest.mark.slow
def test_small_files_that_are_huge_are_looked_at_and_refused_in_little_memory(tmp_path):
    paths = [bomb(tmp_path) for bomb in BOMBS]
    assert sum(path.stat().st_size for path in paths if path.suffix != ".csv") < 8 * MB
    command = [sys.executable, "-c", READING, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    found = json.loads(done.stdout)
    assert len(found) == 2 * len(BOMBS)
    refused = ("has more than", "unpacks to more than", "has a row of more than")
    for what, (grown, said) in found.items():
        assert "\n" not in said
        if what.startswith("read_first_rows"):
            assert grown < 150, what
        else:
            assert said.startswith(what.split()[1]) and any(words in said for words in refused), said
            assert grown < 300, what


def test_the_bound_on_rows_is_a_setting_and_is_checked_in_the_footer(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_IMPORT_ROWS", "3")
    for path in (tmp_path / "four.csv", tmp_path / "four.csv.gz"):
        content = HEADER + ROW * 4
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    pq.write_table(pa.table({"Path": list("abcd")}), tmp_path / "four.parquet")
    np.savez(tmp_path / "four.npz", path=np.array(list("abcd")))
    for path in sorted(tmp_path.glob("four.*")):
        with pytest.raises(TableError, match=f"{path.name} has more than 3 rows, the most that one import takes"):
            read_text_table(path)
    (tmp_path / "three.csv").write_bytes(HEADER + ROW * 3)
    assert read_text_table(tmp_path / "three.csv").rows == 3


def test_a_long_row_and_many_short_ones_are_read_alike(tmp_path):
    """A row is longer than what is read at once, and the rows before and after it end within that."""
    report = "x" * 2_500_000
    texts = ["short"] * 300_000 + [report, "short"]
    (tmp_path / "x.csv").write_text("\n".join(["Path,Report", *(f"{n},{text}" for n, text in enumerate(texts))]))
    table = read_text_table(tmp_path / "x.csv")
    assert table.columns["Report"].to_pylist() == texts and table.place(300_001) == "x.csv, line 300003"


def test_line_breaks_between_quotation_marks_end_no_row(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_IMPORT_ROWS", "2")
    content = b'Path,Report\na,"one\ntwo ""three""\nfour"\nb,"five\n"\n'
    (tmp_path / "x.csv").write_bytes(content)
    assert unpacked(tmp_path / "x.csv") == content
    assert [content[: end + 1].count(b"\n") for end in row_ends(content)] == [1, 4, 6]


def test_the_first_rows_of_a_long_file_are_whole_and_its_length_is_not_claimed(tmp_path):
    (tmp_path / "long.csv").write_bytes(HEADER + ROW * 5000)
    found = read_first_rows(tmp_path / "long.csv")
    assert (found.rows, found.table.rows) == (None, 1000)
    assert found.table.cell("Edema", 999) == "1.0"
    (tmp_path / "short.csv").write_bytes(HEADER + ROW * 7)
    assert read_first_rows(tmp_path / "short.csv").rows == 7


def test_the_first_rows_of_a_parquet_or_numpy_file_come_with_the_number_of_all(tmp_path):
    paths = [f"train/{number}_frontal.jpg" for number in range(5000)]
    pq.write_table(pa.table({"Path": paths, "Edema": np.arange(5000.0)}), tmp_path / "a.parquet")
    np.savez_compressed(tmp_path / "a.npz", Path=np.array(paths), Edema=np.arange(5000.0))
    for name in ("a.parquet", "a.npz"):
        found, whole = read_first_rows(tmp_path / name), read_text_table(tmp_path / name)
        assert (found.rows, found.table.rows, whole.rows) == (5000, 1000, 5000)
        assert [found.table.cell("Path", row) for row in (0, 999)] == [paths[0], paths[999]]
        assert [whole.cell(name, 4321) for name in ("Path", "Edema")] == [paths[4321], "4321"]


@pytest.mark.parametrize("path", ["valid/p{}/s1", "valid/p1/s{}", "valid/patient{}/study1/view1_frontal.jpg"])
def test_a_number_of_thousands_of_digits_in_a_cell_is_a_bad_cell(tmp_path, path):
    files = {name: tmp_path / name for name in ("valid.csv", "theirs.csv")}
    files["valid.csv"].write_text(f"Path,Edema\n{path.format(1)},1\n{path.format('9' * 5000)},0\n")
    with pytest.raises(TableError, match=r"valid.csv, line 3: Path must have a value of at most 1,000 characters"):
        import_labels("mine", [files["valid.csv"]], ImportChoices(view="frontal"))
    files["valid.csv"].write_text(f"Path,Edema\n{path.format(1)},1\n")
    import_labels("mine", [files["valid.csv"]], ImportChoices(view="frontal"))
    files["theirs.csv"].write_text(f"study,Edema\np1/s1,1\np{'9' * 5000}/s{'9' * 5000},0\n")
    with pytest.raises(TableError, match=r"theirs.csv, line 3: study must have a value of at most 1,000 characters"):
        import_predictions("mine", files["theirs.csv"], "theirs")
