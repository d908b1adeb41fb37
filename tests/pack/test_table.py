"""A table of a pack as text, CSV and LaTeX."""

import csv
import io
import re
import zipfile

import pytest

from cxr_core.pack.table import COUNT, FIGURE, SHARE, SIGNED, Column, P, Table
from cxr_core.pack.tex import escaped
from cxr_core.pack.zipped import zipped

COLUMNS = [Column("Label"), Column("n", COUNT), Column("AUC", FIGURE), Column("A − B", SIGNED), Column("p", P)]
ROWS = [
    ["Edema & co", 1234, (0.81234, [0.7, 0.9]), (-0.0123, None), 0.0004],
    ["=1+1", None, (None, None), None, 0.05],
]
TABLE = Table(
    "some", "100 % of_all", [*COLUMNS, Column("Share", SHARE)], [[*ROWS[0], 0.5], [*ROWS[1], None]], ["x < y"]
)


def test_figures_are_written_with_their_intervals_and_dashes_where_there_are_none():
    assert TABLE.texts() == [
        ["Edema & co", "1,234", "0.812 (0.700 to 0.900)", "−0.012", "< 0.001", "50.0 %"],
        ["=1+1", "–", "–", "–", "0.050", "–"],
    ]


def test_csv_has_all_digits_intervals_in_two_columns_and_no_formula():
    head, first, second = csv.reader(io.StringIO(TABLE.csv().decode()))
    assert head[2:5] == ["AUC", "AUC, low", "AUC, high"]
    assert first[:5] == ["Edema & co", "1234", "0.81234", "0.7", "0.9"] and float(first[5]) == -0.0123
    assert second[0] == "'=1+1" and second[1:8] == [""] * 7


@pytest.mark.parametrize("rows", [2, 60])
def test_latex_has_a_cell_for_each_column_and_closes_what_it_opens(rows):
    table = Table(TABLE.name, TABLE.caption, TABLE.columns, list(TABLE.rows) * (rows // 2), TABLE.notes)
    tex = table.tex().decode()
    opened, closed = (sorted(re.findall(rf"\\{word}{{(\w+)}}", tex)) for word in ("begin", "end"))
    assert opened == closed and ("longtable" in opened) == (rows > 40)
    body = [line for line in tex.splitlines() if line.startswith(("Edema", "=1"))]
    assert len(body) == rows
    assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {len(table.columns)}
    assert r"100 \% of\_all" in tex and r"x \textless{} y" in tex and r"Edema \& co" in tex


def test_every_sign_that_latex_takes_for_a_command_is_written_out():
    text = "".join(map(chr, range(32, 127))) + "–−é漢\n"
    made = escaped(text)
    assert made.endswith("--$-$é?")
    assert not re.search(r"(?<!\\)[&%#_]", made)
    assert made.isprintable() and "漢" not in made


def test_a_zip_file_unpacks_into_its_folder_and_is_the_same_each_time():
    files = {"a/b.txt": b"one", "c": b"two"}
    made = zipped(files, "pack")
    assert made == zipped(files, "pack")
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"pack/a/b.txt": b"one", "pack/c": b"two"}
