"""One table in two hundred dialects: it is read back the same or refused in a sentence, never different."""

import bz2
import csv
import gzip
import io
import lzma
import random
import zipfile

import pandas as pd
import pytest
from layouts import SPELLED, chexpert

from cxr_core.errors import CxrError, TableError, UndecidedError
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.label_rows import label_rows
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.importing.text_table import read_text_table

ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "latin-1",
    "cp1250",
    "mac-roman",
)
ENDS = ("\n", "\r\n", "\r")
REPORTS = ("clear.", 'says "no change", stable', "two\nlines", "a; b | c\tand, d", "Überprüfung: naïve façade", "")


def table(seed):
    """A small CheXpert table with a free text, in a random order of columns and rows, and with extra columns."""
    rng = random.Random(seed)
    frame = chexpert(9, seed=seed).sample(frac=1, random_state=seed).reset_index(drop=True)
    frame["Report"] = [rng.choice(REPORTS) for _ in range(len(frame))]
    frame["Weight"] = [rng.choice([1.25, 70.5, 0.5]) for _ in range(len(frame))]
    return frame[rng.sample(list(frame.columns), len(frame.columns))]


def written(frame, rng):
    """Return the bytes of a table in a random dialect, and the name of its file."""
    delimiter, ends = rng.choice(",;\t|"), rng.choice(ENDS)
    decimal = "," if delimiter != "," and rng.random() < 0.5 else "."
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    text = frame.to_csv(index=False, sep=delimiter, decimal=decimal, quoting=quoting, lineterminator=ends)
    encoding = rng.choice(ENCODINGS)
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        content = text.encode("utf-8")
    packing = rng.choice(["", "", "gz", "xz", "zip", "bz2"])
    if packing == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("train.csv", content)
        return "table.zip", packed.getvalue()
    pack = {"": bytes, "gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}[packing]
    return "train.csv", pack(content)


def read(folder, frame, seed):
    rng = random.Random(1000 + seed)
    columns = {}
    if rng.random() < 0.4:
        renamed = rng.sample([*SPELLED, "Path"], 3)
        frame = frame.rename(columns={name: f"their {place}" for place, name in enumerate(renamed)})
        ours = {"Path": "path", **SPELLED}
        columns = {ours[name]: f"their {place}" for place, name in enumerate(renamed)}
    name, content = written(frame, rng)
    (folder / name).write_bytes(content)
    return label_rows([read_text_table(folder / name)], ImportChoices(mapping=Mapping(columns=columns))).frame


@pytest.mark.slow
def test_a_table_is_read_back_the_same_or_refused_in_two_hundred_dialects(tmp_path):
    same = 0
    for seed in range(200):
        frame = table(seed)
        try:
            found = read(tmp_path, frame, seed).set_index("path")
        except CxrError as refused:
            said = str(refused)
            assert "\n" not in said and said.endswith(".") and ("train.csv" in said or "table.zip" in said), (
                seed,
                said,
            )
            continue
        same += 1
        expected = frame.set_index("Path").loc[found.index]
        for spelled, label in SPELLED.items():
            codes = expected[spelled].map({0.0: 1, -1.0: 2, 1.0: 3}).fillna(0).astype(int)
            assert found[label].tolist() == codes.tolist(), (seed, label)
        assert found["age"].tolist() == expected["Age"].tolist(), seed
    # What is refused is what no byte proves: one-byte encodings, and the packing that is not read.
    assert same > 100


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-8-sig", "UTF-8 with a byte order mark"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16 without")],
)
def test_an_encoding_that_the_bytes_prove_is_recognised_and_said(tmp_path, encoding, words):
    (tmp_path / "train.csv").write_bytes(chexpert(3).to_csv(index=False).encode(encoding))
    found = read_text_table(tmp_path / "train.csv")
    assert found.rows == 3 and words in found.recognised[0]


def test_a_text_that_is_not_utf_8_is_refused_until_its_encoding_is_stated(tmp_path):
    (tmp_path / "train.csv").write_bytes("Path,Name\ntrain/a.png,Jürgen\n".encode("cp1250"))
    with pytest.raises(TableError, match=r"train.csv, line 2: the text is not UTF-8.*file.encoding="):
        read_text_table(tmp_path / "train.csv")
    form = Mapping().answered({"file.encoding": "cp1250"}).file
    assert read_text_table(tmp_path / "train.csv", form).cell("Name", 0) == "Jürgen"


def test_the_line_of_a_row_is_where_it_begins_also_after_line_breaks_in_cells(tmp_path):
    (tmp_path / "t.csv").write_text('Path,Report,Edema\na.png,"one\n\nthree",1\n\nb.png,plain,1\n')
    found = read_text_table(tmp_path / "t.csv")
    assert [found.place(row) for row in (0, 1)] == ["t.csv, line 2", "t.csv, line 6"]
    assert "line breaks inside cells" in found.recognised


def test_a_row_of_another_length_is_named_by_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("Path,Edema\na.png,1\n\nb.png,1,0\n")
    with pytest.raises(TableError, match=r"t.csv, line 4: the header has 2 columns, the row 3"):
        read_text_table(tmp_path / "t.csv")


def test_a_mark_that_could_be_either_is_asked(tmp_path):
    (tmp_path / "t.csv").write_text("Path;x,Edema\na;1,1\nb;2,0\n")
    with pytest.raises(UndecidedError) as asked:
        read_text_table(tmp_path / "t.csv")
    assert [choice.keys["file.delimiter"] for choice in asked.value.choices] == [",", ";"]
    form = Mapping().answered(asked.value.choices[1].keys).file
    assert list(read_text_table(tmp_path / "t.csv", form).columns) == ["Path", "x,Edema"]


def test_a_look_at_the_start_of_a_large_file_may_end_within_a_row(tmp_path):
    words = "x" * 60_000
    rows = "".join(f"{words}{place}.png;1;\n" for place in range(45))
    # The header alone would say commas.
    (tmp_path / "t.csv").write_text("Path;Edema;Report, as read, in full, by us\n" + rows)
    found = read_text_table(tmp_path / "t.csv")
    assert (list(found.columns), found.rows) == (["Path", "Edema", "Report, as read, in full, by us"], 45)


def test_decimal_points_and_commas_in_one_column_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("Path;Edema\na;1,5\nb;1.5\n")
    with pytest.raises(TableError, match="decimal points and with commas"):
        read_text_table(tmp_path / "t.csv")


def test_an_archive_or_workbook_with_several_tables_asks_which(tmp_path):
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for name in ("train.csv", "valid.csv"):
            archive.writestr(name, f"Path,Edema\n{name},1\n")
    with pytest.raises(UndecidedError, match=r"file.member=train.csv.*file.member=valid.csv"):
        read_text_table(tmp_path / "both.zip")
    form = Mapping().answered({"file.member": "valid.csv"}).file
    assert read_text_table(tmp_path / "both.zip", form).cell("Path", 0) == "valid.csv"


def test_arrays_as_other_tools_write_them_are_read_or_refused(tmp_path):
    import numpy as np

    paths = np.array(["a.png", "b.png"])
    np.savez(
        tmp_path / "swapped.npz", Path=paths.astype(">U5"), Edema=np.array([1, 0], ">i4"), Age=np.array([1.5, 2], ">f2")
    )
    found = read_text_table(tmp_path / "swapped.npz")
    assert [found.cell(name, 0) for name in ("Path", "Edema", "Age")] == ["a.png", "1", "1.5"]
    assert [found.place(row) for row in (0, 1)] == ["swapped.npz, row 1", "swapped.npz, row 2"]
    for odd in (np.array([1j, 2]), np.array([(1, 2), (3, 4)], "i4,i4"), np.array(["2020", "2021"], "M8[Y]")):
        np.savez(tmp_path / "odd.npz", Path=paths, Edema=odd)
        with pytest.raises(TableError, match="must hold numbers or texts"):
            read_text_table(tmp_path / "odd.npz")


def test_an_array_that_claims_more_than_its_file_holds_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (900000,), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(tmp_path / "big.npz", "w") as archive:
        archive.writestr("edema.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(TableError, match="must be a NumPy"):
        read_text_table(tmp_path / "big.npz")


def workbook(path, sheets):
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)


def test_a_sheet_of_a_workbook_is_read_like_a_text_table(tmp_path):
    frame = pd.DataFrame({"Path": ["a.png", "b.png"], "Edema": [1, -1], "Weight": [1.5, 2.0]})
    workbook(tmp_path / "one.xlsx", {"Labels": frame})
    found = read_text_table(tmp_path / "one.xlsx")
    assert {name: column.to_pylist() for name, column in found.columns.items()} == {
        "Path": ["a.png", "b.png"], "Edema": ["1", "-1"], "Weight": ["1.5", "2"]
    }  # fmt: skip
    assert found.recognised == ("the sheet 'Labels' of a workbook",)
    workbook(tmp_path / "two.xlsx", {"Labels": frame, "More": frame})
    with pytest.raises(UndecidedError, match="file.sheet=Labels"):
        read_text_table(tmp_path / "two.xlsx")
