"""Small files that unpack to huge ones, in every kind of table."""

import zlib

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

MB = 1_000_000
HEADER = b"Path,Edema\n"


def packed(path, head, repeated, megabytes):
    """Write `head` and so many MB of `repeated` as a gzip file of about a thousandth; the checksum at its end is none."""
    packer = zlib.compressobj(6, wbits=31)
    block = repeated * (MB // len(repeated))
    first = packer.compress(head + block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(first + again * (megabytes - 1) + packer.flush())
    return path


def repeating_parquet(path, rows, text):
    """A column that says the same text again and again: a few bytes a million rows."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), [text])
    pq.write_table(pa.table({"Path": column, "Edema": np.ones(rows)}), path, compression="gzip")
    return path


def newlines(folder):
    return packed(folder / "newlines.csv.gz", HEADER, b"\n", 1000)


def commas(folder):
    return packed(folder / "commas.csv.gz", b"Path,Edema\n,", b",", 1000)


def short_rows(folder):
    return packed(folder / "short.csv.gz", HEADER, b"a,1\n", 400)


def newlines_as_they_are(folder):
    path = folder / "newlines.csv"
    path.write_bytes(HEADER + b"\n" * 100 * MB)
    return path


def many_equal_rows(folder):
    return repeating_parquet(folder / "rows.parquet", 60 * MB, "a")


def long_equal_texts(folder):
    return repeating_parquet(folder / "texts.parquet", 60_000, "a" * 100_000)


def many_blank_columns(folder):
    columns = {f"c{number}": pa.nulls(4 * MB, pa.int8()) for number in range(70)}
    pq.write_table(pa.table(columns), folder / "columns.parquet")
    return folder / "columns.parquet"


def zeros(folder):
    np.savez_compressed(folder / "zeros.npz", path=np.zeros(200 * MB, np.int8), edema=np.zeros(200 * MB, np.int8))
    return folder / "zeros.npz"


def last_cell_of_a_sheet(folder):
    """A workbook of two cells, the first and the last that there can be."""
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "Path", "x"
    book.save(folder / "sheet.xlsx")
    return folder / "sheet.xlsx"


BOMBS = [
    newlines,
    commas,
    short_rows,
    newlines_as_they_are,
    many_equal_rows,
    long_equal_texts,
    many_blank_columns,
    zeros,
    last_cell_of_a_sheet,
]
