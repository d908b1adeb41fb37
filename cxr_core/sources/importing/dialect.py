"""How a text file is written: its encoding, what stands between its columns, and its decimal mark.

What the bytes prove is recognised and said. Where they prove nothing (a text of one byte a letter that is not UTF-8 can
be any of dozens of encodings), the file is refused with the way to state it.
"""

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from cxr_core.errors import Choice, TableError, UndecidedError

DELIMITERS: dict[str, str] = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
#: Rows that are looked at to find out what stands between the columns.
_LOOK_ROWS = 50
_SAMPLE_BYTES = 2_000_000


@dataclass(frozen=True)
class FileForm:
    """What the user says of how a file is written; None where it is to be recognised.

    `encoding` as Python names it, `delimiter` one of `DELIMITERS` or `tab`, `decimal` `.` or `,`, `member` a file of a
    zip archive, `sheet` a sheet of a workbook.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    member: str | None = None
    sheet: str | None = None


#: Nothing is stated, all is recognised.
RECOGNISED = FileForm()


def as_utf8(path: Path, content: bytes, form: FileForm, whole: bool = True) -> tuple[bytes, str]:
    """Return the text of a file in UTF-8 without a mark in front, and its encoding in words where it is another.

    Raises:
        TableError: the bytes are no text, or nothing proves in which encoding.
    """
    if not content or content.isspace():
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    if form.encoding is None and content.isascii() and b"\0" not in content:
        return content, ""
    text, words = _decoded(path, content, form, whole)
    return text.removeprefix("\ufeff").encode(), words


def _decoded(path: Path, content: bytes, form: FileForm, whole: bool) -> tuple[str, str]:
    encoding, words = _encoding(content) if form.encoding is None else (_known(form.encoding), form.encoding)
    try:
        # Of the first bytes of a file the last letter may be only a part.
        text = codecs.getincrementaldecoder(encoding)().decode(content, final=whole)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"{path.name}, line {line}: the text is not {words or 'UTF-8'}. Save the file as UTF-8, or state its "
            "encoding, as in --answer file.encoding=cp1252."
        ) from error
    if "\0" in text:
        raise TableError(f"{path.name} must be text, it has zero bytes. Save it as a CSV in UTF-8.")
    if not text.lstrip("\ufeff \t\r\n"):
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    return text, words


def _encoding(content: bytes) -> tuple[str, str]:
    for mark, encoding, words in _MARKS:
        if content.startswith(mark):
            return encoding, words
    start = content[:4096]
    zeros = (start[::2].count(0), start[1::2].count(0))
    most = max(4, len(start) // 4)
    if zeros[0] == 0 and zeros[1] >= most:
        return "utf-16-le", "UTF-16 without a byte order mark"
    if zeros[1] == 0 and zeros[0] >= most:
        return "utf-16-be", "UTF-16 without a byte order mark"
    return "utf-8", ""


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise TableError(
            f"file.encoding must be an encoding such as utf-8, cp1252 or latin-1. Received: {encoding[:60]!r}."
        ) from error


def delimiter_of(path: Path, content: bytes, form: FileForm) -> str:
    """Return what stands between the columns of a text in UTF-8.

    It is the one that gives every row as many cells as the header, two or more. Where none does, the one that gives
    the header most cells: the row that does not fit is then named. Where several do, nobody can tell.
    """
    if form.delimiter is not None:
        given = {"tab": "\t", "\\t": "\t"}.get(form.delimiter, form.delimiter)
        if given not in DELIMITERS:
            raise TableError(f"file.delimiter must be one of , ; | or tab. Received: {form.delimiter[:20]!r}.")
        return given
    sample = content[:_SAMPLE_BYTES].decode(errors="ignore")  # the last letter may be cut
    looks = {mark: _look(sample, mark, len(content) <= _SAMPLE_BYTES) for mark in DELIMITERS}
    fitting = [mark for mark, (columns, even) in looks.items() if even and columns > 1]
    if len(fitting) > 1:
        choices = [
            Choice(f"{DELIMITERS[mark]}, {looks[mark][0]} columns", f"--answer file.delimiter={_spelled(mark)}",
                   {"file.delimiter": _spelled(mark)})
            for mark in fitting
        ]  # fmt: skip
        raise UndecidedError("delimiter", f"{path.name} can be read with several marks between columns.", choices)
    return fitting[0] if fitting else max(looks, key=lambda mark: looks[mark][0])


def _spelled(mark: str) -> str:
    return "tab" if mark == "\t" else mark


def _look(text: str, delimiter: str, whole: bool) -> tuple[int, bool]:
    """Return the number of columns of the header, and whether the first rows have as many."""
    rows: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                rows.append(len(row))
            if len(rows) > _LOOK_ROWS:
                return rows[0], len(set(rows)) == 1
    except csv.Error:
        return (rows[0] if rows else 0), False
    # The sample may end within its last row.
    kept = rows if whole or len(rows) < 2 else rows[:-1]
    return (rows[0] if rows else 0), len(set(kept)) == 1
