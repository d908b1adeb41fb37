"""A sheet of an Excel or LibreOffice workbook -> texts, read by calamine.

It is read in a process of its own, with a bound on its memory: a workbook of some kB can have a last cell in the last
row and column, and the reader makes room for all that would stand before it.
"""

import datetime as dt
import io
import os
import pickle
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa

import cxr_core
from cxr_core.errors import Choice, TableError, UndecidedError
from cxr_core.sources.importing.unpacked import check_size

_MOST_MEMORY = 4_000_000_000
_MOST_SECONDS = 120.0
#: One more than a table may have, which then refuses it.
_MOST_COLUMNS = 2_001


def workbook_table(path: Path, sheet: str | None, most_rows: int) -> tuple[pa.Table, str, int]:
    """Return the cells of a sheet as texts, the first row as names, which sheet it is, in words, and its rows.

    Of more than `most_rows` rows only so many are returned.

    Raises:
        TableError: the file is damaged, protected or empty, has no such sheet, or takes more memory than it may.
        UndecidedError: several sheets hold something, and none was named.
    """
    check_size(_unpacked_size(path), path, path.stat().st_size)
    command = [sys.executable, "-m", __name__, str(path), sheet or "", str(most_rows)]
    try:
        done = subprocess.run(command, capture_output=True, env=_environment(), timeout=_MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise _too_large(path) from None
    if done.returncode:
        raise _too_large(path)
    names, rows, count, wrong = pickle.loads(done.stdout)
    if wrong:
        raise TableError(f"{path.name} is no workbook that can be read: {wrong[:120]}. Save it as CSV.")
    wanted = _wanted(path, names, sheet)
    header = [cell or f"column {number}" for number, cell in enumerate(rows[0], 1)]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise TableError(f"{path.name} has the column {twice[:80]!r} twice. Remove or rename one.")
    body = rows[1:]
    if not body:
        raise TableError(f"{path.name} has a header and no rows. Nothing was imported.")
    columns = [pa.array([row[place] for row in body], pa.string()) for place in range(len(header))]
    return pa.table(dict(zip(header, columns, strict=True))), f"the sheet {wanted!r} of a workbook", count


def _filled(path: str, sheet: str, most_rows: str) -> tuple[list[str], list[list[str | None]], int, str]:
    """Return the sheets that hold something, header and rows of the wanted or only one, their count, what is wrong."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(Path(path).read_bytes()))
        filled = {name: rows for name in book.sheet_names if (rows := book.get_sheet_by_name(name).to_python())}
    except (python_calamine.CalamineError, OSError, ValueError, KeyError) as error:
        return [], [], 0, str(error) or type(error).__name__
    header, *rest = filled.get(sheet) or next(iter(filled.values()), [[]])
    body = [row for row in rest if any(cell not in ("", None) for cell in row)]
    taken = [header, *body[: int(most_rows)]]
    return list(filled), [[_text(cell) for cell in row[:_MOST_COLUMNS]] for row in taken], len(body), ""


def _environment() -> dict[str, str]:
    packages = str(Path(cxr_core.__file__).absolute().parents[1])
    paths = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": paths, "PYTHONSAFEPATH": "1"}


def _too_large(path: Path) -> TableError:
    return TableError(
        f"{path.name} unpacks to more than a workbook may take ({_MOST_MEMORY / 1e9:.0f} GB of memory). Save the sheet "
        "as CSV."
    )


def _unpacked_size(path: Path) -> int:
    """Return what the parts of a workbook say that they unpack to; an old one is not packed."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(item.file_size for item in archive.infolist())


def _wanted(path: Path, names: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            raise TableError(f"{path.name} has no filled sheet {sheet[:60]!r}. It has: {', '.join(names)[:200]}.")
        return sheet
    if not names:
        raise TableError(f"{path.name} is empty. Nothing was imported.")
    if len(names) > 1:
        choices = [Choice(name, f"--answer file.sheet={name}", {"file.sheet": name}) for name in names]
        raise UndecidedError("sheet", f"{path.name} has {len(names)} filled sheets; which is the table?", choices)
    return names[0]


def _text(cell: Any) -> str | None:
    """Return a cell as the text that people see: 1.0 as 1, a date as 2026-11-26."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell).strip() or None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    sys.stdout.buffer.write(pickle.dumps(_filled(*sys.argv[1:])))
