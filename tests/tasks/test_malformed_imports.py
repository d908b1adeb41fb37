"""Files that are no clean tables: each ends in one sentence, and the table that stood before still stands.

`--whole` tries two hundred and ten, else each fourth of them.
"""

import gzip
import io
import random
import struct
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from layouts import chexpert

from cxr_core.errors import CxrError
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.text_table import read_text_table
from cxr_core.tasks.import_labels import import_labels
from cxr_core.tasks.import_predictions import import_predictions


def text(seed):
    return chexpert(12, seed=seed).to_csv(index=False)


def mixed_delimiters(seed):
    lines = text(seed).splitlines()
    place = 1 + seed % (len(lines) - 1)
    lines[place] = lines[place].replace(",", ";\t|"[seed % 3])
    return "train.csv", "\n".join(lines).encode()


def false_byte_order_mark(seed):
    return "train.csv", (b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0")[seed % 3] + text(seed).encode() + b"\n" * (seed % 2)


def open_quote(seed):
    lines = text(seed).splitlines()
    place = 1 + seed % (len(lines) - 1)
    lines[place] = '"' + lines[place]
    return "train.csv", "\n".join(lines).encode()


def latin_1(seed):
    return "train.csv", text(seed).replace("Male", "Mâle", 1).replace("Female", "Fémale", 1).encode("latin-1")


def truncated_gzip(seed):
    packed = gzip.compress(text(seed).encode())
    return "train.csv.gz", packed[: len(packed) * (1 + seed % 9) // 10]


def damaged_gzip(seed):
    packed = bytearray(gzip.compress(text(seed).encode()))
    packed[20 + seed] ^= 0xFF
    return "train.csv.gz", bytes(packed)


def duplicated_header(seed):
    header, rest = text(seed).split("\n", 1)
    names = header.split(",")
    names[-1] = names[seed % (len(names) - 1)]
    return "train.csv", ("\n".join([",".join(names), rest])).encode()


def the_same_label_twice(seed):
    names = ("Airspace Opacity", "lung_opacity", "LUNG OPACITY", "Opacity", "airspace-opacity")
    return "train.csv", chexpert(12, seed=seed).assign(**{names[seed % 5]: 1.0}).to_csv(index=False).encode()


def parquet_claims_10_gigabytes(seed):
    """A footer that says there are 2**31 and more rows, on top of a small file."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"Path": ["train/a_frontal.jpg"] * 3, "Edema": [1.0, 0.0, -1.0]}), sink)
    content = bytearray(sink.getvalue())
    length = struct.unpack("<I", content[-8:-4])[0]
    footer = bytes(content[-8 - length : -8])
    # Thrift's compact protocol writes num_rows (3, zigzag 6) as one byte; ten gigabytes need five.
    big = bytes([0x80 | ((10**10 * 2) >> shift & 0x7F) for shift in (0, 7, 14, 21)] + [(10**10 * 2) >> 28 & 0x7F])
    places = [place for place in range(len(footer)) if footer[place : place + 1] == b"\x06"]
    place = places[seed % len(places)]
    changed = footer[:place] + big + footer[place + 1 :]
    return "train.parquet", bytes(content[: -8 - length]) + changed + struct.pack("<I", len(changed)) + b"PAR1"


def no_parquet(seed):
    sink = io.BytesIO()
    chexpert(12, seed=seed).to_parquet(sink)
    content = sink.getvalue()
    return "train.parquet", content[: len(content) * (1 + seed % 9) // 10]


def gzip_bomb(seed):
    head = text(seed).splitlines()
    return "train.csv.gz", gzip.compress((head[0] + "\n").encode() + bytes([48 + seed % 10]) * 300_000_000, 1)


def nan_keys(seed):
    frame = chexpert(12, seed=seed)
    frame.loc[seed % 12, "Path"] = ("nan", "NaN", "", None, "null", "NA")[seed % 6]
    return "train.csv", frame.to_csv(index=False).encode()


def ragged_line(seed):
    lines = text(seed).splitlines()
    lines[1 + seed % 12] += ",1.0" * (1 + seed % 3)
    return "train.csv", "\n".join(lines).encode()


def unknown_value(seed):
    frame = chexpert(12, seed=seed).astype(object)
    frame.loc[seed % 12, "Edema"] = ("2", "perhaps", "0.5", "-2", "nan?", "1,0", "=1", "3?")[seed % 8]
    return "train.csv", frame.to_csv(index=False).encode()


def no_table(seed):
    contents = (b"", b"\n\n", b"\x00" * 50, random.Random(seed).randbytes(500), b"<html></html>", b"Path\n", b"{}")
    return "train.csv", contents[seed % 7]


def no_label_column(seed):
    return "train.csv", chexpert(12, seed=seed)[["Path", "Sex", "Age"]].to_csv(index=False).encode()


MAKERS = [
    mixed_delimiters,
    false_byte_order_mark,
    open_quote,
    latin_1,
    truncated_gzip,
    damaged_gzip,
    duplicated_header,
    the_same_label_twice,
    parquet_claims_10_gigabytes,
    no_parquet,
    nan_keys,
    ragged_line,
    unknown_value,
    no_table,
    no_label_column,
]
ALL = [(maker, seed) for maker in MAKERS for seed in range(14)]
SEEDS = [pytest.param(seed, marks=[pytest.mark.whole] * (seed > 1)) for seed in range(10)]


@pytest.mark.slow
def test_malformed_files_end_in_a_sentence_each_and_the_table_stands(tmp_path, pytestconfig):
    first = tmp_path / "valid.csv"
    chexpert(12, seed=99, dataset="valid").to_csv(first, index=False)
    table = import_labels("mine", [first], ImportChoices()).table
    before = table.read_bytes()
    assert len(ALL) >= 200
    for maker, seed in ALL if pytestconfig.getoption("whole") else ALL[::4]:
        name, content = maker(seed)
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CxrError) as refused:
            import_labels("mine", [path], ImportChoices(), replace=True)
        said = str(refused.value)
        assert "\n" not in said and said.endswith(".") and len(said) < 500, (maker.__name__, seed, said)
        assert table.read_bytes() == before, (maker.__name__, seed)
    assert sorted(file.name for file in table.parent.iterdir()) == ["identifiers.json", "labels.parquet", "source.toml"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_gzip_bomb_is_refused_before_it_is_unpacked(tmp_path, seed):
    name, content = gzip_bomb(seed)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CxrError, match="unpacks to more than a table of its size can hold|has a row of more than"):
        read_text_table(path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_numpy_file_that_is_a_zip_bomb_or_a_pickle_is_refused(tmp_path, seed):
    path = tmp_path / "predictions.npz"
    if seed % 2:
        np.savez(path, path=np.array([{"a": seed}], dtype=object), edema=np.array([1.0]))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("edema.npy", b"\x93NUMPY\x01\x00v\x00" + b"0" * 200_000_000)
    with pytest.raises(CxrError, match="unpacks to more than|must be a NumPy .npz"):
        read_text_table(path)


def test_a_malformed_prediction_file_leaves_the_predictions_that_stood(tmp_path):
    labels = chexpert(12, dataset="valid")
    labels.to_csv(tmp_path / "valid.csv", index=False)
    import_labels("mine", [tmp_path / "valid.csv"], ImportChoices())
    good = pd.DataFrame({"Path": labels["Path"], "Edema": np.linspace(-3, 3, 12)})
    good.to_csv(tmp_path / "good.csv", index=False)
    table = import_predictions("mine", tmp_path / "good.csv", "theirs").table
    before = table.read_bytes()
    for cell in ("inf", "nan", "", "x", "1e999"):
        bad = good.astype(object)
        bad.loc[4, "Edema"] = cell
        bad.to_csv(tmp_path / "bad.csv", index=False)
        with pytest.raises(CxrError, match=r"bad.csv, line 6: Edema must be a finite number"):
            import_predictions("mine", tmp_path / "bad.csv", "theirs", replace=True)
    assert table.read_bytes() == before


@pytest.mark.parametrize("column", ["path", "sex"])
def test_texts_of_a_parquet_file_that_are_no_utf8_are_refused_in_a_sentence(tmp_path, column):
    own = pa.array(["p1.jpg", "p2.jpg"])
    broken = pa.StringArray.from_buffers(2, pa.py_buffer(np.array([0, 3, 6], "i4")), pa.py_buffer(b"a\xff.b\xfe."))
    table = pa.table({"path": own, "edema": [3, 1], "sex": own} | {column: broken})
    pq.write_table(table, tmp_path / "train.parquet")
    with pytest.raises(CxrError, match=r"train\.parquet"):
        import_labels("mine", [tmp_path / "train.parquet"], ImportChoices(dataset="train", view="frontal"))
