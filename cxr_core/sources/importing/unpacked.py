"""The bytes of a text file, packed or not: never more than a table may have, and for a look only the first of them.

What a file unpacks to is counted while it is unpacked, in bytes, in rows and in the length of a row, so that a small
file that becomes a huge one is refused when it has passed a bound, and not when the memory is gone.
"""

import io
from pathlib import Path

import numpy as np

from cxr_core.errors import TableError
from cxr_core.settings import settings
from cxr_core.sources.importing.packed_files import chunks as chunks_of
from cxr_core.sources.importing.packed_files import packing

#: Most bytes that one file may hold once it is unpacked: MIMIC-CXR-JPG's largest table has 60 MB.
LARGEST_BYTES = 2_000_000_000
#: A file that unpacks to more than this many times its size (and to more than `_SUSPECT_BYTES`) is no honest table.
_LARGEST_RATIO = 200
_SUSPECT_BYTES = 64_000_000
#: Most bytes of one row: reports in a column are a few kB each.
_LARGEST_ROW = 4_000_000
#: How much of a file is looked at before it is imported.
LOOK_BYTES, LOOK_ROWS = 4_000_000, 1_000
_BREAK, _RETURN, _QUOTE = ord("\n"), ord("\r"), ord('"')


def unpacked(path: Path, member: str | None = None) -> bytes:
    """Return the content of a text file, unpacked where it is packed; `member` is a file of a zip archive.

    Raises:
        TableError: it is damaged, or has more bytes or rows than a table may have.
        OSError: it cannot be read.
    """
    content, rows, packed = io.BytesIO(), _Rows(path), _packed_size(path)
    for chunk in chunks_of(path, member):
        content.write(chunk)
        check_size(content.tell(), path, packed)
        rows.count(chunk)
    return content.getvalue()


def first_bytes(path: Path, member: str | None = None) -> tuple[bytes, bool]:
    """Return the first whole rows of a text file, and whether they are all of it; raises as `unpacked`."""
    content, rows = bytearray(), _Rows(path)
    chunks = chunks_of(path, member)
    for chunk in chunks:
        content += chunk
        rows.count(chunk, limited=False)
        if len(content) >= LOOK_BYTES or rows.number > LOOK_ROWS:
            break
    else:
        return bytes(content), True
    ends = row_ends(bytes(content))
    whole = next(chunks, None) is None and len(ends) <= LOOK_ROWS
    if whole:
        return bytes(content), True
    if not len(ends):
        raise _too_long(path)
    return bytes(content[: ends[min(LOOK_ROWS, len(ends) - 1)] + 1]), False


def row_ends(content: bytes, quoted: bool = False) -> np.ndarray:
    """Return the places of the line breaks that end a row, which those between quotation marks do not.

    Args:
        content: a part of a text file.
        quoted: whether it begins between quotation marks.
    """
    letters = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(letters == _BREAK)
    if not ends.size:
        # Old Macs end lines with a CR alone.
        ends = np.flatnonzero(letters == _RETURN)
    if not quoted and _QUOTE not in content:
        return ends
    marks = np.flatnonzero(letters == _QUOTE)
    return ends[(np.searchsorted(marks, ends) + quoted) % 2 == 0]


def check_size(size: int, path: Path, packed: int | None = None) -> None:
    """Raise `TableError` when a file is larger than a table may be, or than what it was packed into can hold."""
    suspect = packed is not None and size > _SUSPECT_BYTES and size > _LARGEST_RATIO * packed
    if size > LARGEST_BYTES or suspect:
        raise too_dense(path, size)


def too_dense(path: Path, size: int) -> TableError:
    """Return the error about a file that unpacks to `size` bytes and more."""
    return TableError(
        f"{path.name} unpacks to more than a table of its size can hold ({size / 1e6:,.0f} MB and more). "
        "Check where it comes from, or import it in parts."
    )


def check_rows(rows: int, path: Path, allowed: int | None = None) -> None:
    """Raise `TableError` when a file has more rows than `allowed`, by default the setting `import_rows`."""
    most = settings().import_rows if allowed is None else allowed
    if rows > most:
        raise TableError(
            f"{path.name} has more than {most:,} rows, the most that one import takes. Import it in parts, or allow "
            "more with CXR_IMPORT_ROWS."
        )


class _Rows:
    """Counts the rows of a file that comes in parts, and refuses too many or too long ones."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._allowed = settings().import_rows
        self._quoted = False
        self._since = 0
        self.number = 0

    def count(self, chunk: bytes, limited: bool = True) -> None:
        """Count one more part; the rows are bounded by the setting when `limited`, their length always."""
        number, first, last, longest = _row_ends(chunk, self._quoted)
        self._quoted ^= chunk.count(b'"') % 2 == 1
        longest = self._since + len(chunk) if not number else max(self._since + first, longest)
        self._since = self._since + len(chunk) if not number else len(chunk) - last - 1
        self.number += number
        if max(longest, self._since) > _LARGEST_ROW:
            raise _too_long(self._path)
        if limited:
            # The header is no row.
            check_rows(self.number - 1, self._path, self._allowed)


def _row_ends(chunk: bytes, quoted: bool) -> tuple[int, int, int, int]:
    """Return how many rows end in a part of a file, where the first and the last does, and the longest between them.

    A row within a part that may be a row itself is not too long, so that nobody has to measure it.
    """
    plain = not quoted and _QUOTE not in chunk and len(chunk) <= _LARGEST_ROW
    if plain and (number := chunk.count(b"\n")):
        return number, chunk.find(b"\n"), chunk.rfind(b"\n"), 0
    ends = row_ends(chunk, quoted)
    if not len(ends):
        return 0, 0, 0, 0
    return len(ends), int(ends[0]), int(ends[-1]), int(np.diff(ends).max()) if len(ends) > 1 else 0


def _too_long(path: Path) -> TableError:
    return TableError(
        f"{path.name} has a row of more than {_LARGEST_ROW / 1e6:,.0f} MB, or a quotation mark that is not closed. "
        "Check that it is a table."
    )


def _packed_size(path: Path) -> int | None:
    return path.stat().st_size if packing(path) else None
